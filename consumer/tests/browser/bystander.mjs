// Somebody who sits by while faults are done to the programs: a dashboard of each consumer is open, and on the producer's page the button is
// pressed again whenever a batch is over. Nothing is ever reloaded.
//   node bystander.mjs PRODUCER CONSUMER…    says `@open`, and once it is answered, `@followed […]`: each batch as the page showed its end;
//                                            then `@sees […]`, again at each answer: what each dashboard shows
import { ask, open, PATIENCE, play, producer } from "./browser.mjs";
import { badge, bars, number } from "./dashboard.mjs";

const consumers = process.argv.slice(3);
const COUNT = 10;
/** Seconds between two tasks. */
const WAIT = 0.3;
/** A batch ends by itself when the programs are whole again; so long may they be broken. */
const OUTAGE_MS = 180_000;
/** When it is refused, or nobody answers, the page says so, and the button is pressed again. */
const AGAIN_AFTER_MS = 500;
/** What a browser says of a program that is away, or has no database. */
const OF_THE_FAULT = /net::ERR_|WebSocket connection to|status of 503/;

await play(async (browser) => {
  const dashboards = await Promise.all(consumers.map((url) => open(browser, url)));
  const { page, problems } = await open(browser, producer);
  const stop = { now: false };
  const pressing = pressAgain(page, stop);
  await ask("open");
  stop.now = true;
  const followed = await pressing;
  await ask(`followed ${JSON.stringify(followed)}`);
  for (let answer = ""; answer !== undefined; ) {
    const seen = await Promise.all(dashboards.map(look));
    seen.push({ problems: real(problems) });
    answer = await ask(`sees ${JSON.stringify(seen)}`);
  }
});

function real(problems) {
  return problems.filter((problem) => !OF_THE_FAULT.test(problem));
}

async function pressAgain(page, stop) {
  await page.locator("details:has([name=count]) > summary").click();
  await page.fill("[name=count]", String(COUNT));
  await page.fill("[name=wait]", String(WAIT));
  const followed = [];
  const button = page.getByRole("button", { name: "Produce Tasks" });
  while (!stop.now || followed.length === 0) {
    const before = page.url();
    await button.click();
    // It can be pressed again when the answer is there.
    await page.waitForFunction((node) => !node.disabled, await button.elementHandle(), { timeout: OUTAGE_MS });
    if (page.url() !== before) followed.push(await untilItsEnd(page));
    else await page.waitForTimeout(AGAIN_AFTER_MS);
  }
  return followed;
}

/** What the page shows of a batch when it is over: its count, and a line for each task. */
async function untilItsEnd(page) {
  const id = page.url().split("/").at(-1);
  const panel = page.locator(`#batch:has([title="${id}"])`);
  await panel.locator("#pace").getByText(/^took /).waitFor({ timeout: OUTAGE_MS });
  await panel.getByRole("button", { name: "Delivered", exact: true }).click();
  let said;
  // The count and the lines are drawn in frames of their own.
  for (const end = Date.now() + PATIENCE; Date.now() < end; await page.waitForTimeout(50)) {
    const delivered = number(await panel.locator("[data-count=delivered]").innerText());
    const rows = await panel.locator(".virtual .row:not([hidden]) .n").allInnerTexts();
    const lines = rows.map((row) => Number(/^(\d+) out of/.exec(row)?.[1]));
    said = { id, delivered, lines: lines.sort((one, other) => one - other) };
    if (delivered === COUNT && lines.length === COUNT) break;
  }
  return said;
}

async function look({ page, problems }) {
  const cards = {};
  for (const card of await page.locator("[data-kpi]").all()) cards[await card.getAttribute("data-kpi")] = number((await card.locator("b").textContent()) ?? "");
  return {
    badge: await badge(page),
    cards,
    bars: Object.fromEntries((await bars(page)).filter(([, count]) => count > 0)),
    newest: await page.locator(".virtual .row:not([hidden])").evaluateAll(rowsFromTheTop),
    problems: real(problems),
  };
}

/** Offset and priority of each row that is drawn; it runs in the page. */
function rowsFromTheTop(rows) {
  const top = (row) => row.getBoundingClientRect().top;
  const sorted = rows.toSorted((one, other) => top(one) - top(other));
  return sorted.map((row) => [Number(row.dataset.offset), row.querySelector(".pill")?.lastElementChild?.textContent]);
}
