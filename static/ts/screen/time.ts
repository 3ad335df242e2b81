/* What time the server has, held against the steady clock of the page: the machine's own clock may be years behind, and may be put right at any moment. */

/** The header tells whole seconds; a clock that is this close is taken for right. */
const CLOSE_ENOUGH = 3000;
/** Steady clocks drift, too. */
const GOOD_FOR = 600_000;
/** The two clocks part when the machine sleeps, or when its clock is set. */
const APART = 5000;

export class Time {
  /** What is added to the steady clock, and when that was learned. */
  private ahead: number | null = null;
  private learned = 0;
  private between: number;

  /** `wall` is the machine's clock in milliseconds since 1970, `steady` one that is never set. */
  constructor(
    private readonly wall: () => number,
    private readonly steady: () => number,
  ) {
    this.between = wall() - steady();
  }

  /** The server's time; before its first answer what the machine had when the page began. */
  now(): number {
    return this.steady() + (this.ahead ?? this.between);
  }

  /** The server said what time it is, in the words of HTTP. */
  note(date: string | null): void {
    const told = Date.parse(date ?? "");
    if (Number.isNaN(told)) return;
    const [wall, steady] = [this.wall(), this.steady()];
    this.ahead = (Math.abs(told - wall) > CLOSE_ENOUGH ? told : wall) - steady;
    this.learned = steady;
    this.between = wall - steady;
  }

  /** The server is to be asked again: too long ago, or the machine slept, or its clock was set. */
  isStale(): boolean {
    const [wall, steady] = [this.wall(), this.steady()];
    return this.ahead === null || steady - this.learned >= GOOD_FOR || Math.abs(wall - steady - this.between) > APART;
  }
}
