// The live crate under the official clients in a real browser.
// node checks.mjs SERVER : SERVER is the built example `tour`. One line a check: "ok NAME" or "not ok NAME: why".
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const PATIENCE = Number(process.env.LIVE_PATIENCE ?? 20_000);

// The server: a process that can be killed and started again on the same port.
class Server {
  constructor(program) {
    this.program = program;
    this.port = 0;
  }

  async start(secrets = "first") {
    this.child = spawn(this.program, ["--port", String(this.port), "--secrets", secrets], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: this.child.stdout });
    const line = await new Promise((done, failed) => {
      lines.once("line", done);
      this.child.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
    });
    this.port = Number(line.split(":").at(-1));
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async kill() {
    const dead = new Promise((done) => this.child.once("exit", done));
    this.child.kill("SIGKILL");
    await dead;
  }
}

const program = process.argv[2];
assert.ok(program, "usage: node checks.mjs SERVER");
const server = new Server(program);
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
let browser;

async function open(path = "/", { forge } = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (line) => line.type() === "error" && page.problems.push(line.text()));
  if (forge) await page.addInitScript((n) => sessionStorage.setItem("forge", n), forge);
  await page.goto(server.url + path);
  await connected(page);
  return page;
}

const connected = (page) => page.waitForSelector("[data-phx-main].phx-connected");
const text = (page, selector, wanted) =>
  page.waitForFunction(([s, w]) => document.querySelector(s)?.textContent.trim() === w, [selector, wanted]).catch(async () => {
    const found = await page.evaluate((s) => document.querySelector(s)?.textContent, selector);
    throw new Error(`${selector} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  });
const gone = (page, selector) => page.waitForSelector(selector, { state: "detached" });
const items = (page, selector) => page.$$eval(selector, (found) => found.map((one) => one.textContent.trim()));
const eventually = async (page, wanted, read) => {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const found = await read();
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (Date.now() > until) assert.deepEqual(found, wanted);
    await page.waitForTimeout(20);
  }
};
// A value in the page that only a page load takes away.
const mark = (page) => page.evaluate(() => { window.marked = true; });
const marked = (page) => page.evaluate(() => window.marked === true);

const checks = {
  "without a script the page is whole": async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${server.url}/?page=3`);
    assert.equal(await page.textContent("#page"), "3");
    assert.deepEqual(await items(page, "#log li"), ["1", "2"]);
    await page.click("#save");
    await page.waitForSelector("#plain-page");
    await context.close();
  },
  "mount": async (page) => { await text(page, "#count", "0"); },
  "click": async (page) => {
    await page.click("#inc");
    await text(page, "#count", "1");
  },
  "conditional block": async (page) => {
    for (let n = 0; n < 3; n += 1) await page.click("#inc");
    await text(page, "#big", "big 3");
  },
  "keyed reorder keeps the elements": async (page) => {
    await page.evaluate(() => { document.querySelector("#item-1").dataset.mine = "kept"; });
    await page.click("#reverse");
    await eventually(page, ["4", "3", "2", "1"], () => items(page, "#items li"));
    await page.click("#prepend");
    await eventually(page, ["9", "4", "3", "2", "1"], () => items(page, "#items li"));
    await page.click("#reverse");
    await eventually(page, ["1", "2", "3", "4", "9"], () => items(page, "#items li"));
  },
  "a list that is emptied and filled": async (page) => {
    await page.click("#clear");
    await eventually(page, [], () => items(page, "#items li"));
    await page.click("#prepend");
    await eventually(page, ["9"], () => items(page, "#items li"));
  },
  "form with errors as one types": async (page) => {
    await page.fill("#person_age", "old");
    await text(page, "#age-errors", 'expected a whole number, not negative, got "old"');
    await text(page, "#name-errors", "");
    await page.fill("#person_name", "Ada");
    await page.fill("#person_age", "36");
    await text(page, "#age-errors", "");
  },
  "submit, flash and patch": async (page) => {
    await page.fill("#person_name", "Ada");
    await page.fill("#person_age", "36");
    await page.click("#save");
    await text(page, "#saved", "Ada is 36");
    await text(page, "#flash", "Saved.");
    await text(page, "#page", "7");
    assert.equal(new URL(page.url()).search, "?page=7");
    await page.click("#flash");
    await gone(page, "#flash");
  },
  "patch by a link, and back": async (page) => {
    await mark(page);
    await page.click("#patch");
    await text(page, "#page", "5");
    await page.click("#goto");
    await text(page, "#page", "6");
    await page.goBack();
    await text(page, "#page", "5");
    await page.goBack();
    await text(page, "#page", "1");
    assert.ok(await marked(page), "the page was loaded again");
  },
  "navigate to another view, and back": async (page) => {
    await mark(page);
    await page.click("#about");
    await text(page, "h1", "link");
    await eventually(page, "About", () => page.title());
    assert.ok(await marked(page), "the page was loaded again");
    await page.goBack();
    await text(page, "#count", "0");
  },
  "navigation by the server takes the flash along": async (page) => {
    await page.click("#leave");
    await text(page, "#flash", "You left.");
    assert.equal(new URL(page.url()).pathname, "/about/flash");
  },
  "another live session is a page load": async (page) => {
    await mark(page);
    await page.click("#members");
    await text(page, "h1", "members");
    await connected(page);
    assert.ok(!(await marked(page)), "the page was not loaded again");
  },
  "redirect": async (page) => {
    await page.click("#plain");
    await page.waitForSelector("#plain-page");
  },
  "title": async (page) => {
    await eventually(page, "Tour", () => page.title());
    await page.click("#title");
    await eventually(page, "Second title", () => page.title());
  },
  "push_event reaches the browser": async (page) => {
    await page.click("#greet");
    await eventually(page, ["Ada"], () => page.evaluate(() => window.greeted));
  },
  "hook with a reply": async (page) => {
    assert.deepEqual(await page.evaluate(() => window.double(21)), { doubled: 42 });
  },
  "a message of the server's own": async (page) => {
    await page.click("#later");
    await text(page, "#saved", "late");
  },
  "JS commands": async (page) => {
    await page.click("#toggle");
    await page.waitForSelector("#menu", { state: "visible" });
    await page.waitForSelector("#tools.open");
    await page.click("#toggle");
    await page.waitForSelector("#menu", { state: "hidden" });
    await page.click("#focus");
    await page.waitForFunction(() => document.activeElement.id === "person_age");
    await page.waitForSelector("#tools[data-seen=yes]");
    await eventually(page, ["Ada"], () => page.evaluate(() => window.greeted));
  },
  "streams": async (page) => {
    await page.click("#log-add");
    await page.click("#log-delete");
    await eventually(page, ["3", "2"], () => items(page, "#log li"));
    await page.click("#inc");
    await text(page, "#count", "1");
    assert.deepEqual(await items(page, "#log li"), ["3", "2"]);
    await page.click("#log-reset");
    await eventually(page, ["7", "80 likes"], () => items(page, "#log li"));
  },
  "a component within a stream's entry, changed with the view": async (page) => {
    await page.click("#log-reset");
    await text(page, "#log #like-2", "0 likes");
    await page.click("#mark");
    await text(page, "#count", "1");
    await text(page, "#log #like-2", "5 likes");
    await page.click("#log #like-2");
    await text(page, "#log #like-2", "6 likes");
    await page.click("#mark");
    await text(page, "#log #like-2", "5 likes");
    await text(page, "#count", "2");
    assert.deepEqual(await items(page, "#log > li"), ["7", "85 likes"]);
  },
  "component events": async (page) => {
    await page.click("#like-1");
    await page.click("#like-1");
    await text(page, "#like-1", "2 likes");
  },
  "a component that comes back": async (page) => {
    await page.click("#like-1");
    await text(page, "#like-1", "1 likes");
    await page.click("#like-hide");
    await gone(page, "#like-box-1");
    await page.waitForTimeout(100);
    await page.click("#like-show");
    await text(page, "#like-1", "1 likes");
    await page.click("#like-1");
    await text(page, "#like-1", "2 likes");
  },
  "crash and rejoin": async (page) => {
    await mark(page);
    await page.click("#inc");
    await text(page, "#count", "1");
    await page.click("#crash");
    await text(page, "#count", "0");
    await connected(page);
    assert.ok(await marked(page), "the page was loaded again");
    await page.click("#inc");
    await text(page, "#count", "1");
    page.problems.length = 0;
  },
  "reconnect at the present address": async (page) => {
    await page.click("#patch");
    await text(page, "#page", "5");
    await page.evaluate(() => new Promise((done) => window.liveSocket.disconnect(done)));
    await page.evaluate(() => window.liveSocket.connect());
    await page.waitForFunction(() => window.liveSocket.isConnected());
    await connected(page);
    await text(page, "#page", "5");
    await page.click("#inc");
    await text(page, "#count", "1");
  },
  "kill -9 in mid-form: the form comes back": async (page) => {
    await mark(page);
    await page.fill("#person_name", "Grace");
    await text(page, "#echo", "Grace");
    await page.focus("#person_age");
    await server.kill();
    await page.waitForSelector("[data-phx-main].phx-client-error");
    await server.start();
    await connected(page);
    await text(page, "#echo", "Grace");
    assert.equal(await page.inputValue("#person_name"), "Grace");
    assert.ok(await marked(page), "the page was loaded again");
    page.problems.length = 0;
  },
  "a rotated secret keeps the page": async (page) => {
    await mark(page);
    await server.kill();
    await server.start("second,first");
    await page.waitForFunction(() => window.liveSocket.isConnected());
    await connected(page);
    await page.click("#inc");
    await text(page, "#count", "1");
    assert.ok(await marked(page), "the page was loaded again");
    page.problems.length = 0;
  },
  "a secret that is gone: stale, and one page load": async (page) => {
    await mark(page);
    await server.kill();
    await server.start("third");
    await page.waitForFunction(() => window.loads === 2 && window.liveSocket.isConnected());
    await connected(page);
    await page.click("#inc");
    await text(page, "#count", "1");
    assert.ok(!(await marked(page)), "the page was not loaded again");
    page.problems.length = 0;
  },
  "a lost cookie: stale, and one page load": async (page) => {
    await page.context().clearCookies();
    await page.evaluate(() => new Promise((done) => window.liveSocket.disconnect(done)));
    await page.evaluate(() => window.liveSocket.connect());
    await page.waitForFunction(() => window.loads === 2 && window.liveSocket.isConnected());
    await connected(page);
    page.problems.length = 0;
  },
};

