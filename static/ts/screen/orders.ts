/* Commands, done one after the other: each is acknowledged first, and done only when the answer says so. */
export interface Order {
  id: number;
  function: string;
  parameters: Record<string, unknown>;
}

export interface Answer {
  execute?: boolean;
  error?: string;
}

/** How a command is carried out: text for the report at once, or later where it takes long; what it throws is why it failed. */
export type Perform = (order: Order) => string | Promise<string>;

/** Says `ack`, `done` or `failed`, and gives what is answered; it throws when nothing is. */
export type Say = (word: string, about: { id: number; text?: string }) => Promise<Answer>;

const MAX_WAITING = 500;
const AGAIN_AFTER = 1000;

export class Orders {
  private waiting: Order[] = [];
  private busy = false;
  private say: Say | null = null;

  /** `note` keeps the id as the last, before the command is done. */
  constructor(
    private readonly perform: Perform,
    private readonly note: (id: number) => void,
    private readonly pause: (milliseconds: number) => Promise<void> = pauseFor,
  ) {}

  /** A connection is there; what an older one brought is brought again. */
  begin(say: Say): void {
    this.waiting = [];
    this.say = say;
  }

  end(): void {
    this.waiting = [];
    this.say = null;
  }

  async take(order: Order): Promise<void> {
    if (this.waiting.some((it) => it.id === order.id) || this.waiting.length >= MAX_WAITING) return;
    this.waiting.push(order);
    if (this.busy) return;
    this.busy = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      // Cut off: the next connection brings it again.
      await this.obey(next, this.say).catch(() => undefined);
    }
    this.busy = false;
  }

  private async obey(order: Order, say: Say | null): Promise<void> {
    if (!say || !(await this.mayDo(order.id, say))) return;
    this.note(order.id);
    const report = (word: string, text: string) => say(word, { id: order.id, ...(text ? { text } : {}) });
    const fail = (error: unknown) => report("failed", error instanceof Error ? error.message : String(error));
    let done: string | Promise<string>;
    try {
      done = this.perform(order);
    } catch (error) {
      return void (await fail(error));
    }
    // What takes long is begun in its turn, and holds up nothing: an emergency may be next.
    if (typeof done === "string") await report("done", done);
    else done.then((text) => report("done", text), fail).catch(() => undefined);
  }

  private async mayDo(id: number, say: Say): Promise<boolean> {
    for (let answer = await say("ack", { id }); ; answer = await say("ack", { id })) {
      if (!answer.error || this.say !== say) return answer.execute === true;
      await this.pause(AGAIN_AFTER);
    }
  }
}

function pauseFor(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
