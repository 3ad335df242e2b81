// Without JavaScript the button is a form: it leads to the page of the batch, which tells how it went.
import { match } from "node:assert/strict";
import { eventually, open, play, producer } from "./browser.mjs";

await play(async (browser) => {
  const { page } = await open(browser, producer, { javaScriptEnabled: false });
  await page.locator("details:has([name=count]) > summary").click();
  await page.fill("[name=count]", "5");
  await page.fill("[name=wait]", "0");
  await page.getByRole("button", { name: "Produce Tasks" }).click();
  match(page.url(), /\/batches\/[^/]+$/);
  await eventually("the batch's page tells of five delivered tasks", async () => {
    await page.goto(page.url());
    return (await page.locator("main").innerText()).includes("5 delivered");
  });
  const text = await page.locator("main").innerText();
  match(text, /5 out of 5/);
});
