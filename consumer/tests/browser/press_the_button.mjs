// The button is pressed in one tab; the dashboard in another tab shows every task, without a reload and after one.
import { deepEqual } from "node:assert/strict";
import { consumer, open, play, producer } from "./browser.mjs";
import { showsExactly } from "./dashboard.mjs";

await play(async (browser) => {
  const dashboard = await open(browser, consumer);
  const produce = await open(browser, producer);
  const summary = produce.page.locator("details:has([name=count]) > summary");
  if (!(await produce.page.locator("[name=count]").isVisible())) await summary.click();
  await produce.page.fill("[name=count]", "200");
  await produce.page.fill("[name=wait]", "0");
  await produce.page.getByRole("button", { name: "Produce Tasks" }).click();
  await produce.page.getByText(/200 delivered/).first().waitFor();
  await produce.page.getByText(/\d+ out of 200/).first().waitFor();

  await showsExactly(dashboard.page, 200);
  await dashboard.page.reload();
  await showsExactly(dashboard.page, 200);
  deepEqual([...dashboard.problems, ...produce.problems], []);
});
