// Devices while readings come: rows and values move without a reload, a repeat is counted, and the chart follows.
import { deepEqual, equal } from "node:assert/strict";
import { consumer, eventually, open, play, postJson } from "./browser.mjs";

const send = (value) => postJson(`${consumer}/consumetasks/boiler`, { dev: "ai", circuit: "1_01", value, unit: "V" });

await play(async (browser) => {
  const list = await open(browser, `${consumer}/devices`);
  const dashboard = await open(browser, consumer);
  await list.page.getByText("No device has sent a reading yet.").waitFor();
  await send(2.5);
  const row = list.page.locator(".row.reading");
  await eventually("the device appears", async () => (await row.locator(".value").innerText()) === "2.5 V");
  await send("NaN");
  await eventually("it is not a number", async () => (await row.locator(".value").innerText()) === "not a number");
  await send("NaN");
  await send("NaN");
  await eventually("repeats are counted", async () => (await row.locator(".again").innerText()) === "×2");
  const message = dashboard.page.locator(".virtual .row").first();
  await eventually("the dashboard counts, too", async () => /^×2, last .* ago$/.test(await message.locator(".again").innerText()));
  equal(await dashboard.page.locator('[data-kpi="total"] b').innerText(), "2", "and says that two came");
  await list.page.locator(".find input").fill("nothing");
  await list.page.keyboard.press("Enter");
  await list.page.getByText("No device matches this filter.").waitFor();
  await oneDevice(list.page);
  deepEqual([list.problems, dashboard.problems], [[], []]);
});

async function oneDevice(page) {
  await page.goto(`${consumer}/devices/1?window=900`);
  await page.locator("#history canvas:not([hidden])").waitFor();
  await send(7.25);
  await eventually("the value follows", async () => /7\.25 V/.test(await page.locator(".big").innerText()));
  await eventually("the table follows", async () => (await page.locator(".kept tbody tr").count()) === 3);
  await page.getByRole("link", { name: "#3" }).click();
  await page.getByRole("heading", { name: "Event #3" }).waitFor();
  await page.getByRole("link", { name: "Its values" }).click();
  await page.locator(".big").waitFor();
}
