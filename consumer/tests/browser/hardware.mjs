// *Hardware* is chosen and pressed with nothing configured: this machine's readings arrive on the dashboard, with scripts and without.
import { deepEqual, equal, match } from "node:assert/strict";
import { consumer, eventually, json, open, play, producer } from "./browser.mjs";
import { showsExactly } from "./dashboard.mjs";

await play(async (browser) => {
  const dashboard = await open(browser, consumer);
  const { page, problems } = await open(browser, producer);
  await page.getByRole("radio", { name: "Hardware" }).check();
  equal(await page.locator("[name=count]").isVisible(), false);
  await page.getByRole("button", { name: "Send Readings" }).click();
  await page.getByText(/Batch \w+ · \d+ readings?/).first().waitFor();
  await page.getByText(/\d+ out of \d+/).first().waitFor();
  await page.getByText(/memory used/).first().waitFor();
  const first = await ended(page.url());
  equal(first.source, "hardware");
  await showsExactly(dashboard.page, first.delivered);
  await dashboard.page.getByText("memory used").first().waitFor();

  const plain = await open(browser, producer, { javaScriptEnabled: false });
  await plain.page.getByRole("radio", { name: "Hardware" }).check();
  await plain.page.getByRole("button", { name: "Send Readings" }).click();
  match(plain.page.url(), /\/batches\/[^/]+$/);
  const second = await ended(plain.page.url());
  await showsExactly(dashboard.page, first.delivered + second.delivered);
  const { events } = await json(`${consumer}/api/events?source=hardware&limit=1000`);
  equal(events.length, first.delivered + second.delivered);
  deepEqual([...dashboard.problems, ...problems], []);
});

/** The batch of that page when all of it was delivered. */
function ended(url) {
  return eventually("the batch ends", async () => {
    const told = await json(`${producer}/api/batches/${url.split("/").pop()}`);
    return told.state === "done" && told.delivered === told.total && told;
  });
}
