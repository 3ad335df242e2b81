/* The labels of a time axis: at round times, in the reader's own zone. */
import type { Scale } from "chart.js";

/** Seconds that may lie between two labels. */
const MINUTES = [60, 180, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200];
const DAYS = [1, 2, 7, 14, 30, 90, 365].map((days) => days * 86_400);
const TICKS = [10, 15, 20, 30, ...MINUTES, ...DAYS];
/** The widths of `14:07:10`, `14:07` and `11-22` with room beside them, in pixels. */
export const LABEL = { seconds: 72, minutes: 56, days: 56 };

/** Puts labels of this width at round times; the axis is in seconds. */
export function roundTimes(axis: Scale, width: number): void {
  const least = (axis.max - axis.min) / (axis.width / width);
  const every = TICKS.find((seconds) => seconds >= least) ?? Math.ceil(least / 86_400) * 86_400;
  // A label at the very edge would be cut off.
  const edge = (axis.max - axis.min) * 0.03;
  axis.ticks = [];
  for (let at = Math.ceil((axis.min + edge) / every) * every; at <= axis.max - edge; at += every) {
    axis.ticks.push({ value: at });
  }
}

const two = (value: number) => String(value).padStart(2, "0");

/** A time of day in the reader's own zone. */
export function clock(at: number, withSeconds: boolean): string {
  const date = new Date(at * 1000);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

/** A day in the reader's own zone: `11-22`. */
export function day(at: number): string {
  const date = new Date(at * 1000);
  return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
