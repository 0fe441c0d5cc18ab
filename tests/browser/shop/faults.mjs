// What goes wrong on the way: a server that dies, secrets that change, proofs that are bad, clients that are slow.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { join } from "node:path";
import { connected, eventually, mark, marked, texts, watched } from "../kit.mjs";
import { ADDRESS, add, count, fill } from "./steps.mjs";

// Documents that a page loads from now on.
const loads = (page) => {
  const seen = { count: 0 };
  page.on("request", (request) => { seen.count += request.isNavigationRequest() ? 1 : 0; });
  return seen;
};
const again = async (page) => {
  await page.waitForFunction(() => window.liveSocket?.isConnected());
  await connected(page);
};

export function faults(shop, goods) {
  const next = () => goods.pop().sku;
  const restart = async (page) => {
    await shop.server.kill();
    await page.waitForSelector("[data-phx-main].phx-client-error", { state: "attached" });
    await shop.server.start();
    await again(page);
  };
  const secrets = () => join(shop.folder, "secrets");
  const secret = () => randomBytes(32).toString("hex");
  return {
    "kill -9 in mid-form: the form comes back, and its order is placed once": async () => {
      const page = await shop.page("/");
      const sku = next();
      await shop.stock(sku, 10);
      await add(shop, page, sku, 2);
      await shop.visit(page, "/checkout");
      await mark(page);
      await fill(page);
      const key = await page.inputValue("input[name='order[key]']");
      await page.focus("#order_country");
      await restart(page);
      await eventually("the e-mail", () => page.inputValue("#order_email"), ADDRESS["#order_email"]);
      assert.equal(await page.inputValue("input[name='order[key]']"), key, "the order's key is the one that was drawn");
      assert.ok(await marked(page), "the page was loaded again");
      await page.click("#checkout button[type=submit]");
      await page.waitForURL(/\/orders\/[^/]+$/);
      assert.ok(page.url().endsWith(key));
      assert.equal((await shop.api("GET", `/products/${sku}`)).stock, 8);
      await page.context().close();
    },
    "the page says that the connection is gone, and that it is back": async () => {
      const page = await shop.page("/");
      assert.ok(!await page.isVisible(".offline"));
      await shop.server.kill();
      await page.waitForSelector(".offline", { state: "visible" });
      await shop.server.start();
      await again(page);
      await page.waitForSelector(".offline", { state: "hidden" });
      await page.locator("#products button:enabled").first().click();
      await eventually("the count", () => count(page), 1);
      await page.context().close();
    },
    "a new secret on top of the old one keeps open pages": async () => {
      const page = await shop.page("/");
      await mark(page);
      writeFileSync(secrets(), `${secret()}\n${readFileSync(secrets(), "utf8")}`);
      await restart(page);
      assert.ok(await marked(page), "the page was loaded again");
      await page.locator("#products button:enabled").first().click();
      await eventually("the count", () => count(page), 1);
      await page.context().close();
    },
    "a secret that is gone: open pages are stale, and load once": async () => {
      const page = await shop.page("/");
      const seen = loads(page);
      await mark(page);
      writeFileSync(secrets(), `${secret()}\n`);
      await shop.server.kill();
      await shop.server.start();
      await eventually("the mark", () => marked(page).catch(() => true), false);
      await again(page);
      await page.locator("#products button:enabled").first().click();
      await eventually("the count", () => count(page), 1);
      assert.equal(seen.count, 1);
      await page.context().close();
    },
    "a bad proof: the page loads once more, and no loop": async () => {
      const page = await watched(await shop.context());
      const seen = loads(page);
      // The first document's proof is spoilt as soon as it is there; the next one's is not.
      await page.addInitScript(() => {
        if (sessionStorage.getItem("spoilt")) return;
        sessionStorage.setItem("spoilt", "yes");
        new MutationObserver((_, observer) => {
          const proof = document.querySelector("meta[name=csrf-token]");
          if (!proof) return;
          observer.disconnect();
          proof.content = "forged";
        }).observe(document, { childList: true, subtree: true });
      });
      await page.goto(shop.server.url);
      await eventually("loads", () => seen.count, 2);
      await again(page);
      await page.locator("#products button:enabled").first().click();
      await eventually("the count", () => count(page), 1);
      assert.equal(seen.count, 2);
      await page.context().close();
    },
    "over a slow line: a second click on what is under way does nothing, all others count": async () => {
      const page = await shop.page("/");
      await page.evaluate(() => window.liveSocket.enableLatencySim(300));
      const buttons = page.locator("#products button:enabled");
      await buttons.nth(0).click();
      await page.waitForSelector("#products button.phx-click-loading");
      await buttons.nth(0).click();
      await buttons.nth(1).click();
      await eventually("clicks under way", () => page.locator(".phx-click-loading").count(), 0);
      await eventually("the count", () => count(page), 2);
      await page.evaluate(() => window.liveSocket.disableLatencySim());
      await page.context().close();
    },
    "a client that never reads: others are told at once": async () => {
      const sku = next();
      const page = await shop.page(`/products/${sku}`);
      const deaf = await joined(shop, `/products/${sku}`);
      deaf.pause();
      for (let left = 300; left >= 100; left -= 1) await shop.stock(sku, left);
      await shop.stock(sku, 3);
      await eventually("the stock", () => texts(page, "article > .columns .tag"), (tags) => tags.some((tag) => tag.includes("3")));
      deaf.destroy();
      await page.context().close();
    },
  };
}

// A program that has joined a page as a browser does, over a connection of its own.
async function joined(shop, path) {
  const answer = await fetch(shop.server.url + path);
  const html = await answer.text();
  const cookie = answer.headers.getSetCookie().map((set) => set.split(";")[0]).join("; ");
  const pick = (pattern) => html.match(pattern)[1];
  const [id, session, fixed, csrf] = [
    /<div id="(phx-[^"]+)"/, /data-phx-session="([^"]+)"/, /data-phx-static="([^"]+)"/, /csrf-token" content="([^"]+)"/,
  ].map(pick);
  const [host, port] = shop.server.address.split(":");
  const socket = connect(Number(port), host);
  const hello = [
    `GET /live/websocket?_csrf_token=${encodeURIComponent(csrf)}&vsn=2.0.0 HTTP/1.1`, `Host: ${shop.server.address}`,
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`, `Origin: ${shop.server.url}`, `Cookie: ${cookie}`, "", "",
  ];
  socket.write(hello.join("\r\n"));
  let got = "";
  socket.on("data", (data) => { got += data.toString("latin1"); });
  await eventually("the upgrade", () => got, (text) => text.startsWith("HTTP/1.1 101"));
  const params = { _csrf_token: csrf, _mounts: 0, _mount_attempts: 0 };
  const join = { url: shop.server.url + path, params, session, static: fixed };
  socket.write(frame(JSON.stringify(["1", "1", `lv:${id}`, "phx_join", join])));
  await eventually("the join", () => got, (text) => text.includes("\"rendered\""));
  return socket;
}

// One text message as a client sends it: masked, here by zeros.
function frame(text) {
  const body = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, body]);
}
