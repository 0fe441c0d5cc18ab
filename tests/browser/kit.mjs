// What every suite in a real browser needs: a server that can be killed, a browser, waiting for what must come, and a
// report of one line a check: "ok NAME" or "not ok NAME: why".
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const PATIENCE = Number(process.env.LIVE_PATIENCE ?? 20_000);

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.LIVE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

// A program that says where it listens; started again, it listens there too. `args` is told the address; `env` is all that
// it has of the environment, where it is given.
export class Server {
  constructor(program, args, { env = process.env, address = /listening on http:\/\/([\w.:]+)/, ready = address } = {}) {
    Object.assign(this, { program, args, env, said: "", words: { address, ready }, address: "127.0.0.1:0" });
  }

  async start() {
    const { program, env, words } = this;
    const child = spawn(program, this.args(this.address), { stdio: ["ignore", "pipe", "pipe"], env });
    this.child = child;
    await new Promise((done, failed) => {
      const listen = (stream) => createInterface({ input: stream }).on("line", (line) => {
        this.said = (this.said + line + "\n").slice(-20_000);
        this.address = line.match(words.address)?.[1] ?? this.address;
        if (words.ready.test(line)) done();
      });
      listen(child.stdout);
      listen(child.stderr);
      child.once("exit", (code) => failed(new Error(`the server ended with ${code}:\n${this.said}`)));
    });
    this.url = `http://${this.address}`;
  }

  async kill(signal = "SIGKILL") {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const dead = new Promise((done) => this.child.once("exit", done));
    this.child.kill(signal);
    await dead;
  }
}

// A page whose console and errors are kept in `problems`.
export async function watched(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (line) => line.type() === "error" && page.problems.push(line.text()));
  return page;
}

export const connected = (page) => page.waitForSelector("[data-phx-main].phx-connected", { state: "attached" });
export const texts = (page, selector) =>
  page.$$eval(selector, (found) => found.map((one) => one.textContent.replace(/\s+/g, " ").trim()));
export const gone = (page, selector) => page.waitForSelector(selector, { state: "detached" });

// Reads until it finds what is wanted: a value, or what a function says yes to.
export async function eventually(what, read, wanted) {
  const good = typeof wanted === "function" ? wanted : (found) => JSON.stringify(found) === JSON.stringify(wanted);
  const until = Date.now() + PATIENCE;
  for (;;) {
    const found = await read();
    if (good(found)) return found;
    if (Date.now() > until) assert.fail(`${what} is ${JSON.stringify(found)}, wanted ${wanted}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

// A value in the page that only a page load takes away.
export const mark = (page) => page.evaluate(() => { window.marked = true; });
export const marked = (page) => page.evaluate(() => window.marked === true);

// Runs checks in their order, and says what became of each. ONLY=words picks some.
export async function report(checks) {
  const only = process.env.ONLY;
  let failed = 0;
  for (const [name, check] of checks) {
    if (only && !name.includes(only)) continue;
    const begun = Date.now();
    try {
      await check();
      console.log(`ok ${name} (${Date.now() - begun} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${name}: ${error.stack}`);
    }
  }
  return failed;
}
