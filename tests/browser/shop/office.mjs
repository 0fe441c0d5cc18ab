// The back office in a real browser: who is here, orders that are moved on, the trail.
import assert from "node:assert/strict";
import { eventually, gone, mark, marked, texts } from "../kit.mjs";
import { add, order } from "./steps.mjs";

// Answers come a quarter of a second late.
const late = (page) => page.evaluate(() => window.liveSocket.enableLatencySim(250));
const focused = (page, id) => page.waitForFunction((id) => document.activeElement.id === id, id);
const shoppers = async (page) => Number((await texts(page, "#shoppers"))[0]);

export function office(shop, goods) {
  const next = () => goods.pop().sku;
  return {
    "presence: a shopper with two tabs is one, and gone with the last": async () => {
      const desk = await shop.page("/office", await shop.context("staff"));
      // Who closed a page just now may still be counted.
      await eventually("nobody", () => shoppers(desk), 0);
      const ada = await shop.context();
      const [one, two] = [await shop.page("/", ada), await shop.page("/cart", ada)];
      await eventually("shoppers", () => shoppers(desk), 1);
      const grace = await shop.page("/");
      await eventually("shoppers", () => shoppers(desk), 2);
      await one.close();
      await grace.context().close();
      await eventually("shoppers", () => shoppers(desk), 1);
      await two.close();
      await eventually("shoppers", () => shoppers(desk), 0);
      await ada.close();
      await desk.context().close();
    },
    "an order is on the dashboard at once, and each of its steps on its buyer's page": async () => {
      const desk = await shop.page("/office", await shop.context("staff"));
      await mark(desk);
      const orders = async () => Number((await texts(desk, "#orders-hour"))[0]);
      const before = await orders();
      const buyer = await shop.page("/");
      await add(shop, buyer, next());
      await order(shop, buyer);
      const id = (await texts(buyer, "h1"))[0].match(/\d+/)[0];
      await eventually("the newest order", async () => (await texts(desk, "#newest tr td:first-child"))[0], id);
      await eventually("orders in an hour", orders, before + 1);
      assert.ok(await marked(desk), "the page was loaded again");
      const life = (page) => texts(page, ".life .now").then((found) => found[0] ?? "");
      await eventually("the order's life", () => life(buyer), (now) => now.startsWith("Paid"));
      await desk.click(`#newest a[href='/office/orders/${id}']`);
      for (const [step, word] of [["pack", "Packed"], ["ship", "On its way"], ["deliver", "Delivered"]]) {
        await desk.click(`#steps [phx-value-step=${step}]`);
        await eventually("the order's life", () => life(buyer), (now) => now.startsWith(word));
      }
      await buyer.context().close();
      await desk.context().close();
    },
    "a promotion that is made makes the open carts cheaper, and its end dearer again": async () => {
      const [buyer, sku] = [await shop.page("/"), next()];
      await add(shop, buyer, sku, 4);
      await shop.visit(buyer, "/cart");
      await mark(buyer);
      const off = async () => (await texts(buyer, ".sums .off dd"))[0] ?? "";
      assert.equal(await off(), "");
      const desk = await shop.page("/office/new-promotion", await shop.context("staff"));
      await desk.fill("#promotion_code", "QUARTER");
      await desk.fill("#promotion_percent", "25");
      await desk.fill("#promotion_sku", sku);
      await desk.click("#promotion button[type=submit]");
      await desk.waitForURL("**/office/promotions");
      await eventually("what is taken off", off, (now) => now.startsWith("\u2212\u00a3"));
      desk.on("dialog", (dialog) => dialog.accept());
      await desk.click("[phx-click=end][phx-value-code=QUARTER]");
      await eventually("what is taken off", off, "");
      assert.ok(await marked(buyer), "the page was loaded again");
      await buyer.context().close();
      await desk.context().close();
    },
    "a button that is moved away while it is pressed is pressed all the same": async () => {
      const desk = await shop.page("/office/new-promotion", await shop.context("staff"));
      const button = desk.locator("#promotion button[type=submit]");
      await desk.fill("#promotion_code", "two words");
      await desk.waitForSelector("#promotion_code_error");
      await button.hover();
      const { y, height } = await button.boundingBox();
      await desk.mouse.down();
      // What was typed last is answered now.
      await desk.$eval("#promotion_percent", (field) => {
        field.value = "101";
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
      await desk.waitForSelector("#promotion_percent_error");
      assert.ok((await button.boundingBox()).y > y + height / 2, "it has not moved away");
      await desk.mouse.up();
      await focused(desk, "promotion_code");
      await desk.context().close();
    },
    "what is wrong is shown, and the first of it focused, however late the answers come": async () => {
      const desk = await shop.page("/office/new-promotion", await shop.context("staff"));
      // Both changes and the submit are under way at once.
      await late(desk);
      await desk.fill("#promotion_code", "two words");
      await desk.fill("#promotion_percent", "101");
      await desk.press("#promotion_percent", "Enter");
      await focused(desk, "promotion_code");
      await desk.waitForSelector("#promotion_percent[aria-invalid=true]");
      await desk.context().close();
    },
    "the first wrong field is focused also where something is chosen before it is told": async () => {
      const desk = await shop.page("/office/new-promotion", await shop.context("staff"));
      // Nothing wrong is known yet when the answer to the submit comes: what was chosen last keeps the form as it is.
      await late(desk);
      await desk.fill("#promotion_code", "two words");
      await desk.fill("#promotion_percent", "10");
      await desk.press("#promotion_percent", "Enter");
      await desk.selectOption("#promotion_kind", "basket_threshold");
      await desk.waitForSelector("#promotion_off");
      await focused(desk, "promotion_code");
      await desk.context().close();
    },
    "a guest gives an order up on its page": async () => {
      const guest = await shop.page("/");
      await add(shop, guest, next());
      await order(shop, guest);
      guest.on("dialog", (dialog) => dialog.accept());
      await guest.click("[phx-click=cancel]");
      await eventually("the order's state", async () => (await texts(guest, "main h1 + .tag"))[0], "Cancelled");
      await guest.context().close();
    },
    "a queue is paused and served again, and its jobs wait meanwhile": async () => {
      const desk = await shop.page("/office/queues", await shop.context("staff"));
      await desk.click("#queue-payments [phx-click=pause]");
      await eventually("the queue's tag", () => texts(desk, "#queue-payments .tag"), ["Paused"]);
      const buyer = await shop.page("/");
      await add(shop, buyer, next());
      await order(shop, buyer);
      const waits = async () => (await texts(desk, "#queue-payments dd"))[0];
      await eventually("payments that wait", waits, "1");
      await desk.click("#queue-payments [phx-click=resume]");
      await eventually("the order's life", async () => (await texts(buyer, ".life .now"))[0] ?? "", (now) => now.startsWith("Paid"));
      await eventually("payments that wait", waits, "0");
      await buyer.context().close();
      await desk.context().close();
    },
    "a webhook is made, and a test message shows what became of it": async () => {
      const desk = await shop.page("/office/webhooks", await shop.context("staff"));
      await desk.fill("#webhook_url", "http://127.0.0.1:9/hooks");
      await desk.check("input[name='webhook[stock_low]']");
      await desk.click("#new-webhook button[type=submit]");
      await desk.waitForSelector("#secret");
      await desk.click("#endpoints tr:last-child a");
      await desk.waitForSelector("#health");
      await desk.click("[phx-click=test]");
      await desk.click("#deliveries [phx-click=open]");
      // This machine is no public address.
      await eventually("the attempt", async () => (await texts(desk, "#attempts code"))[0] ?? "", (note) => note.includes("not a public one"));
      await desk.context().close();
    },
    "a feed comes in, its dead letter is mended, and the buyer sees the stock": async () => {
      const sku = next();
      const desk = await shop.page("/office/feeds", await shop.context("staff"));
      await mark(desk);
      const buyer = await shop.page(`/products/${sku}`);
      await shop.stock(sku, 3);
      await eventually("few are left", async () => (await texts(buyer, ".tag"))[0], "3 left");
      await shop.feed("stock", "acme", `sku,delta\n${sku},many\n`);
      await eventually("the feed", async () => (await texts(desk, "#feeds .tag"))[0], "Done");
      assert.ok(await marked(desk), "the page was loaded again");
      await desk.click("#reasons a");
      await desk.click("#letters tr td a");
      await desk.waitForSelector("#mend");
      await desk.fill("#letter_text", `${sku},2`);
      await desk.click("#mend button[type=submit]");
      await eventually("the letter", async () => (await texts(desk, "#state .tag"))[0], "Replayed");
      await eventually("the stock", async () => (await texts(buyer, ".tag"))[0], "5 left");
      await buyer.context().close();
      await desk.context().close();
    },
    "the audit trail is verified": async () => {
      const page = await shop.page("/office/audit", await shop.context("staff"));
      await page.click("[phx-click=verify]");
      await eventually("the verdict", async () => (await texts(page, "#chain .tag"))[0], "Whole");
      await page.context().close();
    },
    "who does not work here sees no office": async () => {
      const page = await shop.page("/", await shop.context("buyer"));
      await gone(page, "a[href='/office']");
      assert.equal((await page.goto(`${shop.server.url}/office`)).status(), 403);
      await page.context().close();
    },
  };
}
