/* A batch followed: its past is read from the newest backwards, its present comes by SSE, which resumes by itself. */
import type { Batch, Line } from "./batch.ts";
import { getJson } from "./dom.ts";

const FIRST = 500;
const CHUNK = 1000;

export interface Follower {
  batch(batch: Batch): void;
  line(line: Line): void;
  older(lines: Line[]): void;
  state(state: "connecting" | "live" | "reconnecting" | "ended"): void;
}

export class Follow {
  private source: EventSource | null = null;
  private closed = false;
  private last = 0;

  constructor(
    readonly id: string,
    private readonly follower: Follower,
  ) {
    void this.start();
  }

  close(): void {
    this.closed = true;
    this.source?.close();
  }

  private async start(): Promise<void> {
    this.follower.state("connecting");
    let batch: Batch;
    try {
      batch = await getJson<Batch>(`/api/batches/${encodeURIComponent(this.id)}`);
    } catch {
      setTimeout(() => !this.closed && void this.start(), 2000);
      return;
    }
    if (this.closed) return;
    this.follower.batch(batch);
    const from = Math.max(0, batch.seq - FIRST);
    const lines = batch.seq > 0 ? await this.past(from, FIRST) : [];
    if (this.closed) return;
    this.follower.older(lines);
    this.last = Math.max(batch.seq, lines.at(-1)?.seq ?? 0);
    if (batch.ended_at) this.follower.state("ended");
    else this.listen();
    await this.backwards(from);
  }

  /** Lines behind `after`; an answer that does not come is asked for again. */
  private async past(after: number, limit: number): Promise<Line[]> {
    const url = `/api/batches/${encodeURIComponent(this.id)}/lines?after=${after}&limit=${limit}`;
    for (let wait = 500; !this.closed; wait = Math.min(wait * 2, 8000)) {
      try {
        return (await getJson<{ lines: Line[] }>(url)).lines;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    return [];
  }

  private async backwards(from: number): Promise<void> {
    let end = from;
    while (end > 0 && !this.closed) {
      const after = Math.max(0, end - CHUNK);
      const lines = await this.past(after, end - after);
      // Another batch may be shown by now.
      if (this.closed) return;
      this.follower.older(lines.filter((line) => line.seq <= end));
      end = after;
    }
  }

  private listen(): void {
    if (this.closed) return;
    const source = new EventSource(`/batches/${encodeURIComponent(this.id)}/events?after=${this.last}`);
    this.source = source;
    const read = <T>(event: Event) => JSON.parse((event as MessageEvent<string>).data) as T;
    source.addEventListener("open", () => this.follower.state("live"));
    source.addEventListener("line", (event) => {
      const line = read<Line>(event);
      this.last = Math.max(this.last, line.seq);
      this.follower.line(line);
    });
    source.addEventListener("progress", (event) => this.follower.batch(read<Batch>(event)));
    source.addEventListener("end", (event) => {
      source.close();
      this.follower.batch(read<Batch>(event));
      this.follower.state("ended");
    });
    source.addEventListener("error", () => {
      this.follower.state("reconnecting");
      // A browser gives up for good after an answer that is no event stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), 2000);
    });
  }
}
