/* What the producer sends: a batch and one line per attempt; and the lines gathered, one per task. */
export interface Batch {
  id: string;
  created_at: string;
  ended_at: string | null;
  total: number;
  delivered: number;
  failed: number;
  retrying: number;
  cancelled: number;
  pending: number;
  state: "running" | "done" | "cancelled";
  /** What it was made of. */
  source: "tasks" | "hardware";
  seed: number;
  wait_ms: number;
  to: string;
  rate: number;
  eta_s: number | null;
  seq: number;
}

export type Outcome = "delivered" | "retrying" | "failed";

export interface Line {
  seq: number;
  n: number;
  total: number;
  outcome: Outcome;
  status: number | null;
  reason: string | null;
  text: string | null;
  duration_ms: number;
  owner: string;
  priority: string | null;
  attempt: number;
  attempts_max: number;
  next_at: string | null;
  delivery: string;
  at: string;
}

/** One line per task: a retry changes the task's line where it stands. The order is that of the first attempts. */
export class Lines {
  private byTask = new Map<number, Line>();
  /** Tasks in the order of their first live line, and before them those of the past, newest first: both only ever grow at the end. */
  private newer: number[] = [];
  private older: number[] = [];
  /** The last answer of `matching`, and what it was the answer to. */
  private filteredAt = -1;
  private filteredBy: Outcome | "" = "";
  private filtered: number[] = [];
  private version = 0;

  get size(): number {
    return this.byTask.size;
  }

  /** Takes a line as it happens. */
  add(line: Line): void {
    const known = this.byTask.get(line.n);
    if (known && known.seq >= line.seq) return;
    if (!known) this.newer.push(line.n);
    this.byTask.set(line.n, line);
    this.version++;
  }

  /** Takes lines of the past, oldest first; what is known already is newer than they are. */
  addOlder(lines: Line[]): void {
    for (const line of lines.toReversed()) {
      if (this.byTask.has(line.n)) continue;
      this.byTask.set(line.n, line);
      this.older.push(line.n);
    }
    this.version++;
  }

  /** How many lines there are with this outcome, or at all. */
  count(outcome: Outcome | ""): number {
    return outcome === "" ? this.size : this.matching(outcome).length;
  }

  /** The line at a place counted from the oldest, so that a place means the same while lines are added in front. */
  at(place: number, outcome: Outcome | ""): Line | undefined {
    const list = outcome === "" ? null : this.matching(outcome);
    if (list) return this.byTask.get(list[place] ?? -1);
    const past = this.older.length;
    const task = place < past ? this.older[past - 1 - place] : this.newer[place - past];
    return this.byTask.get(task ?? -1);
  }

  private matching(outcome: Outcome): number[] {
    if (this.filteredAt === this.version && this.filteredBy === outcome) return this.filtered;
    const all = [...this.older.toReversed(), ...this.newer];
    this.filtered = all.filter((task) => this.byTask.get(task)?.outcome === outcome);
    [this.filteredAt, this.filteredBy] = [this.version, outcome];
    return this.filtered;
  }
}

/** What a batch consists of. */
export function noun(batch: Batch): string {
  return batch.source === "hardware" ? "reading" : "task";
}

/** Percent of the tasks that were sent to their end, rounded down: 100 only when nothing is left and nothing was cancelled. */
export function done(batch: Batch): number {
  if (batch.total === 0) return 100;
  return Math.floor(((batch.total - batch.pending - batch.cancelled) / batch.total) * 100);
}

/** Whether all that is left of the batch waits for a retry. */
export function retrying(batch: Batch): boolean {
  return batch.state === "running" && batch.retrying > 0 && batch.retrying === batch.pending;
}

const REASONS: Record<string, string> = {
  refused: "refused",
  timeout: "timed out",
  dns: "name not found",
  tls: "no secure connection",
  unreachable: "not reachable",
  disconnected: "disconnected",
  malformed: "no HTTP",
  blocked: "not allowed",
};

/** The middle of a line: `200`, `503 · retry in 4 s`, `refused`. */
export function verdict(line: Line, nowMs: number): string {
  const what = line.status === null ? (REASONS[line.reason ?? ""] ?? line.reason ?? "failed") : String(line.status);
  if (line.outcome !== "retrying") return what;
  const left = line.next_at ? Math.ceil((Date.parse(line.next_at) - nowMs) / 1000) : 0;
  return `${what} · ${left > 0 ? `retry in ${wait(left)}` : "trying again"}`;
}

function wait(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}
