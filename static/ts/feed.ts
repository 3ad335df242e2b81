/* The live connection: joins with the last offset it has, so that nothing is missed, and knows how fresh the page is. */
import { io, type Socket } from "socket.io-client";
import { tell } from "./clock.ts";
import { ANSWERED } from "./dom.ts";
import type { Frame } from "./wire.ts";

/** A frame comes at least every second; none for this long means that something is stuck. */
const STALE_AFTER = 5000;
/** What an attempt to connect is given before a better moment ends it. */
const HURRY_EVERY = 1000;

/** Who is refused comes again after two to five seconds. */
const REFUSED_FOR = 2000;
const SPREAD = 3000;

export type State = "connecting" | "live" | "reconnecting" | "stale";

export interface Listener {
  /** `whole` says that the frame does not continue the one before: what was gathered so far is to be read again. */
  frame(frame: Frame, whole: boolean): void;
  /** The connection was away from the first time to the second (ms); `null` while it still is. */
  gap(from: number, to: number | null): void;
}

type Joined = { recovered: boolean; frame: Frame };
type Refused = { error: string };

export class Feed {
  head: number | null = null;
  lastFrame = 0;
  private readonly socket: Socket;
  private joined = false;
  private away = 0;
  private turn = 0;
  private reread: string | null | undefined;
  private refusal = 0;
  private triedAt = Date.now();

  constructor(
    private readonly listener: Listener,
    private source: string | null,
  ) {
    this.socket = io("/live", {
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: 250,
      reconnectionDelayMax: 2500,
      timeout: 5000,
    });
    this.socket.on("connect", () => this.join());
    this.socket.on("frame", (frame: Frame) => this.joined && this.take(frame, false));
    this.socket.on("disconnect", () => this.lost());
    this.socket.on("connect_error", () => this.refused());
    this.socket.io.on("reconnect_failed", () => this.socket.connect());
    this.socket.io.on("reconnect_attempt", () => {
      this.triedAt = Date.now();
    });
    // Timers sleep with the machine and in hidden tabs; these are signs that the server can be reached now.
    document.addEventListener("visibilitychange", () => !document.hidden && this.hurry());
    addEventListener("online", () => this.hurry());
    addEventListener(ANSWERED, () => !this.joined && this.hurry());
  }

  /** Follows another source (`null`: all); everything shown is then read anew. */
  follow(source: string | null): void {
    this.source = source;
    this.head = null;
    this.joined = false;
    if (this.socket.connected) this.join();
  }

  state(): { state: State; age: number } {
    const age = this.lastFrame ? Date.now() - this.lastFrame : 0;
    if (!this.lastFrame) return { state: "connecting", age };
    if (!this.socket.connected || !this.joined) return { state: "reconnecting", age };
    return { state: age > STALE_AFTER ? "stale" : "live", age };
  }

  private join(since = this.head): void {
    const turn = ++this.turn;
    const ask = { since, source: this.source };
    this.socket.timeout(8000).emit("join", ask, (error: Error | null, answer: Joined | Refused) => {
      if (turn !== this.turn) return;
      if (error) return this.again();
      // As many sources are followed as may be: somebody leaves sooner or later.
      if ("error" in answer) return void setTimeout(() => this.again(), 3000);
      this.joined = true;
      const whole = since === null || !answer.recovered || answer.frame.head < since;
      if (this.away) this.listener.gap(this.away, Date.now());
      this.away = 0;
      this.take(answer.frame, whole);
    });
  }

  /** The server took the connection but did not answer: start over. */
  private again(): void {
    this.socket.disconnect().connect();
  }

  /** Connects at once instead of at the next turn; an answer to a join that is on its way is waited for. */
  private hurry(): void {
    const joining = this.socket.connected && !this.joined;
    if (joining || this.state().state === "live" || Date.now() - this.triedAt < HURRY_EVERY) return;
    this.triedAt = Date.now();
    this.again();
  }

  /** The server said no, which the library takes for an end: a session that ran out may be renewed, or a server may be starting. */
  private refused(): void {
    if (this.socket.active) return;
    clearTimeout(this.refusal);
    this.refusal = window.setTimeout(
      () => this.socket.active || this.socket.connect(),
      REFUSED_FOR + Math.random() * SPREAD,
    );
  }

  private lost(): void {
    this.joined = false;
    if (!this.lastFrame || this.away) return;
    this.away = this.lastFrame;
    this.listener.gap(this.away, null);
  }

  private take(frame: Frame, whole: boolean): void {
    tell(frame.at);
    this.lastFrame = Date.now();
    this.head = frame.head;
    this.listener.frame(frame, whole);
    const old = this.reread !== undefined && this.reread !== frame.reread;
    this.reread = frame.reread;
    // What is shown of kept events is no longer what they are.
    if (old && !whole) this.join(null);
  }
}
