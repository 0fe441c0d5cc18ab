// Looks at a page in every way that a visitor may: phone and desktop, light and dark. Keeps pictures, and says what is
// wrong: errors in the console, what does not fit on a phone, what axe-core finds.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { connected, watched } from "../kit.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};
const SCHEMES = ["light", "dark"];
// Pictures are of a page at rest.
const STILL = { animations: "disabled", caret: "hide" };

export class Looker {
  constructor(shop, folder) {
    Object.assign(this, { shop, folder, pages: {} });
  }

  // One tab a person, size and scheme, used for one page after another.
  async tab(who, size, scheme) {
    const key = `${who} ${size} ${scheme}`;
    this.pages[key] ??= await watched(await this.shop.context(who, {
      ...SIZES[size], colorScheme: scheme, reducedMotion: "reduce", timezoneId: "Europe/London", locale: "en-GB",
    }));
    return this.pages[key];
  }

  async look({ name, path, who = "guest", live = true, status = 200, long = false, before = async () => {} }) {
    for (const size of Object.keys(SIZES)) {
      for (const scheme of SCHEMES) {
        const page = await this.tab(who, size, scheme);
        page.problems.length = 0;
        const answer = await page.goto(this.shop.server.url + (typeof path === "function" ? await path(page) : path));
        assert.equal(answer.status(), status, `${name}: status`);
        if (live) await connected(page);
        await before(page);
        await picture(page, { path: join(this.folder, `${name}-${size}-${scheme}.png`), fullPage: !long, ...STILL });
        const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
        assert.ok(wide <= room, `${name}, ${size}: ${wide} px wide, and there are ${room}`);
        // A long document is read through once.
        if (!long || (size === "phone" && scheme === "light")) assert.deepEqual(await unfit(page), [], `${name}, ${size}, ${scheme}: what axe-core finds`);
        // A page that is an error is one in the console too.
        if (status === 200) assert.deepEqual(page.problems, [], `${name}, ${size}, ${scheme}: the console`);
      }
    }
  }
}

// A busy Chromium now and then has no frame to show. The picture is for people and checks nothing: it is taken again.
async function picture(page, options) {
  for (let left = 4; ; left -= 1) {
    try {
      return await page.screenshot(options);
    } catch (error) {
      if (left === 0 || !error.message.includes("Unable to capture screenshot")) throw error;
    }
  }
}

// What axe-core finds serious: rule, and where.
async function unfit(page) {
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, help, nodes }) =>
      ({ id, impact, help, where: nodes.map((node) => node.target.join(" ")).slice(0, 3) }));
  });
  return found.filter(({ impact }) => impact === "serious" || impact === "critical");
}
