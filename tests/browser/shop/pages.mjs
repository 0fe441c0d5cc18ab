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
    { name: "office-products", path: "/office/products", who: "staff" },
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
