/* The history of one device's value as a chart. */
import { clock, day, LABEL, roundTimes } from "./axis.ts";
import { Chart, FONT, palette, tooltip } from "./charts.ts";
import type { Course } from "./wire.ts";

type XY = { x: number; y: number | null };

/** Below this many seconds a label needs them; beyond the other it is a day. */
const FINE = 300;
const COARSE = 2 * 86_400;

export class HistoryChart {
  private readonly chart: Chart<"line", XY[], number>;

  constructor(
    canvas: HTMLCanvasElement,
    private readonly unit: string,
    private readonly isDigital: boolean,
  ) {
    const data: XY[] = [];
    this.chart = new Chart<"line", XY[], number>(canvas, {
      type: "line",
      data: {
        datasets: [
          { data, borderWidth: 2, stepped: isDigital, pointRadius: 0, pointBorderWidth: 0, pointHitRadius: 12 },
        ],
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        parsing: false,
        normalized: true,
        interaction: { mode: "nearest", intersect: false, axis: "x" },
        plugins: { legend: { display: false } },
      },
    });
    this.paint();
  }

  paint(): void {
    const colors = palette();
    const { options, data } = this.chart;
    const ticks = { color: colors.soft, font: FONT };
    options.scales = {
      x: {
        type: "linear",
        ...this.ends(),
        grid: { display: false },
        border: { color: colors.line },
        afterBuildTicks: (axis) => {
          const length = axis.max - axis.min;
          roundTimes(axis, length < FINE ? LABEL.seconds : length > COARSE ? LABEL.days : LABEL.minutes);
        },
        ticks: { ...ticks, maxRotation: 0, autoSkip: false, callback: (value) => this.label(Number(value)) },
      },
      y: {
        ...(this.isDigital ? { min: 0, max: 1 } : { grace: "8%" }),
        grid: { color: colors.line },
        border: { display: false },
        ticks: this.isDigital
          ? { ...ticks, stepSize: 1, callback: (value) => this.say(Number(value)) }
          : { ...ticks, maxTicksLimit: 6 },
      },
    };
    options.plugins = {
      tooltip: {
        ...tooltip(colors),
        callbacks: {
          title: (items) => this.when(items[0]?.parsed.x ?? 0),
          label: (item) => this.say(item.parsed.y ?? Number.NaN),
        },
      },
    };
    const dataset = data.datasets[0];
    if (!dataset) return;
    dataset.borderColor = colors.fill.Moderate;
    dataset.pointBackgroundColor = colors.fill.Moderate;
    this.chart.update("none");
  }

  show({ points, from, to }: Course): void {
    const dataset = this.chart.data.datasets[0];
    if (!dataset) return;
    dataset.data = points.map(([at, value]) => ({ x: at / 1000, y: value }));
    // Where there are few, each is seen; a lone one would be nothing but its point.
    dataset.pointRadius = points.length > 40 ? 0 : 2.5;
    [this.from, this.to] = [from / 1000, to / 1000];
    const x = this.chart.options.scales?.x;
    if (x) Object.assign(x, this.ends());
    this.chart.update("none");
  }

  private from = 0;
  private to = 1;

  private ends(): { min: number; max: number } {
    return { min: this.from, max: Math.max(this.to, this.from + 1) };
  }

  private label(at: number): string {
    const length = this.to - this.from;
    return length > COARSE ? day(at) : clock(at, length < FINE);
  }

  private when(at: number): string {
    return this.to - this.from > 86_400 ? `${day(at)} ${clock(at, false)}` : clock(at, true);
  }

  private say(value: number): string {
    if (this.isDigital && (value === 0 || value === 1)) return value === 1 ? "on" : "off";
    return `${Number(value.toPrecision(6))}${this.unit ? ` ${this.unit}` : ""}`;
  }
}
