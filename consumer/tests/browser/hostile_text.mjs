// Text that tries to be a page stays text, on the dashboard, on the event's page and in the list of events.
import { deepEqual, equal } from "node:assert/strict";
import { consumer, eventually, open, play, postJson } from "./browser.mjs";
import { showsExactly } from "./dashboard.mjs";

const owner = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

await play(async (browser) => {
  const { page, problems } = await open(browser, consumer);
  const task = { batchid: owner, id: 0, owner, priority: owner };
  equal((await postJson(`${consumer}/consumetasks`, task)).status, 200);
  await showsExactly(page, 1);
  for (const path of ["/", "/events", "/events/@1"]) {
    if (path !== "/") await page.goto(`${consumer}${path}`);
    await eventually(`${path} shows the owner as text`, async () => (await page.locator("body").innerText()).includes("onerror"));
    equal(await page.locator("img[onerror], main script").count(), 0, path);
  }
  deepEqual(problems, []);
});
