// Buying, by people in several tabs and browsers, and without a script.
import assert from "node:assert/strict";
import { connected, eventually, gone, mark, marked, texts } from "../kit.mjs";
import { ADDRESS, add, count, fill, order } from "./steps.mjs";

const life = async (page) => (await texts(page, ".life .now"))[0] ?? "";
const money = (page) => texts(page, ".sums .total dd").then((found) => found[0]);

export function buying(shop, goods) {
  // Each check has products of its own.
  const next = () => goods.pop().sku;
  return {
    "without a script: the catalogue, its next page and its search": async () => {
      const context = await shop.context("guest", { javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(shop.server.url);
      const first = await texts(page, "#products h3");
      assert.equal(first.length, 24);
      await page.click("noscript a");
      const second = await texts(page, "#products h3");
      assert.ok(second.length > 0 && !second.includes(first[0]), "the next page has other products");
      await page.fill("#find", first[3]);
      await page.click(".search button");
      assert.ok((await texts(page, "#products h3")).includes(first[3]));
      await context.close();
    },
    "without a script: a product goes into the cart": async () => {
      const context = await shop.context("guest", { javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(`${shop.server.url}/products/${next()}`);
      await page.fill("#buy input[type=number]", "3");
      await page.click("#buy button[type=submit]");
      assert.equal(await count(page), 3);
      await context.close();
    },
    "without a script: signing in, and what is wrong is said": async () => {
      const context = await shop.context("guest", { javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(`${shop.server.url}/login`);
      await page.fill("#account_email", "ada@example.com");
      await page.fill("#account_password", "not my password");
      await page.click("#login button[type=submit]");
      assert.match((await texts(page, ".message")).join(), /password/i);
      assert.equal(await page.inputValue("#account_email"), "ada@example.com");
      await page.fill("#account_password", "correct horse battery staple");
      await page.click("#login button[type=submit]");
      await page.waitForURL("**/account**");
      await context.close();
    },
    "search, shelves and order change the address, and back undoes them": async () => {
      const page = await shop.page("/");
      await mark(page);
      await page.selectOption("#sort", "price_desc");
      await page.waitForURL(/sort=price_desc/);
      await page.click(".menu li:nth-child(2) a");
      await page.waitForURL(/shelf=/);
      await page.goBack();
      await eventually("the order", () => page.inputValue("#sort"), "price_desc");
      assert.ok(await marked(page), "the page was loaded again");
      await page.context().close();
    },
    "the catalogue goes on as one scrolls": async () => {
      const page = await shop.page("/");
      await page.locator("#products li").last().scrollIntoViewIfNeeded();
      await eventually("products", () => page.locator("#products li").count(), (n) => n > 24);
      await page.context().close();
    },
    "from the catalogue to an order that is paid, without a page load": async () => {
      const page = await shop.page("/");
      await mark(page);
      await page.locator("#products button:enabled").first().click();
      await eventually("the count", () => count(page), 1);
      await page.click(".top nav a[href='/cart']");
      await page.click("a[href='/checkout']");
      await page.waitForSelector("#checkout");
      await fill(page);
      await page.click("#checkout button[type=submit]");
      await page.waitForURL(/\/orders\/[^/]+$/);
      await eventually("the order's life", () => life(page), (now) => now.startsWith("Paid"));
      assert.ok(await marked(page), "the page was loaded again");
      assert.equal(await count(page), 0);
      await page.context().close();
    },
    "a field of the checkout is judged as one types, and nothing typed is lost": async () => {
      const page = await shop.page("/");
      await add(shop, page, next());
      await shop.visit(page, "/checkout");
      await page.fill("#order_country", "GB");
      await page.fill("#order_email", "not an address");
      await page.waitForSelector("#order_email[aria-invalid=true]");
      await page.waitForSelector("#order_email_error");
      assert.equal(await page.inputValue("#order_country"), "GB");
      await page.fill("#order_email", ADDRESS["#order_email"]);
      await gone(page, "#order_email_error");
      await page.context().close();
    },
    "two tabs agree on the cart": async () => {
      const context = await shop.context();
      const one = await shop.page("/", context);
      await add(shop, one, next(), 2);
      const two = await shop.page("/cart", context);
      await shop.visit(one, "/cart");
      const before = await money(one);
      await two.click(".steps button:has-text('more')");
      for (const tab of [one, two]) {
        await eventually("the count", () => count(tab), 3);
        await eventually("the total", () => money(tab), (total) => total !== before);
      }
      assert.equal(await money(one), await money(two));
      await one.click(".steps button:has-text('Remove')");
      for (const tab of [one, two]) await eventually("the title", () => texts(tab, "main .btn"), ["Look around"]);
      await context.close();
    },
    "a change of price and stock is on every open page at once": async () => {
      const context = await shop.context();
      const sku = next();
      const buyer = await shop.page("/", context);
      await add(shop, buyer, sku);
      await shop.visit(buyer, "/cart");
      const product = await shop.page(`/products/${sku}`, context);
      const { name } = await shop.api("GET", `/products/${sku}`);
      const list = await shop.page(`/?q=${encodeURIComponent(name)}`, context);
      for (const tab of [buyer, product, list]) await mark(tab);
      await shop.edit(sku, { price: { pence: 98_765 } });
      await eventually("the product's price", () => texts(product, "article > .columns .price"), ["£987.65"]);
      await eventually("the list's price", () => texts(list, `#product-${sku} .price`), ["£987.65"]);
      await eventually("the cart", () => texts(buyer, ".line .what"), (lines) => lines[0].includes("£987.65 now"));
      await shop.stock(sku, 2);
      await eventually("the stock", () => texts(product, "article > .columns .tag"), (tags) => tags.some((tag) => tag.includes("2")));
      await shop.stock(sku, 0);
      await product.waitForSelector("#buy button:disabled");
      await list.waitForSelector(`#product-${sku} button:disabled`);
      await buyer.waitForSelector(".line .tag.bad");
      for (const tab of [buyer, product, list]) assert.ok(await marked(tab), "a page was loaded again");
      await context.close();
    },
    "two browsers buy the last piece: one has it, the other is told and keeps what was typed": async () => {
      const sku = next();
      await shop.stock(sku, 1);
      const { name } = await shop.api("GET", `/products/${sku}`);
      const pages = [await shop.page("/"), await shop.page("/")];
      for (const page of pages) {
        await add(shop, page, sku);
        await shop.visit(page, "/checkout");
        await fill(page);
      }
      const outcome = (page) => Promise.race([
        page.waitForURL(/\/orders\/[^/]+$/).then(() => "has it"),
        page.waitForSelector("#content [role=alert] li").then(() => "is told"),
      ]);
      // What loses the race is waited for in vain, and is nobody's failure.
      const outcomes = await Promise.all(pages.map(async (page) => {
        const waits = outcome(page);
        await page.click("#checkout button[type=submit]");
        return waits;
      }));
      assert.deepEqual([...outcomes].sort(), ["has it", "is told"]);
      const loser = pages[outcomes.indexOf("is told")];
      assert.deepEqual(await texts(loser, "#content [role=alert] li"), [`${name}: none left`]);
      assert.equal(await loser.inputValue("#order_email"), ADDRESS["#order_email"]);
      const { stock } = await shop.api("GET", `/products/${sku}`);
      assert.equal(stock, 0);
      for (const page of pages) await page.context().close();
    },
    "an order's page follows its life": async () => {
      const page = await shop.page("/");
      await add(shop, page, next());
      await order(shop, page);
      await eventually("the order's life", () => life(page), (now) => now.startsWith("Paid"));
      const id = (await texts(page, "h1"))[0].match(/\d+/)[0];
      for (const [step, word] of [["pack", "Packed"], ["ship", "On its way"], ["deliver", "Delivered"]]) {
        await shop.api("POST", `/admin/orders/${id}/steps`, { step });
        await eventually("the order's life", () => life(page), (now) => now.startsWith(word));
      }
      await page.context().close();
    },
    "by keyboard alone, into the cart": async () => {
      const page = await shop.page("/");
      await page.keyboard.press("Tab");
      await eventually("the focus", () => page.evaluate(() => document.activeElement.className), "skip");
      await page.keyboard.press("Enter");
      await eventually("the focus", () => page.evaluate(() => document.activeElement.id), "content");
      const focused = () => page.evaluate(() => document.activeElement.getAttribute("phx-click"));
      for (let n = 0; n < 60 && await focused() !== "add"; n += 1) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await eventually("the count", () => count(page), 1);
      await page.context().close();
    },
    "signing in takes the cart along": async () => {
      const context = await shop.context();
      const page = await shop.page("/", context);
      await add(shop, page, next(), 2);
      await shop.visit(page, "/login?next=/cart");
      await page.fill("#account_email", "ada@example.com");
      await page.fill("#account_password", "correct horse battery staple");
      await Promise.all([page.waitForURL("**/cart"), page.click("#login button[type=submit]")]);
      await connected(page);
      await eventually("the count", () => count(page), (n) => n >= 2);
      await context.close();
    },
  };
}
