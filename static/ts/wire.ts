/* What the consumer sends: the shapes of its read API and of its `/live` frames. */
import type { Priority } from "./priorities.ts";

export interface Task {
  batchid: string;
  id: number;
  owner: string;
  priority: string;
}

export interface Summary {
  offset: number;
  id: string;
  received_at: string;
  source: string;
  priority: Priority;
  title: string;
  size: number;
  task: Task | null;
}

export interface Detail extends Summary {
  body: unknown;
  raw: string;
  method: string;
  path: string;
  remote: string;
  headers: [string, string][];
}

export type Counts = Record<Priority, number> & { total: number };

/** Unix second (or start of a step), then the counts in the order of `PRIORITIES`. */
export type Point = [number, number, number, number, number, number];

export interface Frame {
  head: number;
  tail: number;
  at: string;
  counts: Counts;
  rate: number;
  seconds: Point[];
  events: Summary[];
}

export interface Page {
  events: Summary[];
  head: number;
  tail: number;
}

export interface Rates {
  window: number;
  step: number;
  from: number;
  points: Point[];
}
