/* The parts of Chart.js that are used, and colours that follow the theme. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from "chart.js";
import { color } from "./dom.ts";
import { PRIORITIES, type Priority } from "./priorities.ts";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

export { Chart };

export interface Palette {
  fill: Record<Priority, string>;
  ink: string;
  soft: string;
  line: string;
  panel: string;
}

export function palette(): Palette {
  const fill = Object.fromEntries(PRIORITIES.map((name) => [name, color(name.toLowerCase())]));
  return {
    fill: fill as Record<Priority, string>,
    ink: color("ink"),
    soft: color("ink-3"),
    line: color("line"),
    panel: color("panel"),
  };
}

export const FONT = { family: 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif', size: 11 };

export function tooltip(colors: Palette) {
  return {
    backgroundColor: colors.ink,
    titleColor: colors.panel,
    bodyColor: colors.panel,
    padding: 10,
    cornerRadius: 8,
    displayColors: false,
    titleFont: { ...FONT, size: 12 },
    bodyFont: { ...FONT, size: 12 },
  };
}

/** Animations help the eye only while little happens and nobody asked for calm. */
export function mode(perSecond: number): "none" | "default" {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return perSecond > 20 || calm ? "none" : "default";
}
