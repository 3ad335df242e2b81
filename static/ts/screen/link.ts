/* The connection of a screen: comes again for ever, at times that many screens do not share. */
import { io, type Socket } from "socket.io-client";
import type { Answer, Order, Say } from "./orders.ts";
import { moment, Waits } from "./waits.ts";

const REFUSED = "refused";
const ANSWER_WITHIN = 10_000;
/** A connection that the server ends so soon, so often, is wanted by another browser with the same key. */
const SOON = 15_000;
const OFTEN = 4;
/** Who asks for the state does so within this, and no more often than that. */
const SPREAD = 1000;
const RENEW_EVERY = 10_000;
const GIVE_WAY_FOR = 30_000;

export interface State {
  device: string;
  groups: string[];
  tags: string[];
  emergency: Record<string, unknown> | null;
}

export interface Obeying {
  auth(): { key: string; last: number | null };
  /** Asks before each attempt whether the key is good, and may be used now. */
  mayConnect(): Promise<Leave>;
  connected(say: Say): void;
  state(state: State): void;
  command(order: Order): void;
  lost(): void;
  /** Another browser has the same key, or no more. */
  contested(is: boolean): void;
}

export interface Leave {
  /** `false` ends the link. */
  good: boolean;
  /** The server asks not to come again before so many seconds. */
  retryAfter: number | null;
}

export class Link {
  private readonly socket: Socket;
  private readonly waits = new Waits();
  private endedSoon = 0;
  private renewedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly obeying: Obeying) {
    const auth = (give: (auth: object) => void) => give(obeying.auth());
    const transports = ["websocket", "polling"];
    this.socket = io("/devices", {
      auth,
      transports,
      tryAllTransports: true,
      reconnection: false,
      autoConnect: false,
      forceNew: true,
      timeout: 8000,
    });
    this.socket.on("state", (state: State) => obeying.state(state));
    this.socket.on("command", (order: Order) => obeying.command(order));
  }

  /** Connects again and again, until the key is good no more. */
  async keep(): Promise<void> {
    for (;;) {
      const { good, retryAfter } = await this.obeying.mayConnect();
      if (!good) break;
      const since = performance.now();
      const reason = retryAfter === null ? await this.once() : REFUSED;
      this.obeying.lost();
      await moment(this.pause(reason, performance.now() - since, retryAfter));
    }
    this.socket.disconnect();
  }

  /** Says what is seen now; who is away says it when it is back. */
  showing(what: { kind: string; label: string }): void {
    if (this.socket.connected) this.socket.emit("showing", what);
  }

  /** Connects anew to hear the state, at a time that many screens do not share, and seldom however often it is called; `false`: it is away. */
  renew(): boolean {
    if (!this.socket.connected) return false;
    const { id } = this.socket;
    const now = performance.now();
    const wait = Math.max(0, this.renewedAt + RENEW_EVERY - now) + Math.random() * SPREAD;
    this.renewedAt = now + wait;
    // One that came again meanwhile has heard it.
    setTimeout(() => this.socket.id === id && this.drop(), wait);
    return true;
  }

  /** Drops the connection; it comes again by itself. */
  drop(): void {
    this.socket.disconnect();
  }

  /** One connection, from its attempt to its end; why it ended. */
  private once(): Promise<string> {
    return new Promise((ended) => {
      const over = (reason: string) => {
        for (const event of ["connect", "connect_error", "disconnect"]) this.socket.off(event);
        this.socket.disconnect();
        ended(reason);
      };
      this.socket.on("connect", () => this.obeying.connected((word, about) => this.say(word, about)));
      this.socket.on("connect_error", () => over(REFUSED));
      this.socket.on("disconnect", over);
      this.socket.connect();
    });
  }

  /** Nothing is answered: the connection is dropped, and what is open comes again with the next. */
  private async say(word: string, about: { id: number; text?: string }): Promise<Answer> {
    try {
      return (await this.socket.timeout(ANSWER_WITHIN).emitWithAck(word, about)) as Answer;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** How long to wait after a connection that ended so, or was refused. */
  private pause(reason: string, lasted: number, retryAfter: number | null): number {
    const soon = reason === "io server disconnect" && lasted < SOON;
    this.endedSoon = soon ? this.endedSoon + 1 : 0;
    const contested = this.endedSoon >= OFTEN;
    this.obeying.contested(contested);
    if (reason === REFUSED) return this.waits.next(performance.now(), retryAfter);
    this.waits.reset();
    return contested ? this.waits.spread(GIVE_WAY_FOR) : this.waits.soon();
  }
}
