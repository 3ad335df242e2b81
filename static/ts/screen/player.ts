/* The player: keeps what is seen as the stage says it, and does what commands say. */
import type { Alarm } from "./alarm.ts";
import { changed, refreshed } from "./commands.ts";
import { type Content, EMPTY, isSame, label, type Showable, whole } from "./content.ts";
import type { Data } from "./data.ts";
import type { Layers } from "./layers.ts";
import type { Toast } from "./marks.ts";
import type { Memory } from "./memory.ts";
import type { Order } from "./orders.ts";
import { type Server, serverTime } from "./server.ts";
import * as stages from "./stage.ts";
import { idle, type Means, notice, view } from "./views.ts";

/** The next item is loaded so long before it is seen. */
const BEFOREHAND = 6000;
/** What cannot be shown, and stays, is tried again. */
const AGAIN_AFTER = 10_000;
/** So long an emergency that has ended waits for the server's word. */
const ANSWER_WITHIN = 5000;
/** Timers of browsers end at 24 days. */
const LONGEST = 3_600_000;
/** What is kept when it becomes another; the rest goes by with time. */
const KEPT = ["at", "turn", "paused", "url", "rule", "snooze", "emergency"] as const;

export interface Parts {
  name: string;
  memory: Memory;
  server: Server;
  data: Data;
  layers: Layers;
  alarm: Alarm;
  toast: Toast;
  /** Asks the server for the state; `false`: it is away. */
  ask(): boolean;
  /** Says what is seen. */
  tell(what: { kind: string; label: string }): void;
}

export class Player {
  /** The command to restart that was taken. */
  restarting: number | null = null;
  private content: Content = EMPTY;
  private stage: stages.Stage;
  private timer = 0;
  private retry = 0;
  private lapsed: stages.Emergency | null = null;
  private unanswered = 0;
  private mounted: stages.Mounted | null = null;
  private told = { kind: "", label: "" };

  constructor(private readonly parts: Parts) {
    const { memory, data } = parts;
    this.content = whole(parsed(memory.get("content")));
    data.set(this.content.datasources);
    const now = serverTime();
    this.stage = stages.revive(memory.get("stage"), this.content.items, now) ?? stages.begin(this.content.items, now);
    addEventListener("pagehide", () => this.keep());
    this.look();
  }

  /** Does a command; gives what is reported of it. */
  perform(order: Order): string | Promise<string> {
    const { parameters } = order;
    this.advance();
    const [stage, said] = changed(this.stage, order, this.content, serverTime()) ?? [null, ""];
    if (stage) {
      if (order.function.endsWith("able_emergency")) this.lapsed = null;
      this.put(stage);
      return said;
    }
    switch (order.function) {
      case "show_toast":
        return this.toast(String(parameters.text), parameters.seconds);
      case "refresh_datasource":
        return this.parts.data.refresh(typeof parameters.datasource === "string" ? parameters.datasource : null);
      case "refresh_content":
        return this.refresh(parameters);
      case "restart_device":
        this.restarting = order.id;
        return "restarting";
      default:
        throw new Error(`this screen does not know ${order.function}; reload it`);
    }
  }

  /** The server's time is known anew: what has ended, or goes on longer, is seen. */
  timeTold(): void {
    this.look();
  }

  /** Reads the content again. */
  async read(): Promise<Content> {
    const told = await this.parts.server.content();
    const content = whole(told.content);
    if (!isSame(content, this.content) || this.parts.memory.get("content") === null) {
      this.parts.memory.set("content", JSON.stringify(content));
      this.parts.data.set(content.datasources);
      const before = this.content.items;
      this.content = content;
      this.put(stages.withItems(this.stage, before, content.items));
    }
    return content;
  }

  /** What the server says of emergencies when the screen connects. */
  hear(emergency: Record<string, unknown> | null): void {
    this.lapsed = null;
    this.put({ ...this.stage, emergency: emergency && stages.emergency(emergency) });
    this.parts.tell(this.told);
  }

  private async refresh(parameters: Record<string, unknown>): Promise<string> {
    this.put(refreshed(this.stage, parameters));
    const { items } = await this.read();
    return `${items.length} ${items.length === 1 ? "item" : "items"}`;
  }

  private toast(text: string, seconds: unknown): string {
    if (this.stage.snooze) throw new Error("nobody sees it: the screen is asleep");
    if (this.stage.emergency) throw new Error("nobody sees it: the screen shows an emergency");
    this.parts.toast.show(text, typeof seconds === "number" ? seconds : null);
    return "shown";
  }

  private put(stage: stages.Stage): void {
    const isOther = KEPT.some((name) => !isSame(stage[name], this.stage[name]));
    this.stage = stage;
    if (isOther) this.keep();
    this.look();
  }

  private keep(): void {
    this.parts.memory.set("stage", JSON.stringify(this.stage));
  }

