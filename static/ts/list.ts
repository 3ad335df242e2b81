/* The message list, newest first. It follows the head while one reads at the top, and keeps its place otherwise. */
import { Cache } from "./cache.ts";
import { debounced, need, setAttribute, setText } from "./dom.ts";
import { type Filter, Filtered, isEmpty } from "./filtered.ts";
import { grouped } from "./format.ts";
import { drawRow, makeRow } from "./row.ts";
import { Virtual } from "./virtual.ts";
import type { Frame, Summary } from "./wire.ts";

export class EventList {
  /** Opens an event beside the list. */
  onOpen: (event: Summary) => void = () => {};
  selected: number | null = null;
  frozen = false;
  private readonly viewport = need(".virtual");
  private readonly chip = need<HTMLButtonElement>("#newer");
  private readonly status = need("#list-status");
  private readonly older = need<HTMLAnchorElement>("#older");
  private readonly nothing = need("#no-match");
  private readonly virtual: Virtual;
  private readonly cache = new Cache(() => this.virtual.refresh());
  private filtered: Filtered | null = null;
  private head = 0;
  private tail = 1;
  private anchor = 0;
  private following = true;
  private held = false;
  private lastRefresh = 0;
  /** What came after this offset came while the page was open, and is new until it is opened. */
  private since = Number.POSITIVE_INFINITY;
  private readonly opened = new Set<number>();

  constructor() {
    this.virtual = new Virtual(this.viewport, { make: makeRow, draw: (row, index) => this.draw(row, index) });
    this.viewport.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.viewport.addEventListener("click", (event) => {
      const index = this.virtual.indexOf(event.target);
      if (index !== undefined) this.open(index);
    });
    this.chip.addEventListener("click", () => this.toTop());
  }

  /** Takes a frame. Draws nothing: `render` does, once per animation frame. */
  take(frame: Frame, whole: boolean): void {
    if (whole) {
      this.cache.clear();
      if (frame.head < this.anchor) this.anchor = frame.head;
    }
    // The first frame, or a log that starts over.
    if (frame.head < this.since) this.since = frame.head;
    this.head = frame.head;
    this.tail = Math.max(1, frame.tail);
    if (!this.filtered) this.cache.add(frame.events);
    else if (frame.events.length > 0 || whole) this.refreshSoon();
    this.cache.repeat(frame.repeated);
  }

  private readonly refreshLate = debounced(() => void this.filtered?.refresh(), 900);

  private refreshSoon(): void {
    if (Date.now() - this.lastRefresh < 900) return this.refreshLate();
    this.lastRefresh = Date.now();
    void this.filtered?.refresh();
  }

  filter(filter: Filter): void {
    this.filtered?.close();
    this.filtered = isEmpty(filter) ? null : new Filtered(filter, () => this.render());
    this.viewport.scrollTop = 0;
    this.following = true;
    this.render();
  }

  render(): void {
    if (document.hidden) return;
    if (this.following && !this.frozen && !this.held) {
      this.anchor = this.head;
      this.filtered?.admit();
    }
    const rows = this.filtered ? this.filtered.rows.length : Math.max(0, this.anchor - this.tail + 1);
    this.virtual.count = rows;
    this.virtual.render();
    this.tellNewer();
    this.tellOlder(rows);
    const matches = this.filtered;
    this.nothing.hidden = !matches?.loaded || rows > 0;
    setText(need("[data-why]", this.nothing), matches?.error || "No message matches this filter.");
    this.viewport.hidden = !this.nothing.hidden;
    const more = matches?.more ? "+" : "";
    const word = rows === 1 && !more ? "match" : "matches";
    const count = matches ? `${grouped(rows)}${more} ${word} shown` : grouped(rows);
    const unknown = matches && (!matches.loaded || (matches.error && rows === 0));
    setText(this.status, unknown ? "Searching…" : count);
  }

  private tellNewer(): void {
    const newer = this.filtered ? this.filtered.newer.length : this.head - this.anchor;
    this.chip.hidden = newer <= 0;
    setText(this.chip, `${grouped(newer)}${this.filtered && newer >= 100 ? "+" : ""} new ↑`);
  }

  /** A browser scrolls so far and no further; what is older has its own page. */
  private tellOlder(rows: number): void {
    const shown = this.virtual.count;
    this.older.hidden = shown >= rows;
    if (shown < rows) setAttribute(this.older, "href", `/events?before=${this.anchor - shown + 1}`);
  }

  private draw(row: HTMLElement, index: number): void {
    const event = this.at(index);
    const look = {
      selected: event?.offset === this.selected,
      unread: !!event && event.offset > this.since && !this.opened.has(event.offset),
      match: this.filtered?.filter.q ?? "",
    };
    drawRow(row, event, look);
    if (this.filtered && index >= this.virtual.count - 10) void this.filtered.older();
  }

  private at(index: number): Summary | undefined {
    return this.filtered ? this.filtered.rows[index] : this.cache.at(this.anchor - index);
  }

  private scrolled(): void {
    const top = this.viewport.scrollTop < 4;
    if (top && !this.following) this.held = false;
    this.following = top;
    this.tellNewer();
  }

  /** Back to the newest, following again. */
  toTop(): void {
    this.held = false;
    this.following = true;
    this.viewport.scrollTop = 0;
    if (this.frozen) {
      this.anchor = this.head;
      this.filtered?.admit();
    }
    this.render();
  }

  private open(index: number): void {
    const event = this.at(index);
    if (!event) return;
    this.select(event.offset, index);
    this.onOpen(event);
  }

  /** Marks a row, and holds the list so that the row stays where it is. */
  private select(offset: number, index: number): void {
    this.held = true;
    this.selected = offset;
    if (offset > this.since) this.opened.add(offset);
    this.viewport.setAttribute("aria-activedescendant", `event-${offset}`);
    this.virtual.reveal(index);
    this.virtual.render();
  }

  /** Lets go of the selected event. */
  release(): void {
    this.selected = null;
    this.held = false;
    this.viewport.removeAttribute("aria-activedescendant");
    this.render();
  }

  /** Moves the selection; gives the event it lands on when that is known. */
  move(by: number): Summary | undefined {
    const at = this.index();
    const next = at === undefined ? this.virtual.first : Math.min(this.virtual.count - 1, Math.max(0, at + by));
    const event = this.at(next);
    if (event) this.select(event.offset, next);
    return event;
  }

  openSelected(): void {
    const at = this.index();
    if (at !== undefined) this.open(at);
  }

  private index(): number | undefined {
    if (this.selected === null) return undefined;
    if (!this.filtered) return this.anchor - this.selected;
    const at = this.filtered.rows.findIndex((event) => event.offset === this.selected);
    return at < 0 ? undefined : at;
  }
}
