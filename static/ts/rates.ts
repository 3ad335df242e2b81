/* The rate over time: a stacked area per priority, with the times the connection was away. */
import type { Plugin } from "chart.js";
import { clock, LABEL, roundTimes } from "./axis.ts";
import { Chart, FONT, palette, tooltip } from "./charts.ts";
import { grouped, rate } from "./format.ts";
import { type Priority, SYMBOLS, word } from "./priorities.ts";
import { type Gap, type Step, unit } from "./series.ts";

/** From the bottom of the stack: what matters most rests on the axis. */
const STACK: { name: Priority; index: number }[] = [
  { name: "Critical", index: 3 },
  { name: "Major", index: 2 },
  { name: "Moderate", index: 1 },
  { name: "Low", index: 0 },
  { name: "other", index: 4 },
];

type XY = { x: number; y: number | null };

function gapLines(gaps: () => Gap[]): Plugin<"line"> {
  return {
    id: "gaps",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea: area, scales } = chart;
      const x = scales.x;
      if (!x) return;
      ctx.save();
      ctx.strokeStyle = String(chart.options.color ?? "#888");
      ctx.setLineDash([3, 3]);
      for (const gap of gaps()) {
        for (const at of [gap.from, gap.to]) {
          if (at === null || at < x.min || at > x.max) continue;
          ctx.beginPath();
          ctx.moveTo(x.getPixelForValue(at), area.top);
          ctx.lineTo(x.getPixelForValue(at), area.bottom);
          ctx.stroke();
        }
      }
      ctx.restore();
    },
  };
}

export class RateChart {
  private readonly chart: Chart<"line", XY[], number>;
  private steps: Step[] = [];
  private gaps: Gap[] = [];
  private step = 10;
  private now = 1;
  private readonly hidden = new Set<Priority>();
  unitName = "second";

  constructor(canvas: HTMLCanvasElement) {
    this.chart = new Chart<"line", XY[], number>(canvas, {
      type: "line",
      data: {
        datasets: STACK.map(({ name }) => ({
          label: word(name),
          data: [],
          fill: "stack",
          pointRadius: 0,
          pointHitRadius: 0,
          borderWidth: 0,
        })),
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        parsing: false,
        normalized: true,
        interaction: { mode: "index", intersect: false, axis: "x" },
        plugins: { legend: { display: false } },
      },
      plugins: [gapLines(() => this.gaps)],
    });
    this.paint();
  }

  paint(): void {
    const colors = palette();
    const { options, data } = this.chart;
    options.color = colors.soft;
    options.scales = {
      x: {
        type: "linear",
        grid: { display: false },
        border: { color: colors.line },
        afterBuildTicks: (axis) => roundTimes(axis, this.step < 10 ? LABEL.seconds : LABEL.minutes),
        ticks: {
          color: colors.soft,
          font: FONT,
          maxRotation: 0,
          autoSkip: false,
          callback: (value) => clock(Number(value), this.step < 10),
        },
      },
      y: {
        stacked: true,
        beginAtZero: true,
        suggestedMax: 4,
        grid: { color: colors.line },
        border: { display: false },
        ticks: { color: colors.soft, font: FONT, precision: 0, maxTicksLimit: 7 },
      },
    };
    options.plugins = {
      tooltip: {
        ...tooltip(colors),
        callbacks: { title: (items) => this.title(items[0]?.dataIndex ?? 0), label: () => "" },
        filter: (item) => item.datasetIndex === 0,
      },
    };
    STACK.forEach(({ name }, index) => {
      const dataset = data.datasets[index];
      if (!dataset) return;
      dataset.backgroundColor = colors.fill[name].replace(/^rgb\((.*)\)$/, "rgba($1, 0.72)");
    });
    this.chart.update("none");
  }

  /** `now` (unix seconds) is where the axis ends. */
  show(steps: Step[], step: number, gaps: Gap[], now: number): void {
    [this.steps, this.step, this.gaps, this.now] = [steps, step, gaps, now];
    const totals = steps.map((one) => one.rates.reduce<number>((sum, value) => sum + (value ?? 0), 0));
    const { name, seconds } = unit(Math.max(0, ...totals));
    this.unitName = name;
    const last = steps.at(-1);
    const end = last ? Math.min(now, last.at + step) : now;
    STACK.forEach(({ name: priority, index }, place) => {
      const dataset = this.chart.data.datasets[place];
      if (!dataset) return;
      dataset.hidden = this.hidden.has(priority);
      const point = (one: Step, x: number): XY => {
        const value = one.rates[index];
        return { x, y: value === null || value === undefined ? null : value * seconds };
      };
      dataset.data = steps.map((one) => point(one, one.at));
      // The newest step is as wide as it has lasted, or what just came would be a hair at the edge.
      if (last) dataset.data.push(point(last, end));
    });
    const x = this.chart.options.scales?.x;
    if (x) {
      x.min = end - steps.length * step;
      x.max = end;
    }
    this.chart.update("none");
  }

  /** Shows or hides one priority; says whether it is shown now. */
  toggle(priority: Priority): boolean {
    if (!this.hidden.delete(priority)) this.hidden.add(priority);
    this.show(this.steps, this.step, this.gaps, this.now);
    return !this.hidden.has(priority);
  }

  private title(index: number): string[] {
    const one = this.steps[Math.min(index, this.steps.length - 1)];
    if (!one) return [];
    const total = one.counts.reduce((sum, count) => sum + count, 0);
    const parts = STACK.filter(({ index: at }) => (one.counts[at] ?? 0) > 0).map(
      ({ name, index: at }) => `${SYMBOLS[name]} ${word(name)} ${grouped(one.counts[at] ?? 0)}`,
    );
    const exact = this.step < 60;
    const span =
      this.step === 1 ? clock(one.at, exact) : `${clock(one.at, exact)} – ${clock(one.at + this.step, exact)}`;
    return [span, `${grouped(total)} tasks, ${rate(total / this.step)} / s`, ...parts.reverse()];
  }

  csv(): string {
    const lines = this.steps.map((one) => [new Date(one.at * 1000).toISOString(), ...one.counts].join(","));
    return [`from,low,moderate,major,critical,other`, ...lines, ""].join("\n");
  }
}
