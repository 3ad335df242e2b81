/* The one badge that says how fresh the page is. */
import { find, need, setText } from "./dom.ts";
import { duration } from "./format.ts";

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  paused: "Paused",
  reconnecting: "Reconnecting",
  stale: "Stale",
  ended: "Done",
} as const;

export type Badge = keyof typeof WORDS;

/** The age is hidden from screen readers: they hear the state when it changes, not every second of it. */
export function badge(state: Badge, ageMs = 0): void {
  const node = need("#badge");
  node.hidden = false;
  node.dataset.state = state;
  setText(find("[data-word]", node), WORDS[state]);
  const aged = state === "stale" || (state === "reconnecting" && ageMs > 3000);
  setText(find("[data-age]", node), aged ? duration(ageMs / 1000) : "");
}