  /** Brings what is seen in line with the stage, and comes again when that will be another. */
  private look(): void {
    const { items } = this.content;
    const before = this.stage;
    this.advance();
    if (KEPT.some((name) => this.stage[name] !== before[name])) this.keep();
    const emergency = this.stage.emergency ?? this.lapsed;
    const shown = stages.shown({ ...this.stage, emergency }, items);
    this.parts.alarm.show(emergency);
    document.body.classList.toggle("alarmed", shown.kind === "emergency");
    document.body.classList.toggle("snoozed", shown.kind === "snoozed");
    this.tell(shown);
    if (this.stage.snooze) this.sleep();
    else void this.mount(stages.beneath(this.stage, items));
    this.comeAgain(shown.kind === "loop");
  }

  /** An emergency that ends by itself stays until the server has said whether another holds, unless it is away. */
  private advance(): void {
    const before = this.stage;
    this.stage = stages.advance(before, this.content.items, serverTime());
    const lapsed = stages.lapsed(before, this.stage);
    if (!lapsed || !this.parts.ask()) return;
    this.lapsed = lapsed;
    clearTimeout(this.unanswered);
    this.unanswered = window.setTimeout(() => {
      this.lapsed = null;
      this.look();
    }, ANSWER_WITHIN);
  }

  private comeAgain(inLoop: boolean): void {
    clearTimeout(this.timer);
    const soon = inLoop && this.stage.left <= BEFOREHAND;
    if (soon) this.prepare();
    const next = stages.nextChange(this.stage, this.content.items);
    if (next === null) return;
    const wait = next - serverTime();
    const until = inLoop && !soon ? Math.min(wait, this.stage.left - BEFOREHAND) : wait;
    this.timer = window.setTimeout(() => this.look(), Math.min(LONGEST, Math.max(1, until)));
  }

  private prepare(): void {
    const next = stages.following(this.stage, this.content.items);
    if (next) this.parts.layers.prepare(idOf(next.item, next.turn), () => view(next.item, this.means));
  }

  /** Black, and silent: what was loaded ends. */
  private sleep(): void {
    this.mounted = null;
    this.parts.layers.clear();
  }

  private async mount(shown: stages.Shown): Promise<void> {
    const { layers, name } = this.parts;
    const item = "item" in shown ? shown.item : null;
    const id = item ? idOf(item, this.stage.turn) : "idle";
    if (!stages.isToMount(this.mounted, id, this.stage.turn)) return;
    const mounted: stages.Mounted = { id, failedIn: null };
    this.mounted = mounted;
    clearTimeout(this.retry);
    const fail = (trouble: string) => this.failed(mounted, item, trouble);
    const trouble = await layers.show(id, () => (item ? view(item, this.means) : idle(name)), fail);
    if (trouble !== null) fail(trouble);
  }

  /** Says why it cannot be shown. The loop goes on soon, and tries it anew in its next turn; what stays is tried again. */
  private failed(mounted: stages.Mounted, item: Showable | null, trouble: string): void {
    if (!item || this.mounted !== mounted) return;
    mounted.failedIn = this.stage.turn;
    void this.parts.layers.show(`${mounted.id} failed`, () => notice(label(item), trouble));
    if (stages.beneath(this.stage, this.content.items).kind === "loop") this.put(stages.failed(this.stage));
    else this.retry = window.setTimeout(() => this.tryAgain(), AGAIN_AFTER);
  }

  private tryAgain(): void {
    this.mounted = null;
    this.look();
  }

  private tell(shown: stages.Shown): void {
    const what = said(shown);
    if (isSame(what, this.told)) return;
    this.told = what;
    this.parts.tell(what);
  }

  private get means(): Means {
    return { data: this.parts.data, session: () => this.parts.server.session() };
  }
}

/** The same for what need not be loaded again: a card or the dashboard that follows itself. Pages and images are loaded again in each turn. */
function idOf(item: Showable, turn: number): string {
  const isLive = item.type === "card" || item.type === "dashboard";
  return isLive ? JSON.stringify(item) : `${turn} ${JSON.stringify(item)}`;
}

function said(shown: stages.Shown): { kind: string; label: string } {
  switch (shown.kind) {
    case "emergency":
      return {
        kind: "emergency",
        label: [shown.emergency.title, shown.emergency.text].filter(Boolean).join(": ").slice(0, 200),
      };
    case "snoozed":
      return { kind: "snoozed", label: "" };
    case "empty":
      return { kind: "card", label: "Nothing to show" };
    case "loop":
      return { kind: shown.item.type, label: label(shown.item) };
    default:
      return { kind: shown.kind, label: label(shown.item) };
  }
}

function parsed(text: string | null): Partial<Content> | null {
  try {
    return text === null ? null : (JSON.parse(text) as Partial<Content>);
  } catch {
    return null;
  }
}
