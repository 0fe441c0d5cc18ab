// The lab labs_orders_web in two tabs of a real browser.
// node desk.mjs PROGRAM
import assert from "node:assert/strict";
import { Server, connected, eventually, launch, report, texts, watched } from "./kit.mjs";

const server = new Server(process.argv[2], (address) => [address]);
await server.start();
const browser = await launch();
// Two people: contexts share nothing, so each has a name of its own.
const [ada, grace] = [await browser.newContext(), await browser.newContext()];
const tabs = [await watched(ada), await watched(grace)];
for (const tab of tabs) {
  await tab.goto(server.url);
  await connected(tab);
}
const [one, two] = tabs;
const rows = (page) => texts(page, "#orders tr");

const failed = await report(Object.entries({
  "an order that one places is in both tabs": async () => {
    await one.fill("#order_customer", "Ada");
    await one.fill("#order_item", "Tea");
    await one.fill("#order_pieces", "3");
    await one.click("#order button");
    for (const tab of tabs) await eventually("the list", () => rows(tab), ["1AdaTea3placedPack"]);
    await eventually("the field", () => one.inputValue("#order_customer"), "");
  },
  "errors stand beside the field as one types": async () => {
    await two.fill("#order_pieces", "200");
    await eventually("the error", () => texts(two, "#order_pieces_errors li"), ["must be a number from 1 to 99"]);
    assert.deepEqual(await texts(two, "#order_item_errors li"), []);
  },
  "a step that one takes moves the row of the other": async () => {
    await two.click("text=Pack");
    for (const tab of tabs) await eventually("the list", () => rows(tab), ["1AdaTea3packedShip"]);
  },
  "both are here, and one who leaves is gone": async () => {
    const here = async (page) => (await texts(page, "#here"))[0].split(" ")[0];
    for (const tab of tabs) await eventually("who is here", () => here(tab), "2");
    const third = await watched(grace);
    await third.goto(server.url);
    await connected(third);
    // A second tab of the same person: two people still, and one of them with two metas.
    const metas = () => one.evaluate(() => Object.values(window.present.state).map((at) => at.metas.length).sort());
    await eventually("the metas", metas, [1, 2]);
    assert.equal(await here(one), "2");
    await grace.close();
    await eventually("who is here", () => here(one), "1");
  },
  "the console is silent": async () => {
    for (const tab of tabs) assert.deepEqual(tab.problems, []);
  },
}));
await browser.close();
await server.kill();
process.exit(failed === 0 ? 0 : 1);