// With a page of its own that is opened differently.
const special = {
  "a bad CSRF token: stale, and one page load": async () => {
    const page = await open("/", { forge: 1 });
    await page.waitForFunction(() => window.loads === 2);
    await connected(page);
    await page.click("#inc");
    await text(page, "#count", "1");
    await page.context().close();
  },
  "two pages are two views": async () => {
    const [one, two] = [await open(), await open()];
    await one.click("#inc");
    await text(one, "#count", "1");
    await text(two, "#count", "0");
    await one.context().close();
    await two.context().close();
  },
};

async function main() {
  await server.start();
  browser = await chromium.launch({ executablePath: process.env.LIVE_CHROMIUM ?? "/usr/bin/chromium", args: flags });
  let failed = 0;
  const only = process.argv[3];
  const run = async (name, check) => {
    if (only && !name.includes(only)) return;
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${name}: ${error.message}`);
    }
  };
  for (const [name, check] of Object.entries(checks)) {
    await run(name, async () => {
      if (check.length === 0) return check();
      const page = await open();
      try {
        await check(page);
        assert.deepEqual(page.problems, [], "the browser's console has errors");
      } finally {
        await page.context().close();
      }
    });
  }
  for (const [name, check] of Object.entries(special)) await run(name, check);
  return failed;
}

let code = 1;
try {
  code = (await main()) === 0 ? 0 : 1;
} catch (error) {
  console.log(`not ok set-up: ${error.message}`);
} finally {
  await browser?.close();
  server.child?.kill("SIGKILL");
}
process.exit(code);
