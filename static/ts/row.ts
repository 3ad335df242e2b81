/* One event as a row of the list. */
import { since } from "./clock.ts";
import { el, find, setText } from "./dom.ts";
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
    el("span", { class: "what" }),
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
  const again = find<HTMLTimeElement>(".again time", row);
  if (again && event.repeated_at) setText(again, since(event.repeated_at));
  // Read by other rules, it has another priority or title.
  const shown = [event.repeats, event.priority, event.title, match].join("\n");
  if (row.dataset.offset === String(event.offset) && row.dataset.shown === shown) return;
  row.dataset.offset = String(event.offset);
  row.dataset.shown = shown;
  row.id = `event-${event.offset}`;
  row.removeAttribute("aria-label");
  if (!when || !pill || !what || !from || !id) return;
  when.setAttribute("title", absolute(event.received_at));
  pill.className = `pill ${event.priority.toLowerCase()}`;
  setText(pill.children[0] ?? null, SYMBOLS[event.priority] ?? SYMBOLS.other);
  setText(pill.children[1] ?? null, word(event.priority));
  what.replaceChildren(el("span", { class: "cut" }, ...marked(event.title, match)), ...marks(event));
  setText(from, origin(event));
  setText(id, `#${grouped(event.offset)}`);
}

/** What is said of a device's reading beside its title: the same as in `event_row.html`. */
export function marks(event: Summary): (Node | string)[] {
  const found: (Node | string)[] = [];
  if (event.snapshot) found.push(" ", el("span", { class: "tag" }, "snapshot"));
  if (event.repeated_at) {
    const at = el("time", { datetime: event.repeated_at, title: absolute(event.repeated_at), "data-rel": true });
    at.textContent = since(event.repeated_at);
    found.push(" ", el("span", { class: "again" }, `×${grouped(event.repeats)}, last `, at));
  }
  return found;
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
