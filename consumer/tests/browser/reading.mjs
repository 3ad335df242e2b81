// Reading while events come: the list keeps its place, pause freezes, keys move, a filter finds, a hidden tab counts.
import { deepEqual, equal } from "node:assert/strict";
import { batch, consumer, eventually, open, play, postJson } from "./browser.mjs";
import { badge, showsExactly } from "./dashboard.mjs";

const send = (owner) => postJson(`${consumer}/consumetasks`, { batchid: "reading", id: 0, owner, priority: "Major" });

await play(async (browser) => {
  const { page, problems } = await open(browser, consumer);
  await batch({ count: 300, wait: 0 });
  await showsExactly(page, 300);
  await scrolledListKeepsItsPlace(page);
  await pauseFreezes(page);
  await keysMoveAndOpen(page);
  await filterFinds(page);
  await hiddenTabCounts(page);
  deepEqual(problems, []);
});

function top(page) {
  return page.evaluate(() => {
    const list = document.querySelector(".virtual").getBoundingClientRect();
    const rows = [...document.querySelectorAll(".virtual .row:not([hidden])")];
    return rows.find((row) => Math.abs(row.getBoundingClientRect().top - list.top) < 2)?.dataset.offset;
  });
}

async function scrolledListKeepsItsPlace(page) {
  const rowHeight = await page.locator(".virtual .row").first().evaluate((row) => row.offsetHeight);
  await page.locator(".virtual").evaluate((list, pixels) => list.scrollTo(0, pixels), rowHeight * 100);
  await eventually("row 200 is on top", async () => (await top(page)) === "200");
  await send("While scrolled");
  await page.getByText("1 new ↑").waitFor();
  equal(await top(page), "200");
  await page.getByText("1 new ↑").click();
  await eventually("the newest is on top", async () => (await top(page)) === "301");
}

async function pauseFreezes(page) {
  await page.keyboard.press("p");
  await eventually("the badge says Paused", async () => /paused/i.test(await badge(page)));
  await send("While paused");
  // The next frame has come when the page's own clock has ticked.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1500)));
  equal(await page.locator('[data-kpi="total"] b').innerText(), "301");
  await page.keyboard.press("p");
  await showsExactly(page, 302);
}

async function keysMoveAndOpen(page) {
  const title = page.locator("#inspector [data-title]");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await eventually("the second event is open", async () => (await title.innerText()) === "Event #301");
  await page.keyboard.press("j");
  await eventually("the third event is open", async () => (await title.innerText()) === "Event #300");
  const body = page.locator("#inspector [data-open][aria-busy=false] [data-body]");
  await eventually("its body is shown", async () => /"priority": /.test(await body.innerText()));
  await page.keyboard.press("Escape");
  equal(await title.innerText(), "Event");
}

async function filterFinds(page) {
  await page.keyboard.press("/");
  await page.keyboard.type("while scrolled");
  await eventually("one message is shown", async () => (await page.locator("#list-status").innerText()) === "1 match shown");
  await send("Again while scrolled");
  await eventually("a match that comes is shown", async () => (await page.locator("#list-status").innerText()) === "2 matches shown");
  await page.locator("#q").fill("");
  await page.keyboard.press("Escape");
  await eventually("every message is shown", async () => /^303$/.test(await page.locator("#list-status").innerText()));
}

async function hiddenTabCounts(page) {
  const hide = (hidden) => {
    Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  };
  await page.evaluate(hide, true);
  await send("While hidden");
  await eventually("the title counts", async () => (await page.title()).startsWith("(1) "));
  await page.evaluate(hide, false);
  await showsExactly(page, 304);
  equal((await page.title()).startsWith("("), false);
}
