// How the tests read the dashboard: what a person sees, and what a screen reader says of the chart.
import { consumer, eventually, json } from "./browser.mjs";

/** The state that the badge shows: Live, Paused, Reconnecting, or Stale with seconds. */
export function badge(page) {
  return page.locator("#badge").innerText();
}

/** The total of the page, and the sum of the matrix. */
export async function shown(page) {
  const total = number(await page.locator('[data-kpi="total"] b').innerText());
  return { total, matrix: (await bars(page)).reduce((sum, [, bar]) => sum + bar, 0) };
}

/** Of the matrix each priority that has a bar, in small letters, and its number. */
export async function bars(page) {
  const said = (await page.locator("canvas#matrix").getAttribute("aria-label")) ?? "";
  return [...said.matchAll(/(Low|Moderate|Major|Critical|Other) ([\d,]+)/gi)].map(([, name, count]) => [name.toLowerCase(), number(count)]);
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

export function number(text) {
  return Number(text.replaceAll(/[^\d]/g, ""));
}
