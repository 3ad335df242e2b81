// How the tests read the dashboard: what a person sees, and what a screen reader says of the chart.
import { consumer, eventually, json } from "./browser.mjs";

/** The state that the badge shows: Live, Paused, Reconnecting, or Stale with seconds. */
export function badge(page) {
  return page.locator("#badge").innerText();
}

/** The total of the page, and the sum of the matrix. */
export async function shown(page) {
  const total = number(await page.locator('[data-kpi="total"] b').innerText());
  const said = await page.locator("canvas#matrix").getAttribute("aria-label");
  const bars = [...said.matchAll(/(Low|Moderate|Major|Critical|Other) ([\d,]+)/gi)].map((match) => number(match[2]));
  return { total, matrix: bars.reduce((sum, bar) => sum + bar, 0) };
}

/** Waits until page and matrix show `expected` and `GET /api/counts` says the same. */
export async function showsExactly(page, expected) {
  await eventually(`the dashboard shows ${expected}`, async () => {
    const { total, matrix } = await shown(page);
    if (total !== expected || matrix !== expected) throw new Error(`total ${total}, matrix ${matrix}`);
    return true;
  });
  const counts = await json(`${consumer}/api/counts`);
  if (counts.total !== expected) throw new Error(`/api/counts says ${counts.total}, not ${expected}`);
}

function number(text) {
  return Number(text.replaceAll(/[^\d]/g, ""));
}
