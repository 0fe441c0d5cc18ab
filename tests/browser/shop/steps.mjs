// What buyers do, in their own words.
import { connected, eventually, texts } from "../kit.mjs";

export const ADDRESS = { "#order_email": "buyer@example.com", "#order_country": "GB" };

// Puts pieces of a product into the cart on its page.
export async function add(shop, page, sku, pieces = 1) {
  await shop.visit(page, `/products/${sku}`);
  await page.fill("#buy input[type=number]", String(pieces));
  const before = await count(page);
  await page.click("#buy button[type=submit]");
  await eventually("the count", () => count(page), before + pieces);
}

// Pieces in the cart, as the menu says.
export const count = async (page) => Number.parseInt((await texts(page, ".top .count"))[0] ?? "0", 10);

export async function fill(page, fields = ADDRESS) {
  for (const [field, value] of Object.entries(fields)) await page.fill(field, value);
}

// Orders what is in the cart, and is then on the order's page.
export async function order(shop, page) {
  await shop.visit(page, "/checkout");
  await fill(page);
  await page.click("#checkout button[type=submit]");
  await page.waitForURL(/\/orders\/[^/]+$/);
  await connected(page);
}
