// The whole product in a real browser.
// node shop.mjs PROGRAM pages FOLDER : looks at every page, pictures into the folder
// node shop.mjs PROGRAM life         : people buy and things go wrong
// ONLY=words runs the checks whose names have them.
import { mkdirSync } from "node:fs";
import { report } from "./kit.mjs";
import { buying } from "./shop/buying.mjs";
import { faults } from "./shop/faults.mjs";
import { office } from "./shop/office.mjs";
import { Looker } from "./shop/look.mjs";
import { pages } from "./shop/pages.mjs";
import { Shop } from "./shop/stage.mjs";

const [program, suite, folder] = process.argv.slice(2);
const shop = await Shop.open(program);
let failed = 1;
try {
  if (suite === "pages") {
    mkdirSync(folder, { recursive: true });
    failed = await report(Object.entries(await pages(shop, new Looker(shop, folder))));
  } else {
    // From the end, whose products stand on no check's first page.
    const goods = await shop.products();
    const checks = [buying, office, faults].flatMap((some) => Object.entries(some(shop, goods)));
    failed = await report(checks);
  }
} catch (error) {
  console.log(`not ok set-up: ${error.stack}`);
} finally {
  if (failed > 0) console.log(shop.server.said);
  await shop.close();
}
process.exit(failed === 0 ? 0 : 1);
