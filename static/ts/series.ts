/* The numbers behind the rate chart: what the server counted per step, and above it the seconds that came live. */
import type { Point, Rates } from "./wire.ts";

const KEPT_SECONDS = 1300;
/** The step the server has for each window, in seconds. */
const STEPS: Record<number, number> = { 60: 1, 900: 10, 3600: 60, 86400: 600 };

export interface Step {
  /** Start of the step, unix seconds. */
  at: number;
  /** Tasks per second, in the order of `PRIORITIES`; `null` where nothing is known. */
  rates: (number | null)[];
  counts: number[];
}

export interface Gap {
  from: number;
  to: number | null;
}

export class Series {
  window = 900;
  step = 10;
  gaps: Gap[] = [];
  /** What the server counted; `null` while the answer for this window is on the way. */
  private base: Map<number, number[]> | null = new Map();
  private live = new Map<number, number[]>();

  /** Turns to a window before the server has told of it: until then only what came live is known. */
  choose(window: number): void {
    if (window === this.window) return;
    [this.window, this.step, this.base] = [window, STEPS[window] ?? 10, null];
  }

  /** Takes what the server counted; live seconds stay above it. */
  load(rates: Rates): void {
    this.window = rates.window;
    this.step = rates.step;
    this.base = new Map(rates.points.map(([at, ...counts]) => [at, counts]));
  }

  /** Forgets the live seconds: another source, or a log that starts over. */
  reset(): void {
    this.base?.clear();
    this.live.clear();
    this.gaps = [];
  }

  /** Whole values of seconds: they replace, they do not add. */
  merge(seconds: Point[]): void {
    for (const [at, ...counts] of seconds) this.live.set(at, counts);
    if (this.live.size <= KEPT_SECONDS) return;
    const kept = [...this.live.keys()].sort((a, b) => b - a).slice(0, KEPT_SECONDS - 100);
    this.live = new Map(kept.map((at) => [at, this.live.get(at) ?? []]));
  }

  /** Every step of the window up to `now` (unix seconds). A step counted twice takes the larger: both only ever lack tasks. */
  steps(now: number): Step[] {
    const { step } = this;
    const sums = this.liveSums();
    const last = Math.floor(now / step) * step - (step === 1 ? 1 : 0);
    const steps: Step[] = [];
    const known = this.base ? Number.NEGATIVE_INFINITY : Math.min(...sums.keys());
    for (let at = last - this.window + step; at <= last; at += step) {
      const [base, live] = [this.base?.get(at) ?? [], sums.get(at) ?? []];
      const counts = [0, 1, 2, 3, 4].map((index) => Math.max(base[index] ?? 0, live[index] ?? 0));
      // The step that is not over yet is divided by the time it has had.
      const seconds = Math.min(step, Math.max(now - at, Math.min(step, 4)));
      const away = at < known || this.gaps.some((gap) => gap.to === null && at >= gap.from);
      steps.push({ at, counts, rates: counts.map((count) => (away ? null : count / seconds)) });
    }
    return steps;
  }

  private liveSums(): Map<number, number[]> {
    const sums = new Map<number, number[]>();
    for (const [second, counts] of this.live) {
      const at = Math.floor(second / this.step) * this.step;
      const sum = sums.get(at) ?? [0, 0, 0, 0, 0];
      sums.set(at, sum);
      counts.forEach((count, index) => {
        sum[index] = (sum[index] ?? 0) + count;
      });
    }
    return sums;
  }

  gap(from: number, to: number | null): void {
    this.gaps = this.gaps.filter((gap) => gap.to !== null).slice(-19);
    this.gaps.push({ from, to });
  }
}

/** The unit in which the highest rate is a number worth an integer axis. */
export function unit(highest: number): { name: string; seconds: number } {
  if (highest >= 1.5 || highest === 0) return { name: "second", seconds: 1 };
  if (highest * 60 >= 1.5) return { name: "minute", seconds: 60 };
  return { name: "hour", seconds: 3600 };
}
