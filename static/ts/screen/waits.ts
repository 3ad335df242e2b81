/* How long a screen waits before it tries again: soon at first, seldom after a while, and never sooner than the server asks. */
export const SHORTEST = 500;
const LONGEST = 5000;
/** After so long without the server it is asked less. */
const AWAY_LONG = 60_000;
const LONGEST_THEN = 30_000;
const GROWS = 1.6;

export class Waits {
  private wait = SHORTEST;
  private since: number | null = null;

  /** `random` is from 0 to 1: many screens do not come at one time. */
  constructor(private readonly random: () => number = Math.random) {}

  /** There was a connection: what follows is tried soon. */
  reset(): void {
    this.wait = SHORTEST;
    this.since = null;
  }

  /** The wait after a connection that ended. */
  soon(): number {
    return this.spread(SHORTEST * 2);
  }

  /** The wait after an attempt that failed at the time `now`; the server may have told how many seconds are to pass. */
  next(now: number, retryAfter: number | null = null): number {
    this.since ??= now;
    const longest = now - this.since < AWAY_LONG ? LONGEST : LONGEST_THEN;
    this.wait = Math.min(longest, this.wait * GROWS);
    const asked = retryAfter === null ? 0 : retryAfter * 1000 + this.random() * SHORTEST;
    return Math.max(asked, this.spread(this.wait));
  }

  /** A wait of at most `longest` milliseconds. */
  spread(longest: number): number {
    return SHORTEST + this.random() * Math.max(SHORTEST, longest - SHORTEST);
  }
}

/** Waits so long, or until the network is there again. */
export function moment(milliseconds: number): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(over, milliseconds);
    function over() {
      clearTimeout(timer);
      removeEventListener("online", over);
      done();
    }
    addEventListener("online", over);
  });
}
