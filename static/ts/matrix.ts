/* Tasks Priority Matrix: one bar per priority, with its number above it. */
import type { Plugin } from "chart.js";
import { Chart, FONT, mode, palette, tooltip } from "./charts.ts";
import { setAttribute } from "./dom.ts";
import { grouped, percent } from "./format.ts";
import { PRIORITIES, type Priority, SYMBOLS, word } from "./priorities.ts";
import type { Counts } from "./wire.ts";

const numbers: Plugin<"bar"> = {
  id: "numbers",
  afterDatasetsDraw(chart) {
    const context = chart.ctx;
    context.save();
    context.font = `600 12px ${FONT.family}`;
    context.textAlign = "center";
    context.fillStyle = String(chart.options.color ?? "#000");
    chart.getDatasetMeta(0).data.forEach((bar, index) => {
      const value = Number(chart.data.datasets[0]?.data[index] ?? 0);
      context.fillText(grouped(value), bar.x, bar.y - 7);
    });
    context.restore();
  },
};

export class Matrix {
  private readonly chart: Chart<"bar", number[], string>;
  private names: Priority[] = [];
  private counts: Counts | null = null;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.chart = new Chart<"bar", number[], string>(canvas, {
      type: "bar",
      data: { labels: [], datasets: [{ label: "Count Of Tasks", data: [], borderRadius: 5, maxBarThickness: 84 }] },
      options: {
        maintainAspectRatio: false,
        animation: { duration: 180 },
        layout: { padding: { top: 6 } },
        plugins: { legend: { display: false } },
      },
      plugins: [numbers],
    });
    this.paint();
  }

  /** Colours of the theme, axes and tooltip. */
  paint(): void {
    const colors = palette();
    const { options, data } = this.chart;
    options.color = colors.ink;
    options.scales = {
      x: {
        grid: { display: false },
        border: { color: colors.line },
        title: { display: true, text: "Priority", color: colors.soft, font: FONT },
        ticks: {
          color: colors.soft,
          font: FONT,
          maxRotation: 0,
          // A narrow chart has the symbol above the word.
          callback: (_, index) => {
            const label = this.chart.data.labels?.[index] ?? "";
            return this.chart.width < 420 ? label.split(" ") : label;
          },
        },
      },
      y: {
        beginAtZero: true,
        suggestedMax: 4,
        grace: "8%",
        title: { display: true, text: "Total", color: colors.soft, font: FONT },
        grid: { color: colors.line },
        border: { display: false },
        ticks: { color: colors.soft, font: FONT, precision: 0, maxTicksLimit: 7 },
      },
    };
    const total = () => this.counts?.total ?? 0;
    options.plugins = {
      tooltip: {
        ...tooltip(colors),
        callbacks: {
          label: (item) => `Count Of Tasks: ${grouped(item.parsed.y ?? 0)}`,
          afterLabel: (item) => `${percent(item.parsed.y ?? 0, total())} of ${grouped(total())}`,
        },
      },
    };
    const dataset = data.datasets[0];
    const fills = this.names.map((name) => colors.fill[name]);
    if (dataset) Object.assign(dataset, { backgroundColor: fills, hoverBackgroundColor: fills });
    this.chart.update("none");
  }

  show(counts: Counts, rate: number): void {
    const names = PRIORITIES.filter((name) => name !== "other" || counts.other > 0);
    this.counts = counts;
    const said = names.map((name) => `${word(name)} ${grouped(counts[name])}`).join(", ");
    setAttribute(this.canvas, "aria-label", `Bar chart, count of tasks by priority: ${said}`);
    const dataset = this.chart.data.datasets[0];
    if (!dataset) return;
    if (names.length !== this.names.length) {
      this.names = names;
      this.chart.data.labels = names.map((name) => `${SYMBOLS[name]} ${word(name)}`);
      dataset.data = names.map((name) => counts[name]);
      return this.paint();
    }
    if (names.every((name, index) => dataset.data[index] === counts[name])) return;
    names.forEach((name, index) => {
      dataset.data[index] = counts[name];
    });
    this.chart.update(mode(rate));
  }

  csv(): string {
    const lines = this.names.map((name) => `${word(name)},${this.counts?.[name] ?? 0}`);
    return ["priority,count", ...lines, ""].join("\n");
  }
}
