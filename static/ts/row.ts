/* One event as a row of the list. */
import { since } from "./clock.ts";
import { el, setText } from "./dom.ts";
import { absolute, grouped } from "./format.ts";
import { SYMBOLS, word } from "./priorities.ts";
import type { Summary } from "./wire.ts";

export function makeRow(): HTMLElement {
  const pill = el("span", { class: "pill" }, el("span", { "aria-hidden": "true" }), el("span"));
  return el(
    "div",
    { class: "row event", role: "option" },
    el("span", { class: "when" }),
    pill,
    el("span", { class: "what cut" }),
    el("span", { class: "from cut" }),
    el("span", { class: "id" }),
  );
}

/** Where an event comes from, in two words: the batch of a task, or its source. */
export function origin(event: Summary): string {
  return event.task ? `batch ${event.task.batchid.slice(0, 6)}` : event.source;
}

export function drawRow(row: HTMLElement, event: Summary | undefined, selected: boolean): void {
  row.classList.toggle("loading", !event);
  row.classList.toggle("selected", !!event && selected);
  row.setAttribute("aria-selected", String(!!event && selected));
  if (!event) {
    row.removeAttribute("data-offset");
    row.removeAttribute("id");
    row.setAttribute("aria-label", "Loading");
    return;
  }
  const [when, pill, what, from, id] = row.children;
  if (when) setText(when, since(event.received_at));
  if (row.dataset.offset === String(event.offset)) return;
  row.dataset.offset = String(event.offset);
  row.id = `event-${event.offset}`;
  row.removeAttribute("aria-label");
  if (!when || !pill || !what || !from || !id) return;
  when.setAttribute("title", absolute(event.received_at));
  pill.className = `pill ${event.priority.toLowerCase()}`;
  setText(pill.children[0] ?? null, SYMBOLS[event.priority] ?? SYMBOLS.other);
  setText(pill.children[1] ?? null, word(event.priority));
  setText(what, event.title);
  setText(from, origin(event));
  setText(id, `#${grouped(event.offset)}`);
}
