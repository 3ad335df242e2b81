/* What a screen asks the server over HTTP, and what time the server has. */
import { problem } from "../dom.ts";
import type { Content } from "./content.ts";
import { Time } from "./time.ts";

const PATIENCE = 15_000;

export type Pairing = { state: "waiting"; code: string; expires_at: string } | { state: "paired"; device: string };

export interface Told {
  device: string;
  groups: string[];
  tags: string[];
  version: string;
  content: Content;
}

/** The server said no. Where it did not answer at all, `fetch` throws another error. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

const time = new Time(
  () => Date.now(),
  () => performance.now(),
);
const LOOK_EVERY = 2000;
const ASK_EVERY = 10_000;

/** The server's time: a small computer without a clock of its own may be years behind. */
export function serverTime(): number {
  return time.now();
}

/** Asks the server for its time whenever that is not known well enough any more; then `renewed` is called. */
export function keepTime(server: Server, renewed: () => void): void {
  let askedAt = Number.NEGATIVE_INFINITY;
  setInterval(() => {
    if (!time.isStale() || performance.now() - askedAt < ASK_EVERY) return;
    askedAt = performance.now();
    server.time().then(renewed, () => undefined);
  }, LOOK_EVERY);
}

export class Server {
  constructor(private readonly key: () => string) {}

  pair(name: string): Promise<Pairing> {
    const body = JSON.stringify({ name, key: this.key() });
    return this.ask<Pairing>("/screen-api/pairing", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
  }

  content(): Promise<Told> {
    return this.ask<Told>("/screen-api/content");
  }

  async datasource(name: string, fresh: boolean): Promise<unknown> {
    const path = `/screen-api/datasources/${encodeURIComponent(name)}${fresh ? "?fresh=1" : ""}`;
    return (await this.ask<{ value: unknown }>(path)).value;
  }

  /** Lets this browser open `/screen-dashboard` for an hour. */
  async session(): Promise<void> {
    await this.send("/screen-api/session", { method: "POST" });
  }

  /** Hears what time the server has, and nothing else. */
  async time(): Promise<void> {
    await this.send(location.pathname, { method: "HEAD" });
  }

  private async ask<T>(path: string, options: RequestInit = {}): Promise<T> {
    return (await (await this.send(path, options)).json()) as T;
  }

  private async send(path: string, options: RequestInit): Promise<Response> {
    const headers = { accept: "application/json", "x-device-key": this.key(), ...options.headers };
    const response = await fetch(path, {
      ...options,
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    time.note(response.headers.get("date"));
    if (response.ok) return response;
    const isOurs = response.headers.get("content-type")?.includes("problem+json");
    const retry = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    // A gateway's 401 says nothing of our key.
    const status = isOurs ? response.status : 502;
    throw new Refused((await problem(response)).message, status, Number.isNaN(retry) ? null : retry);
  }
}
