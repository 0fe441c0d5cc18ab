// The product in a folder of its own: filled with goods, people with accounts, a program's token to change things from
// outside the pages.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { Server, connected, launch, watched } from "../kit.mjs";

export const PEOPLE = {
  buyer: { email: "ada@example.com", role: "buyer" },
  staff: { email: "grace@example.com", role: "admin" },
};
export const PASSWORD = "correct horse battery staple";
const PRODUCTS = 60;
// Rows of old books that can't be used: for the office to look at.
const BOOKS = `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536370,POST,POSTAGE,3,2010-12-01 08:45:00,18.0,12583,France
536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom
536540,C2,CARRIAGE,1,2010-12-01 14:05:00,50.0,14911,EIRE
`;

export class Shop {
  static async open(program) {
    const shop = new Shop();
    shop.folder = mkdtempSync(join(tmpdir(), "pulse-browser-"));
    // Nothing of the tester's environment that could be a setting.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("PULSE_") && name !== "DATABASE_URL"));
    const set = (pairs) => Object.entries(pairs).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const run = (args, input = "") =>
      execFileSync(program, [...set({ data_dir: shop.folder }), ...args], { input, env, stdio: ["pipe", "ignore", "inherit"] });
    run(["demo", "--products", String(PRODUCTS)]);
    const books = join(shop.folder, "december.csv");
    writeFileSync(books, BOOKS);
    run(["replay", books]);
    for (const { email, role } of Object.values(PEOPLE)) {
      run(["user", "add", email, "--role", role, "--password-stdin"], PASSWORD);
    }
    const args = (address) => [
      ...set({
        data_dir: shop.folder, "server.listen": address, "server.ops_listen": "127.0.0.1:0",
        "server.requests_per_second": 100_000,
      }),
      "serve",
    ];
    const words = { env, address: /^shop\s+http:\/\/([\w.:]+)/, ready: /^open / };
    shop.server = new Server(program, args, words);
    await shop.server.start();
    shop.browser = await launch();
    shop.token = await token(shop.server.url, PEOPLE.staff.email);
    shop.states = {};
    return shop;
  }

  async close() {
    await this.browser?.close();
    await this.server.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // A browser of its own for a guest, or for somebody who has signed in, by the form and once.
  async context(who = "guest", options = {}) {
    if (who !== "guest" && !this.states[who]) {
      const first = await this.browser.newContext();
      const page = await watched(first);
      await page.goto(`${this.server.url}/login`);
      await connected(page);
      await page.fill("#account_email", PEOPLE[who].email);
      await page.fill("#account_password", PASSWORD);
      await Promise.all([page.waitForURL("**/account**"), page.click("#login button[type=submit]")]);
      // The welcome is read here, and on no page that is looked at.
      await this.visit(page, "/");
      this.states[who] = await first.storageState();
      await first.close();
    }
    return this.browser.newContext({ storageState: this.states[who], ...options });
  }

  // An open, connected page.
  async page(path, context) {
    const page = await watched(context ?? await this.context());
    await this.visit(page, path);
    return page;
  }

  async visit(page, path) {
    await page.goto(this.server.url + path);
    await connected(page);
  }

  // Asks the API as a manager's program.
  async api(method, path, body, headers = {}) {
    const answer = await fetch(`${this.server.url}/api/v1${path}`, {
      method, body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json", ...headers },
    });
    const told = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${told}`);
    return { etag: answer.headers.get("etag"), ...(told && JSON.parse(told)) };
  }

  // Posts rows as a supplier would, and waits until they are dealt with.
  async feed(kind, source, rows) {
    const headers = { authorization: `Bearer ${this.token}` };
    const posted = await fetch(`${this.server.url}/api/v1/feeds/${kind}?source=${source}`, {
      method: "POST", body: rows, headers: { ...headers, "content-type": "text/csv" },
    });
    assert.equal(posted.status, 202, await posted.clone().text());
    const place = this.server.url + posted.headers.get("location");
    for (;;) {
      const feed = await (await fetch(place, { headers })).json();
      if (feed.state === "done" || feed.state === "refused") return feed;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  // Products with stock, in the order of their names. Each check takes another, so that none disturbs another.
  async products() {
    const { items } = await this.api("GET", `/products?limit=${PRODUCTS}&in_stock=true&sort=name`);
    return items;
  }

  stock(sku, stock) {
    return this.api("PUT", `/admin/products/${sku}/stock`, { stock });
  }

  async edit(sku, changes) {
    const { etag } = await this.api("GET", `/admin/products/${sku}`);
    return this.api("PATCH", `/admin/products/${sku}`, changes, { "if-match": etag });
  }
}

// A token of the API for somebody, who signs in for it.
async function token(url, email) {
  const json = { "content-type": "application/json" };
  const session = await fetch(`${url}/api/v1/session`, {
    method: "POST", headers: json, body: JSON.stringify({ email, password: PASSWORD }),
  });
  assert.ok(session.ok, `signing in: ${session.status} ${await session.clone().text()}`);
  const cookie = session.headers.getSetCookie().map((set) => set.split(";")[0]).join("; ");
  const { csrf_token } = await session.json();
  const made = await fetch(`${url}/api/v1/account/tokens`, {
    method: "POST", headers: { ...json, cookie, "x-csrf-token": csrf_token }, body: JSON.stringify({ name: "checks" }),
  });
  assert.ok(made.ok, `making a token: ${made.status}`);
  return (await made.json()).secret;
}
