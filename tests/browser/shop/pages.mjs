// Every page, as everybody who may see it sees it.
import { add, fill, order } from "./steps.mjs";

export async function pages(shop, looker) {
  const goods = await shop.products();
  const [tea, cup] = goods.map((product) => product.sku);
  // An order, to be looked at.
  const guest = await shop.page("/");
  await add(shop, guest, tea, 2);
  await order(shop, guest);
  const placed = new URL(guest.url()).pathname;
  const number = (await guest.textContent("h1")).match(/\d+/)[0];
  await guest.context().close();
  await wantsBack(shop, cup);
  await shop.api("PUT", "/admin/promotions/FOUR", { rule: { kind: "buy_n_get_m", sku: tea, buy: 3, free: 1 } });
  await shop.api("PUT", "/admin/promotions/OLD", {
    rule: { kind: "percentage", percent: 5 }, starts_at: "2020-01-01T00:00:00Z", ends_at: "2020-02-01T00:00:00Z",
  });
  // Somebody who is told, with a message that was tried.
  const { webhook: { id: endpoint } } = await shop.api("POST", "/admin/webhooks", {
    url: "https://hooks.invalid/pulse/orders", events: ["order.placed", "order.paid", "order.shipped", "stock.low"],
    description: "The warehouse",
  });
  await shop.api("POST", `/admin/webhooks/${endpoint}/test`);
  const webhook = `/office/webhooks/${endpoint}`;
  // A feed with dirt, to be looked at.
  const dirt = `sku,delta\n${tea},5\n${cup},many\nNOSUCH9,1\n${tea},-999999\n`;
  await shop.feed("stock", "acme", dirt);
  await shop.feed("prices", "northern-supplies", "sku,prise\n");
  const cart = async (page) => { await add(shop, page, cup, 2); };
  const shown = [
    { name: "catalogue", path: "/" },
    { name: "catalogue-nothing-found", path: "/?q=no+such+thing" },
    { name: "product", path: `/products/${tea}` },
    { name: "cart-empty", path: "/cart" },
    { name: "cart", path: async (page) => { await cart(page); return "/cart"; } },
    { name: "checkout", path: "/checkout" },
    {
      name: "checkout-refused", path: "/checkout",
      before: async (page) => {
        await fill(page, { "#order_email": "not an address", "#order_country": "GB" });
        await page.waitForSelector("#order_email_error");
      },
    },
    { name: "order-placed", path: placed },
    { name: "login", path: "/login" },
    { name: "register", path: "/register" },
    {
      name: "register-refused", path: "/register",
      before: async (page) => {
        await page.fill("#account_email", "ada");
        await page.fill("#account_password", "short");
        await page.waitForSelector("#account_password_error");
      },
    },
    { name: "password-forgot", path: "/password/forgot" },
    { name: "password-reset", path: "/password/reset?token=no-such" },
    { name: "account", path: "/account", who: "buyer" },
    { name: "account-orders", path: "/account/orders", who: "buyer" },
    {
      name: "account-order", who: "buyer",
      path: async (page) => { await cart(page); await order(shop, page); return new URL(page.url()).pathname; },
    },
    { name: "account-returns", path: "/account/returns", who: "buyer" },
    { name: "office", path: "/office", who: "staff" },
    { name: "office-orders", path: "/office/orders", who: "staff" },
    { name: "office-order", path: `/office/orders/${number}`, who: "staff" },
    { name: "office-returns", path: "/office/returns", who: "staff" },
    {
      name: "office-returns-declining", path: "/office/returns", who: "staff",
      before: async (page) => {
        await page.click("#returns [phx-click=decline]");
        await page.waitForSelector("#answer_text");
      },
    },
    { name: "office-products", path: "/office/products", who: "staff" },
    { name: "office-promotions", path: "/office/promotions", who: "staff" },
    { name: "office-promotion", path: "/office/promotions/FOUR", who: "staff" },
    {
      name: "office-promotion-refused", path: "/office/new-promotion", who: "staff",
      before: async (page) => {
        await page.fill("#promotion_code", "two words");
        await page.fill("#promotion_percent", "101");
        await page.click("#promotion button[type=submit]");
        // The first field that is wrong has the focus.
        await page.waitForFunction(() => document.activeElement.id === "promotion_code");
        await page.evaluate(() => window.scrollTo(0, 0));
      },
    },
    { name: "office-jobs", path: "/office/jobs", who: "staff" },
    {
      name: "office-job", who: "staff",
      path: async (page) => {
        await page.goto(`${shop.server.url}/office/jobs`);
        return page.getAttribute("#jobs td:first-child a", "href");
      },
    },
    { name: "office-queues", path: "/office/queues", who: "staff" },
    {
      name: "office-webhooks", path: "/office/webhooks", who: "staff",
      before: async (page) => {
        await page.fill("#webhook_url", "ftp://example.com");
        await page.click("#new-webhook button[type=submit]");
        await page.waitForSelector("#webhook_url_error");
        await page.evaluate(() => window.scrollTo(0, 0));
      },
    },
    {
      name: "office-webhook", path: webhook, who: "staff",
      before: async (page) => {
        await page.click("#deliveries [phx-click=open]");
        await page.waitForSelector("#attempts li");
      },
    },
    { name: "reminders-stop", path: "/reminders/stop?token=no-such" },
    { name: "office-feeds", path: "/office/feeds", who: "staff" },
    { name: "office-letters", path: "/office/letters", who: "staff" },
    { name: "office-letter", path: "/office/letters/1", who: "staff" },
    { name: "office-imports", path: "/office/imports", who: "staff" },
    {
      name: "office-audit", path: "/office/audit", who: "staff",
      before: async (page) => {
        await page.click("[phx-click=verify]");
        await page.waitForSelector("#chain .tag.good");
      },
    },
    { name: "forbidden", path: "/office", who: "buyer", live: false, status: 403 },
    { name: "not-found", path: "/products/NOSUCH9", live: false, status: 404 },
    { name: "nowhere", path: "/no/such/page", live: false, status: 404 },
    { name: "api-docs", path: "/api/docs", live: false, long: true },
  ];
  return Object.fromEntries(shown.map((page) => [`the page ${page.name}`, () => looker.look(page)]));
}

// A buyer's order that has arrived, and that the buyer wants to give back.
async function wantsBack(shop, sku) {
  const page = await shop.page("/", await shop.context("buyer"));
  await add(shop, page, sku, 2);
  await order(shop, page);
  const id = (await page.textContent("h1")).match(/\d+/)[0];
  await page.waitForFunction(() => document.querySelector("main .tag").textContent.includes("Paid"));
  for (const step of ["pack", "ship"]) await shop.api("POST", `/admin/orders/${id}/steps`, { step });
  await page.fill("#return_line_1", "1");
  await page.fill("#return_reason", "The handle came off when I washed it.");
  await page.click("#return button[type=submit]");
  await page.waitForSelector("#return", { state: "detached" });
  await page.context().close();
}
