/* What a command changes on the stage; those that change something else are not known here. */
import { type Content, matching, type Sensed, type Showable } from "./content.ts";
import type { Order } from "./orders.ts";
import { emergency, type Stage } from "./stage.ts";

/** The stage after the command, and what is reported of it; `null`: it changes nothing on the stage.
 * @throws when it cannot be done, and says why. */
export function changed(stage: Stage, order: Order, content: Content, now: number): [Stage, string] | null {
  const { parameters } = order;
  const until = seconds(parameters.seconds, now);
  switch (order.function) {
    case "load_url":
      return [over(stage, String(parameters.url), until), covered(stage, "shown")];
    case "enable_emergency":
      return [{ ...stage, emergency: emergency(parameters) }, "shown"];
    case "disable_emergency":
      return [{ ...stage, emergency: null }, stage.emergency ? "ended" : "there was none"];
    case "pause_loop":
      return [{ ...stage, paused: true }, "paused"];
    case "resume_loop":
      return [{ ...stage, paused: false, url: null, rule: null }, "goes on"];
    case "snooze":
      return [{ ...stage, snooze: { until } }, covered({ ...stage, snooze: null }, "asleep")];
    case "wake":
      return [{ ...stage, snooze: null }, stage.snooze ? "awake" : "was awake"];
    case "send_sensor_event_data":
      return ruled(stage, (parameters.sensor_data ?? {}) as Sensed, content, now);
    default:
      return null;
  }
}

/** The stage when the content is read again. Who orders that takes an address and a rule's show away; with `quiet` the server
 * only tells that the content is another, and what stands over the loop stays. */
export function refreshed(stage: Stage, { quiet }: Record<string, unknown>): Stage {
  return quiet === true ? stage : { ...stage, url: null, rule: null, turn: stage.turn + 1 };
}

/** Seen now, or not before something that covers it ends. */
export function covered(stage: Stage, text: string): string {
  if (stage.emergency) return `${text}, under an emergency`;
  return stage.snooze ? `${text}, while asleep` : text;
}

function over(stage: Stage, url: string, until: number | null): Stage {
  const item: Showable = { type: "web", url };
  // Another turn, so that the same address is loaded again.
  return { ...stage, turn: stage.turn + 1, url: { item, until }, rule: null };
}

function ruled(stage: Stage, said: Sensed, { rules }: Content, now: number): [Stage, string] {
  const rule = matching(rules, said);
  if (!rule) return [stage, "no rule matches"];
  const text = covered(stage, `rule ${rules.indexOf(rule) + 1} matches`);
  return [{ ...stage, turn: stage.turn + 1, rule: { item: rule.show, until: now + rule.seconds * 1000 } }, text];
}

function seconds(value: unknown, now: number): number | null {
  return typeof value === "number" ? now + value * 1000 : null;
}
