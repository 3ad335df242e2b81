// A page in light and dark, wide and narrow: axe finds nothing, nothing is cut off, and a screenshot is taken.
import { mkdirSync } from "node:fs";
import { open, violations } from "./browser.mjs";

const folder = new URL("../../../target/screenshots/", import.meta.url).pathname;
const SIZES = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

mkdirSync(folder, { recursive: true });

/** What is wrong with one page in any of its four looks; it is loaded anew for each. */
export async function looked(browser, name, url, options = {}) {
  const found = [];
  const { page, problems } = await open(browser, url, options);
  for (const viewport of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const look = `${name}-${viewport.width}-${colorScheme}`;
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      problems.length = 0;
      await page.reload();
      await settled(page);
      await page.screenshot({ path: `${folder}${look}.png`, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${look}: ${wide} px wider than the screen`);
      found.push(...(await violations(page)).map((text) => `${look}: ${text}`));
      // The answer to a page that does not exist is an error to the browser, too.
      found.push(...problems.filter((text) => !/status of 404/.test(text)).map((text) => `${look}: ${text}`));
    }
  }
  await page.context().close();
  return found;
}

/** Waits until the page has its data and its charts have been drawn: three animation frames after the network is quiet. */
async function settled(page) {
  await page.waitForLoadState("load");
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true], .skeleton"));
  await page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  });
}
