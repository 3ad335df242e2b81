/* Keeps something good that ends after a while: renewed in time, and soon again where that failed. */
export type Later = (work: () => void, milliseconds: number) => () => void;

const AGAIN_AFTER = 10_000;

export class Renewal {
  private cancel: () => void = () => undefined;
  private turn = 0;

  constructor(
    private readonly renew: () => Promise<void>,
    private readonly every: number,
    private readonly later: Later = timed,
  ) {}

  /** Renews now, and from now on every so often.
   * @throws when it fails; it is tried again all the same. */
  async now(): Promise<void> {
    this.cancel();
    const turn = ++this.turn;
    try {
      await this.renew();
      this.come(turn, this.every);
    } catch (error) {
      this.come(turn, AGAIN_AFTER);
      throw error;
    }
  }

  end(): void {
    this.cancel();
    this.turn += 1;
  }

  private come(turn: number, after: number): void {
    if (turn !== this.turn) return;
    this.cancel = this.later(() => void this.now().catch(() => undefined), after);
  }
}

function timed(work: () => void, milliseconds: number): () => void {
  const timer = setTimeout(work, milliseconds);
  return () => clearTimeout(timer);
}
