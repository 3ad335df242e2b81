/* The emergency, over everything: its colour, its words as large as fits, and when it ends. */
import { el, setText } from "../dom.ts";
import { isSame } from "./content.ts";
import { fit, shrink } from "./fit.ts";
import { serverTime } from "./server.ts";
import { Siren } from "./siren.ts";
import type { Emergency } from "./stage.ts";
import { lines, paint } from "./views.ts";

export class Alarm {
  private shown: Emergency | null = null;
  private unfit: () => void = () => undefined;
  private readonly silent = el("p", { class: "silent", hidden: true }, "Tap for sound");
  private readonly siren = new Siren((is) => {
    this.silent.hidden = !is;
  });
  private readonly ends = el("p", { class: "ends", role: "timer" });

  /** `place` is announced at once: an assertive live region that is always there. */
  constructor(private readonly place: HTMLElement) {
    setInterval(() => this.tick(), 250);
  }

  show(emergency: Emergency | null): void {
    if (isSame(emergency, this.shown)) return;
    this.shown = emergency;
    this.unfit();
    this.place.hidden = !emergency;
    this.place.replaceChildren();
    if (emergency) this.build(emergency);
    this.siren.set(emergency?.sound ?? false);
  }

  private build({ title, text, color }: Emergency): void {
    const said = el("p", { class: "text" });
    lines(said, text);
    const words = el("div", { class: "words" }, el("h1", {}, title || "Emergency"), said);
    const foot = el("footer", {}, this.ends, this.silent);
    paint(this.place, color);
    this.place.append(
      el("div", { class: "edge" }),
      el("div", { class: "sign", "aria-hidden": "true" }, "!"),
      words,
      foot,
    );
    this.unfit = fit(this.place, words);
    shrink(this.place, words);
    this.tick();
  }

  private tick(): void {
    if (!this.shown) return;
    const { until } = this.shown;
    setText(this.ends, until === null ? "" : `Ends in ${left(until - serverTime())}`);
  }
}

/** `4:05`, `2:04:05`. */
export function left(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours = 0, minutes = 0, rest = 0] = parts;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
