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

export interface Look {
  selected: boolean;
  unread: boolean;
  /** The text searched for. */
  match: string;
}

export function drawRow(row: HTMLElement, event: Summary | undefined, { selected, unread, match }: Look): void {
  row.classList.toggle("loading", !event);
  row.classList.toggle("unread", unread);
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
  if (row.dataset.offset === String(event.offset) && row.dataset.match === match) return;
  row.dataset.offset = String(event.offset);
  row.dataset.match = match;
  row.id = `event-${event.offset}`;
  row.removeAttribute("aria-label");
  if (!when || !pill || !what || !from || !id) return;
  when.setAttribute("title", absolute(event.received_at));
  pill.className = `pill ${event.priority.toLowerCase()}`;
  setText(pill.children[0] ?? null, SYMBOLS[event.priority] ?? SYMBOLS.other);
  setText(pill.children[1] ?? null, word(event.priority));
  what.replaceChildren(...marked(event.title, match));
  setText(from, origin(event));
  setText(id, `#${grouped(event.offset)}`);
}

/** The text with what was searched for marked, in either case; the search looks at the whole body, so the title may lack it. */
function marked(text: string, match: string): Node[] {
  const lower = text.toLowerCase();
  const at = match === "" || lower.length !== text.length ? -1 : lower.indexOf(match.toLowerCase());
  if (at < 0) return [document.createTextNode(text)];
  const end = at + match.length;
  const found = el("mark", {}, text.slice(at, end));
  return [document.createTextNode(text.slice(0, at)), found, document.createTextNode(text.slice(end))];
}
