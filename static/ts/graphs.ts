/* Both charts of the dashboard with what belongs to them: the window, the legend, the downloads, the note about a gap. */
import { now } from "./clock.ts";
import { find, getJson, need, setText } from "./dom.ts";
import { saveImage, saveText } from "./download.ts";
import { Matrix } from "./matrix.ts";
import type { Priority } from "./priorities.ts";
import { RateChart } from "./rates.ts";
import { Series } from "./series.ts";
import { onThemeChange } from "./themes.ts";
import type { Counts, Frame, Rates } from "./wire.ts";

const MATRIX_EVERY = 200;
const RATES_EVERY = 250;
const AGAIN_AFTER = 3000;

export class Graphs {
  readonly series = new Series();
  private readonly bars = need<HTMLCanvasElement>("#matrix");
  private readonly areas = need<HTMLCanvasElement>("#rates");
  private readonly matrix = new Matrix(this.bars);
  private readonly chart = new RateChart(this.areas);
  private readonly drawn = { matrix: 0, rates: 0 };
  private turn = 0;
  private readAt = 0;
  private window = 900;
  private source = "";

  constructor() {
    onThemeChange(() => {
      this.matrix.paint();
      this.chart.paint();
    });
    need("#legend").addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (button) button.setAttribute("aria-pressed", String(this.chart.toggle(button.value as Priority)));
    });
    const on = (selector: string, work: () => void) => find(selector)?.addEventListener("click", work);
    on("#matrix-png", () => saveImage(this.bars, "hookcast-priorities.png"));
    on("#matrix-csv", () => saveText(this.matrix.csv(), "hookcast-priorities.csv"));
    on("#rates-png", () => saveImage(this.areas, "hookcast-rates.png"));
    on("#rates-csv", () => saveText(this.chart.csv(), "hookcast-rates.csv"));
  }

  take(frame: Frame): void {
    this.series.merge(frame.seconds);
  }

  /** Reads the window from the server; the newest request wins. */
  async read(seconds: number, source: string): Promise<void> {
    const turn = ++this.turn;
    [this.window, this.source, this.readAt] = [seconds, source, Date.now()];
    this.series.choose(seconds);
    const search = new URLSearchParams({ window: String(seconds), ...(source ? { source } : {}) });
    const rates = await getJson<Rates>(`/api/rates?${search}`).catch(() => null);
    if (turn !== this.turn) return;
    if (!rates) {
      this.redraw();
      setTimeout(() => turn === this.turn && void this.read(seconds, source), AGAIN_AFTER);
      return;
    }
    this.series.load(rates);
    this.redraw();
  }

  private redraw(): void {
    this.drawn.rates = 0;
    this.draw(null, 0);
  }

  /** Once a minute the server's numbers replace what was put together here. */
  async keepTrue(): Promise<void> {
    if (Date.now() - this.readAt > 60_000) await this.read(this.window, this.source);
  }

  /** Draws what is due: bars at most five times a second, areas four times. */
  draw(counts: Counts | null, rate: number): void {
    if (document.hidden) return;
    const time = Date.now();
    if (counts && time - this.drawn.matrix >= MATRIX_EVERY) {
      this.drawn.matrix = time;
      this.matrix.show(counts, rate);
      need("#legend [value=other]").hidden = counts.other === 0;
    }
    if (time - this.drawn.rates < RATES_EVERY) return;
    this.drawn.rates = time;
    const { series } = this;
    const seconds = now() / 1000;
    this.chart.show(series.steps(seconds), series.step, series.gaps, seconds);
    setText(need("#rates-title"), `Rate, tasks per ${this.chart.unitName}`);
  }

  gap(from: number, to: number | null): void {
    const ahead = now() - Date.now();
    this.series.gap((from + ahead) / 1000, to === null ? null : (to + ahead) / 1000);
    const at = new Date(from).toTimeString().slice(0, 5);
    setText(need("#gap"), to === null ? `gap since ${at}` : `gap ${at} caught up`);
  }
}
