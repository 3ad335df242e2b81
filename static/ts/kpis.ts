/* The totals: all, and one card per priority. */
import { since } from "./clock.ts";
import { find, need, setText } from "./dom.ts";
import { grouped, percent, rate } from "./format.ts";
import { PRIORITIES } from "./priorities.ts";
import type { Counts } from "./wire.ts";

const numbers = (name: string) => need(`[data-kpi=${name}]`);

export function showCounts(counts: Counts): void {
  setText(find("b", numbers("total")), grouped(counts.total));
  for (const name of PRIORITIES) {
    const card = numbers(name.toLowerCase());
    if (name === "other") card.hidden = counts.other === 0;
    setText(find("b", card), grouped(counts[name]));
    setText(find("small", card), percent(counts[name], counts.total));
  }
}

export function showRate(perSecond: number, lastAt: string | null): void {
  const last = lastAt ? ` · last ${since(lastAt)}` : "";
  setText(find("small", numbers("total")), `${rate(perSecond)} / s${last}`);
}

/** The counts the server rendered, so that charts stand before the first frame. */
export function renderedCounts(): Counts {
  const read = (name: string) => Number(numbers(name.toLowerCase()).dataset.count ?? 0);
  const counts = Object.fromEntries(PRIORITIES.map((name) => [name, read(name)]));
  return { ...counts, total: read("total") } as Counts;
}

/** The tab's title: what came while nobody looked. */
export function showTitle(unread: number): void {
  const plain = document.title.replace(/^\([^)]*\) /, "");
  const title = unread > 0 ? `(${grouped(unread)}) ${plain}` : plain;
  if (document.title !== title) document.title = title;
}
