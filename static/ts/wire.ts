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
  /** A device said how things stand, not that something changed. */
  snapshot: boolean;
  /** How often the same reading of a device came again, and when it last did. */
  repeats: number;
  repeated_at?: string;
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

export interface Repeated {
  offset: number;
  repeats: number;
  repeated_at: string;
}

export interface Frame {
  head: number;
  tail: number;
  at: string;
  counts: Counts;
  rate: number;
  seconds: Point[];
  events: Summary[];
  /** Another one when kept events were read by other rules. */
  reread: string | null;
  /** Of the newest events those that were repeated. */
  repeated: Repeated[];
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

/** How a device's value went: Unix milliseconds and value, `null` where it was no number. */
export interface Course {
  points: [number, number | null][];
  from: number;
  to: number;
  complete: boolean;
}
