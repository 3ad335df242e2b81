/* What keeps a batch from being delivered, said once under its bar instead of on every line. */
import type { Batch, Line } from "./batch.ts";
import { need, setText } from "./dom.ts";

/** So many attempts in a row that end alike are no accident of one task. */
const ALIKE = 3;

export class Trouble {
  private last = 0;
  private alike = 0;
  private line: Line | null = null;

  /** Takes lines in their order; those older than the newest one taken change nothing. */
  take(line: Line): void {
    if (line.seq <= this.last) return;
    this.last = line.seq;
    const text = line.outcome === "delivered" ? null : line.text;
    this.alike = text === null ? 0 : text === this.line?.text ? this.alike + 1 : 1;
    this.line = text === null ? null : line;
  }

  /** The line that speaks for all, if there is one. */
  of(batch: Batch): Line | null {
    const over = batch.failed + batch.retrying === 0 || batch.state === "cancelled";
    return over || this.alike < Math.min(ALIKE, batch.total) ? null : this.line;
  }
}

/** Shows it, and gives the text that lines need not repeat. */
export function showTrouble(line: Line | null): string {
  const place = need("#trouble");
  place.hidden = !line;
  if (!line) return "";
  place.className = `trouble ${line.outcome === "failed" ? "red" : "amber"}`;
  const text = line.text ?? "";
  setText(place, text.charAt(0).toUpperCase() + text.slice(1));
  return text;
}
