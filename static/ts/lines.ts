/* The lines of a batch, newest on top, of which only the visible ones exist. */
import { type Line, Lines, type Outcome, verdict } from "./batch.ts";
import { now } from "./clock.ts";
import { coalesced, el, find, need, setAttribute, setText } from "./dom.ts";
import { absolute, grouped } from "./format.ts";
import { Virtual } from "./virtual.ts";

const COLOURS: Record<Outcome, string> = { delivered: "blue", retrying: "amber", failed: "red" };

const NONE: Record<Outcome | "", string> = {
  "": "Waiting for the first attempt…",
  delivered: "No task was delivered yet.",
  retrying: "No task waits for a retry.",
  failed: "No task failed.",
};

export class LineList {
  lines = new Lines();
  /** A reason that is said above, so that lines need not. */
  told = "";
  private filter: Outcome | "" = "";
  private following = true;
  private anchor = 0;
  private readonly viewport = need(".virtual.lines");
  private readonly chip = need<HTMLButtonElement>("#newer");
  private readonly virtual: Virtual;
  readonly draw = coalesced(() => this.render());

  constructor() {
    this.virtual = new Virtual(this.viewport, { make: makeLine, draw: (row, index) => this.drawRow(row, index) });
    this.viewport.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.chip.addEventListener("click", () => {
      this.following = true;
      this.viewport.scrollTop = 0;
      this.draw();
    });
    need("#outcomes").addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (button) this.show(button.value as Outcome | "");
    });
    // Countdowns go on while nothing else happens.
    setInterval(() => !document.hidden && this.draw(), 1000);
  }

  clear(): void {
    this.lines = new Lines();
    this.show("");
  }

  /** Takes lines of the past; the place one reads at stays. */
  addOlder(lines: Line[]): void {
    const before = this.lines.count(this.filter);
    this.lines.addOlder(lines);
    this.anchor += this.lines.count(this.filter) - before;
    this.draw();
  }

  private show(outcome: Outcome | ""): void {
    this.filter = outcome;
    this.following = true;
    this.viewport.scrollTop = 0;
    for (const button of need("#outcomes").querySelectorAll("button")) {
      setAttribute(button, "aria-pressed", String(button.value === outcome));
    }
    this.draw();
  }

  private scrolled(): void {
    this.following = this.viewport.scrollTop < 4;
  }

  private render(): void {
    if (document.hidden) return;
    const count = this.lines.count(this.filter);
    if (this.following || this.anchor > count) this.anchor = count;
    this.virtual.count = this.anchor;
    this.virtual.render();
    const newer = count - this.anchor;
    this.chip.hidden = newer <= 0;
    setText(this.chip, `${grouped(newer)} new ↑`);
    const none = need("#no-lines");
    none.hidden = count > 0;
    setText(none, NONE[this.filter]);
    this.viewport.hidden = count === 0;
  }

  private drawRow(row: HTMLElement, index: number): void {
    const line = this.lines.at(this.anchor - 1 - index, this.filter);
    row.classList.toggle("loading", !line);
    if (!line) return;
    const middle = find(".verdict", row);
    setText(middle, verdict(line, now()));
    const why = line.outcome === "delivered" || !line.text || line.text === this.told ? "" : ` — ${line.text}`;
    const drawn = `${line.delivery} ${line.seq} ${why}`;
    if (row.dataset.drawn === drawn) return;
    row.dataset.drawn = drawn;
    setText(find(".n", row), `${grouped(line.n)} out of ${grouped(line.total)}`);
    middle?.setAttribute("class", `verdict ${COLOURS[line.outcome]}`);
    setText(find("a", row), line.priority ? `${line.owner}, ${line.priority}` : line.owner || "message");
    find("a", row)?.setAttribute("href", `/deliveries/${encodeURIComponent(line.delivery)}`);
    setText(find(".why", row), why);
    setText(find(".took", row), took(line));
    row.title = `${absolute(line.at)}${line.text ? ` · ${line.text}` : ""}`;
  }
}

function took(line: Line): string {
  const tries = line.attempt > 1 || line.outcome !== "delivered" ? ` · ${line.attempt} of ${line.attempts_max}` : "";
  return `${grouped(line.duration_ms)} ms${tries}`;
}

/** Read aloud or copied, a row is `7 out of 42 — 200 — Norma Fisher, Major`. */
function makeLine(): HTMLElement {
  const dash = () => el("span", { class: "sr" }, " — ");
  return el(
    "div",
    { class: "row line" },
    el("span", {}, el("span", { class: "n" }), dash()),
    el("span", {}, el("span", { class: "verdict" }), dash()),
    el("span", { class: "cut who" }, el("a", {}), el("span", { class: "why" })),
    el("span", { class: "took" }),
  );
}
