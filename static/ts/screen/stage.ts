/* What a screen shows at a moment: a pure machine over the loop, what was put over it, sleep, and an emergency. Times are milliseconds since 1970. */
import { type Item, isSame, type Showable } from "./content.ts";

/** What cannot be shown says so for this long, then the loop goes on. */
const BRIEFLY = 4000;

export interface Over {
  item: Showable;
  /** `null`: until it is taken away. */
  until: number | null;
}

export interface Emergency {
  text: string;
  title: string;
  color: string;
  sound: boolean;
  until: number | null;
}

export interface Stage {
  /** Where the loop stands, and how long its item stays from `clock` on. */
  at: number;
  left: number;
  clock: number;
  /** Another number when an item begins, also when it is the same item. */
  turn: number;
  paused: boolean;
  url: Over | null;
  rule: Over | null;
  snooze: { until: number | null } | null;
  emergency: Emergency | null;
}

export type Shown =
  | { kind: "emergency"; emergency: Emergency }
  | { kind: "snoozed" }
  | { kind: "rule" | "url" | "loop" | "paused"; item: Showable }
  | { kind: "empty" };

export function begin(items: Item[], now: number): Stage {
  const nothing = { paused: false, url: null, rule: null, snooze: null, emergency: null };
  return { at: 0, left: lasting(items[0]), clock: now, turn: 0, ...nothing };
}

/** What is to be seen: an emergency before sleep, sleep before a rule, a rule before an address, an address before the loop. */
export function shown(stage: Stage, items: Item[]): Shown {
  if (stage.emergency) return { kind: "emergency", emergency: stage.emergency };
  if (stage.snooze) return { kind: "snoozed" };
  return beneath(stage, items);
}

/** What is to be seen when neither an emergency nor sleep covers it. */
export function beneath(stage: Stage, items: Item[]): Shown {
  if (stage.rule) return { kind: "rule", item: stage.rule.item };
  if (stage.url) return { kind: "url", item: stage.url.item };
  const item = items[stage.at];
  return item ? { kind: stage.paused ? "paused" : "loop", item } : { kind: "empty" };
}

/** The stage at a later time. The loop's time goes by only while the loop is seen; after an item comes the next with its whole time, however late it is. */
export function advance(stage: Stage, items: Item[], now: number): Stage {
  const later = { ...stage, ...unended(stage, now), clock: now };
  if (shown(stage, items).kind !== "loop") return later;
  later.left -= Math.max(0, now - stage.clock);
  return later.left > 0 ? later : turned(later, items, (stage.at + 1) % items.length);
}

/** The emergency that ended by itself between the two; another may still hold, which the server knows. */
export function lapsed(before: Stage, after: Stage): Emergency | null {
  return after.emergency ? null : before.emergency;
}

/** When there is something to do next; `null`: not before something happens. */
export function nextChange(stage: Stage, items: Item[]): number | null {
  const covers = [stage.emergency, stage.snooze, stage.rule, stage.url];
  const ends = covers.map((it) => it?.until ?? null).filter((until) => until !== null);
  if (shown(stage, items).kind === "loop") ends.push(stage.clock + stage.left);
  return ends.length > 0 ? Math.min(...ends) : null;
}

/** The item that the loop shows next. */
export function following(stage: Stage, items: Item[]): { item: Item; turn: number } | null {
  const item = items[(stage.at + 1) % Math.max(1, items.length)];
  return item ? { item, turn: stage.turn + 1 } : null;
}

/** With other items: it stays at what it shows where that is still among them. */
export function withItems(stage: Stage, before: Item[], items: Item[]): Stage {
  const current = before[stage.at];
  if (isSame(current, items[stage.at]) && items[stage.at]) return stage;
  const moved = items.findIndex((item) => isSame(item, current));
  return moved < 0 ? turned(stage, items, stage.at < items.length ? stage.at : 0) : { ...stage, at: moved };
}

/** What the loop shows cannot be shown: it goes on soon. */
export function failed(stage: Stage): Stage {
  return { ...stage, left: Math.min(stage.left, BRIEFLY) };
}

/** What was last put on the screen, and in which turn it turned out that it cannot be shown. */
export interface Mounted {
  id: string;
  failedIn: number | null;
}

/** Whether this is to be put there: something else, or in another turn what could not be shown. */
export function isToMount(mounted: Mounted | null, id: string, turn: number): boolean {
  if (mounted?.id !== id) return true;
  return mounted.failedIn !== null && mounted.failedIn !== turn;
}

/** The stage that was kept as JSON, as it goes on now; `null`: it cannot be read. What has ended meanwhile is gone. */
export function revive(text: string | null, items: Item[], now: number): Stage | null {
  const fresh = begin(items, now);
  const kept = text === null ? null : parsed(text);
  if (!kept || !Number.isInteger(kept.at) || !Number.isFinite(kept.left)) return null;
  const stage: Stage = { ...fresh, ...kept, clock: now };
  const there = items[stage.at] ? stage : { ...stage, at: 0, left: fresh.left };
  return { ...there, ...unended(there, now), left: Math.min(Math.max(1, there.left), lasting(items[there.at])) };
}

/** The parameters of an emergency, as they come from the server. */
export function emergency(parameters: Record<string, unknown>): Emergency {
  const text = (name: string, usual: string) => {
    const value = parameters[name];
    return typeof value === "string" && value !== "" ? value : usual;
  };
  const until = Date.parse(text("until", ""));
  const color = text("color", "#b00020");
  return {
    text: text("text", ""),
    title: text("title", ""),
    color: /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(color) ? color : "#b00020",
    sound: parameters.sound === true,
    until: Number.isNaN(until) ? null : until,
  };
}

function turned(stage: Stage, items: Item[], at: number): Stage {
  return { ...stage, at, left: lasting(items[at]), turn: stage.turn + 1 };
}

function lasting(item: Item | undefined): number {
  return Math.max(1, item?.seconds ?? 1) * 1000;
}

function unended(stage: Stage, now: number): Pick<Stage, "url" | "rule" | "snooze" | "emergency"> {
  const still = <T extends { until: number | null }>(it: T | null) => (it && (it.until ?? Infinity) > now ? it : null);
  return {
    url: still(stage.url),
    rule: still(stage.rule),
    snooze: still(stage.snooze),
    emergency: still(stage.emergency),
  };
}

function parsed(text: string): Partial<Stage> | null {
  try {
    return JSON.parse(text) as Partial<Stage> | null;
  } catch {
    return null;
  }
}
