// The button works at once, with no field touched, and the page says a line per task.
import { deepEqual } from "node:assert/strict";
import { open, play, producer } from "./browser.mjs";

await play(async (browser) => {
  const { page, problems } = await open(browser, producer);
  await page.getByRole("button", { name: "Produce Tasks" }).click();
  await page.getByText(/1 out of \d+/).first().waitFor();
  deepEqual(problems, []);
});
