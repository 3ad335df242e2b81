/* Events by offset: a bounded cache, filled by frames and, a page at a time, from the read API. */
import { getJson } from "./dom.ts";
import type { Page, Repeated, Summary } from "./wire.ts";

const PAGE = 100;
const KEPT = 4000;

export class Cache {
  private events = new Map<number, Summary>();
  private asked = new Set<number>();
  private wanted = new Set<number>();
  private timer = 0;

  constructor(private readonly changed: () => void) {}

  clear(): void {
    this.events.clear();
    this.asked.clear();
    this.wanted.clear();
  }

  add(events: Summary[]): void {
    for (const { body: _, ...event } of events as (Summary & { body?: unknown })[])
      this.events.set(event.offset, event);
    if (this.events.size <= KEPT) return;
    for (const offset of this.events.keys()) {
      if (this.events.size <= KEPT - 500) break;
      this.events.delete(offset);
    }
  }

  /** Notes on those that are here how often they came again. */
  repeat(repeated: Repeated[]): void {
    for (const { offset, repeats, repeated_at } of repeated) {
      const event = this.events.get(offset);
      if (event && event.repeats < repeats) this.events.set(offset, { ...event, repeats, repeated_at });
    }
  }

  /** The event, or `undefined` while its page is on the way. */
  at(offset: number): Summary | undefined {
    const event = this.events.get(offset);
    if (!event) this.want(Math.floor((offset - 1) / PAGE));
    return event;
  }

  private want(page: number): void {
    if (this.asked.has(page)) return;
    this.wanted.add(page);
    // A short wait lets a dragged scroll bar pass by pages nobody stops at.
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.load(), 60);
  }

  private load(): void {
    const pages = [...this.wanted].slice(-3);
    this.wanted.clear();
    for (const page of pages) {
      this.asked.add(page);
      getJson<Page>(`/api/events?since=${page * PAGE}&limit=${PAGE}`)
        .then((answer) => this.add(answer.events))
        .catch(() => new Promise((resolve) => setTimeout(resolve, 1000)))
        .finally(() => {
          this.asked.delete(page);
          this.changed();
        });
    }
  }
}
