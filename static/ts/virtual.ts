/* A list of which only the visible rows exist. Rows are as high as the `--row` token; they are re-used and only redrawn when told. */
import { coalesced } from "./dom.ts";

const OVERSCAN = 8;
/** Browsers cap the height of an element near 33 million pixels. */
const MAX_HEIGHT = 30_000_000;

export interface Rows {
  make(): HTMLElement;
  draw(row: HTMLElement, index: number): void;
}

export class Virtual {
  readonly space: HTMLElement;
  private pool: HTMLElement[] = [];
  private shown = new Map<HTMLElement, number>();
  private height = 37;
  private total = 0;
  private readonly later = coalesced(() => this.render());

  constructor(
    readonly viewport: HTMLElement,
    private readonly rows: Rows,
  ) {
    this.space = document.createElement("div");
    this.space.className = "space";
    this.space.setAttribute("role", "presentation");
    viewport.replaceChildren(this.space);
    this.measure();
    viewport.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => {
      this.measure();
      this.later();
    }).observe(viewport);
  }

  private measure(): void {
    this.height = Number.parseFloat(getComputedStyle(this.viewport).getPropertyValue("--row")) || 37;
    this.space.style.height = `${Math.min(this.total * this.height, MAX_HEIGHT)}px`;
  }

  /** How many rows there are; those beyond what a browser can scroll are left out. */
  set count(value: number) {
    const fits = Math.min(value, Math.floor(MAX_HEIGHT / this.height));
    if (fits === this.total) return;
    this.total = fits;
    this.space.style.height = `${fits * this.height}px`;
  }

  get count(): number {
    return this.total;
  }

  get first(): number {
    return Math.floor(this.viewport.scrollTop / this.height);
  }

  /** Redraws in the next frame. */
  refresh(): void {
    this.later();
  }

  /** Brings a row into view, as little as needed. */
  reveal(index: number): void {
    const top = index * this.height;
    const { scrollTop, clientHeight } = this.viewport;
    if (top < scrollTop) this.viewport.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.viewport.scrollTop = top + this.height - clientHeight;
  }

  render(): void {
    const room = this.viewport.clientHeight;
    if (room === 0) return;
    const from = Math.max(0, this.first - OVERSCAN);
    const to = Math.min(this.total, this.first + Math.ceil(room / this.height) + OVERSCAN);
    while (this.pool.length < Math.ceil(room / this.height) + 2 * OVERSCAN + 1) this.grow();
    this.shown.clear();
    const size = this.pool.length;
    const used = new Set<HTMLElement>();
    for (let index = from; index < to; index++) {
      const row = this.pool[index % size];
      if (!row) continue;
      used.add(row);
      this.shown.set(row, index);
      row.hidden = false;
      row.style.transform = `translateY(${index * this.height}px)`;
      this.rows.draw(row, index);
    }
    for (const row of this.pool) if (!used.has(row)) row.hidden = true;
  }

  private grow(): void {
    const row = this.rows.make();
    row.hidden = true;
    this.pool.push(row);
    this.space.append(row);
  }

  /** The index a click or key on this element belongs to, if any. */
  indexOf(target: EventTarget | null): number | undefined {
    const row = (target as Element | null)?.closest<HTMLElement>(".row");
    return row ? this.shown.get(row) : undefined;
  }
}
