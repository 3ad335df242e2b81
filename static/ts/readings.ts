/* The pages of devices: kept true by the stream of what came, and the history of one as a chart. */
import { find, getJson, need, setText } from "./dom.ts";
import { HistoryChart } from "./history.ts";
import { keepTrue } from "./live.ts";
import { onThemeChange } from "./themes.ts";
import type { Course } from "./wire.ts";

const STREAM = "/devices/events";
/** The time that is shown moves on by itself this often. */
const ONWARD = 15_000;

export function followReadings(): void {
  const panel = find("#history");
  if (!panel) return keepTrue(STREAM, () => {});
  const history = new History(panel);
  keepTrue(STREAM, () => {}, { renewed: () => {}, again: () => history.read() });
  setInterval(() => !document.hidden && void history.read(), ONWARD);
  void history.read();
}

class History {
  private readonly url: string;
  private chart: HistoryChart | null = null;

  constructor(private readonly panel: HTMLElement) {
    const { device = "", window: chosen = "" } = panel.dataset;
    this.url = `/api/devices/${encodeURIComponent(device)}?window=${encodeURIComponent(chosen)}`;
    onThemeChange(() => this.chart?.paint());
  }

  /** Reads the values anew. What the server drew stays until there is an answer. */
  async read(): Promise<boolean> {
    const course = await getJson<Course>(this.url).catch(() => null);
    if (!course) return true;
    const isEmpty = course.points.every(([, value]) => value === null);
    const canvas = need<HTMLCanvasElement>("canvas", this.panel);
    find(".plain-chart", this.panel)?.remove();
    canvas.hidden = isEmpty;
    need(".nothing", this.panel).hidden = !isEmpty;
    setText(find("[data-note]", this.panel), course.complete ? "" : "the newest 50,000 readings");
    if (isEmpty) return true;
    const { unit = "", digital } = this.panel.dataset;
    this.chart ??= new HistoryChart(canvas, unit, digital !== undefined);
    this.chart.show(course);
    return true;
  }
}
