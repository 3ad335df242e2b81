/* The values of datasources: read while somebody shows them, and again every so often. */
import type { Datasource } from "./content.ts";

/** What is known of a datasource: its newest value, and what went wrong since. */
export interface Known {
  value: unknown;
  trouble: string | null;
}

type Listener = (known: Known) => void;

interface Followed {
  known: Known;
  listeners: Set<Listener>;
  timer: number;
}

const USUAL_S = 60;

export class Data {
  private followed = new Map<string, Followed>();
  private every = new Map<string, number>();

  constructor(private readonly read: (name: string, fresh: boolean) => Promise<unknown>) {}

  /** These datasources there are now. */
  set(sources: Datasource[]): void {
    this.every = new Map(sources.map((source) => [source.name, source.every_seconds]));
    for (const [name, entry] of this.followed) void this.turn(name, entry);
  }

  /** Tells what the datasource says, now and whenever it was read again, until what it gives is called. */
  follow(name: string, tell: Listener): () => void {
    const entry = this.followed.get(name) ?? {
      known: { value: undefined, trouble: null },
      listeners: new Set(),
      timer: 0,
    };
    this.followed.set(name, entry);
    entry.listeners.add(tell);
    tell(entry.known);
    if (entry.listeners.size === 1) void this.turn(name, entry);
    return () => {
      entry.listeners.delete(tell);
      if (entry.listeners.size > 0) return;
      clearTimeout(entry.timer);
      this.followed.delete(name);
    };
  }

  /** Reads one afresh, or all. Says how it went.
   * @throws when one cannot be read, and says why. */
  async refresh(name: string | null): Promise<string> {
    if (name !== null && !this.every.has(name)) throw new Error(`this screen has no datasource ${name}`);
    const names = name === null ? [...this.every.keys()] : [name];
    const wrong: string[] = [];
    for (const one of names) {
      const trouble = await this.reread(one, true);
      if (trouble) wrong.push(`${one}: ${trouble}`);
    }
    if (wrong.length > 0) throw new Error(wrong.join("; "));
    return names.length === 0 ? "there are no datasources" : `read ${names.join(", ")}`;
  }

  private async turn(name: string, entry: Followed): Promise<void> {
    await this.reread(name, false);
    if (entry.listeners.size === 0 || this.followed.get(name) !== entry) return;
    clearTimeout(entry.timer);
    entry.timer = window.setTimeout(() => void this.turn(name, entry), (this.every.get(name) ?? USUAL_S) * 1000);
  }

  /** Reads and tells; what went wrong, or `null`. */
  private async reread(name: string, fresh: boolean): Promise<string | null> {
    const told = await this.read(name, fresh).then(
      (value) => ({ value, trouble: null }),
      (error: Error) => ({ value: undefined, trouble: error.message }),
    );
    const entry = this.followed.get(name);
    if (entry) {
      entry.known = told.trouble === null ? told : { ...entry.known, trouble: told.trouble };
      for (const tell of entry.listeners) tell(entry.known);
    }
    return told.trouble;
  }
}
