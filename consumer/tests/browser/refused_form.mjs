// What the producer refuses is said beside its field, and what was typed stays: with scripts and without.
import { equal, match } from "node:assert/strict";
import { open, play, producer } from "./browser.mjs";

await play(async (browser) => {
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await open(browser, producer, { javaScriptEnabled });
    await page.locator("details:has([name=count]) > summary").click();
    await page.fill("[name=count]", "many");
    await page.fill("[name=seed]", "7");
    await page.getByRole("button", { name: "Produce Tasks" }).click();
    const field = page.locator("label:has([name=count])");
    match(await field.getByRole("alert").innerText(), /^Write a whole number/);
    equal(await page.locator("[name=count]").getAttribute("aria-invalid"), "true");
    equal(await page.locator("[name=count]").inputValue(), "many");
    equal(await page.locator("[name=seed]").inputValue(), "7");
  }
});
