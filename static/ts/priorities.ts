/* The priorities in their order, each with a symbol, so that nobody needs the colour. */
export const PRIORITIES = ["Low", "Moderate", "Major", "Critical", "other"] as const;
export type Priority = (typeof PRIORITIES)[number];

export const SYMBOLS: Record<Priority, string> = { Low: "▽", Moderate: "◇", Major: "△", Critical: "◆", other: "○" };

export function word(priority: Priority): string {
  return priority === "other" ? "Other" : priority;
}
