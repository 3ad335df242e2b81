/* The dashboard of screens that nobody sits at: it follows what arrives, and asks for nothing else. */
import { badge } from "./badge.ts";
import { since } from "./clock.ts";
import { el, find, need, setText } from "./dom.ts";
import { Feed } from "./feed.ts";
import { absolute, grouped } from "./format.ts";
import { renderedCounts, showCounts, showRate } from "./kpis.ts";
import { Matrix } from "./matrix.ts";
import { SYMBOLS, word } from "./priorities.ts";
import { origin } from "./row.ts";
import type { Counts, Frame, Summary } from "./wire.ts";

const ROWS = 12;

const matrix = new Matrix(need<HTMLCanvasElement>("#matrix"));
const list = need("#newest");
let lastAt: string | null = find("[data-last-at]")?.dataset.lastAt ?? null;

function row(event: Summary): HTMLElement {
  const at = el("time", { datetime: event.received_at, title: absolute(event.received_at) }, since(event.received_at));
  const symbol = el("span", { "aria-hidden": "true" }, SYMBOLS[event.priority] ?? SYMBOLS.other);
  return el(
    "div",
    { class: "row event" },
    el("span", { class: "when" }, at),
    el("span", { class: `pill ${event.priority.toLowerCase()}` }, symbol, word(event.priority)),
    el("span", { class: "what" }, el("span", { class: "cut" }, event.title)),
    el("span", { class: "from cut" }, origin(event)),
    el("span", { class: "id" }, `#${grouped(event.offset)}`),
  );
}

function show(counts: Counts, rate: number): void {
  showCounts(counts);
  showRate(rate, lastAt);
  matrix.show(counts, rate);
}

function take(frame: Frame, whole: boolean): void {
  const rows = frame.events.slice(0, ROWS).map(row);
  if (whole) list.replaceChildren(...rows);
  else list.prepend(...rows);
  while (list.children.length > ROWS) list.lastElementChild?.remove();
  if (list.children.length > 0) find("#none")?.remove();
  lastAt = frame.events[0]?.received_at ?? lastAt;
  show(frame.counts, frame.rate);
}

for (const node of document.querySelectorAll(".plain-chart")) node.remove();
for (const node of document.querySelectorAll<HTMLElement>("[data-live-part]")) node.hidden = false;
show(renderedCounts(), 0);
const feed = new Feed({ frame: take, gap: () => {} }, null);
setInterval(() => {
  const { state, age } = feed.state();
  badge(state, age);
  for (const at of list.querySelectorAll("time")) setText(at, since(at.dateTime));
}, 1000);
