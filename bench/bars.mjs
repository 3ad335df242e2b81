// What the sections that hold bars say alike: when, of which commit and how they were measured, and whether each bar is met.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { median } from "./figures.mjs";

/** The first words of a section: the script that wrote it, when, of which commit, on what. */
export function measuredBy(script) {
  const commit = execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  const date = new Date().toISOString().slice(0, 10);
  return `\`node bench/${script}.mjs\`, a part of \`make bench\`, wrote this section on ${date} (commit ${commit}, ${cpus().length} × ${cpus()[0].model}).`;
}

/** A line for a bar: what is asked, what was measured, and whether that is enough. */
export function bar(what, measured, isMet) {
  return `- ${isMet ? "met" : "**not met**"}: ${what}; measured: ${measured}.`;
}

/** `median (least–most)`, each as `show` writes it. */
export function spread(values, show) {
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

export const whole = (value) => Math.round(value).toLocaleString("en-US");
export const hundredths = (value) => value.toFixed(2);
