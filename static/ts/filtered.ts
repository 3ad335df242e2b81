/* The events that match a filter, newest first: the server searches, pages are added at the end as one scrolls, and at the front as events come. */
import { getJson } from "./dom.ts";
import type { Page, Summary } from "./wire.ts";

const PAGE = 100;
const KEPT = 5000;
const AGAIN_AFTER = 3000;

export interface Filter {
  source: string;
  priority: string;
  q: string;
}

export function isEmpty(filter: Filter): boolean {
  return !filter.source && !filter.priority && !filter.q;
}

function query(filter: Filter): URLSearchParams {
  const set = Object.entries(filter).filter(([, value]) => value !== "");
  return new URLSearchParams(set as [string, string][]);
}

export class Filtered {
  rows: Summary[] = [];
  /** Newer matches that are not shown, while the reader holds a place. */
  newer: Summary[] = [];
  loaded = false;
  done = false;
  /** Whether there are, or may be, matches older than the rows. */
  more = true;
  error = "";
  private busy = false;
  private readonly abort = new AbortController();

  constructor(
    readonly filter: Filter,
    private readonly changed: () => void,
  ) {
    void this.older();
  }

  close(): void {
    this.abort.abort();
  }

  private async page(more: Record<string, string>): Promise<Summary[]> {
    const search = query(this.filter);
    for (const [name, value] of Object.entries({ limit: String(PAGE), ...more })) search.set(name, value);
    const page = await getJson<Page>(`/api/events?${search}`, this.abort.signal);
    return page.events.sort((a, b) => b.offset - a.offset);
  }

  /** The next page of older matches. */
  async older(): Promise<void> {
    if (this.busy || this.done || this.abort.signal.aborted) return;
    await this.guarded(async () => {
      const last = this.rows.at(-1)?.offset;
      const page = await this.page(last === undefined ? { order: "desc" } : { before: String(last) });
      this.rows.push(...page);
      this.more = page.length === PAGE;
      this.done = !this.more || this.rows.length >= KEPT;
    });
  }

  /** Matches that came since; the newest page suffices, and replaces the list when it no longer touches it. */
  async refresh(): Promise<void> {
    if (this.busy || !this.loaded) return;
    await this.guarded(async () => {
      const page = await this.page({ order: "desc" });
      const newest = this.newer[0]?.offset ?? this.rows[0]?.offset ?? 0;
      const fresh = page.filter((event) => event.offset > newest);
      if (fresh.length === PAGE && this.rows.length > 0) {
        this.newer = fresh;
        return;
      }
      this.newer = [...fresh, ...this.newer].slice(0, PAGE);
    });
  }

  /** Shows what came: in front of the rows, or instead of them when there may be a hole between. */
  admit(): void {
    if (this.newer.length === 0) return;
    if (this.newer.length >= PAGE) {
      this.rows = this.newer;
      this.more = true;
      this.done = false;
    } else {
      const rows = [...this.newer, ...this.rows];
      this.more ||= rows.length > KEPT;
      this.rows = rows.slice(0, KEPT);
    }
    this.newer = [];
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await work();
      this.error = "";
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = (error as Error).message;
      if (this.rows.length === 0) setTimeout(() => void this.older(), AGAIN_AFTER);
    }
    this.busy = false;
    this.loaded = true;
    this.changed();
  }
}
