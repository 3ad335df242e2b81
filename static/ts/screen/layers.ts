/* Two layers: what is seen, and behind it what comes next, which is loaded beforehand and cross-faded. */
import { el } from "../dom.ts";

/** Something that fills the screen. */
export interface View {
  node: HTMLElement;
  /** It may be seen; when it cannot be shown, why. */
  ready: Promise<string | null>;
  /** What runs for it ends. */
  close(): void;
}

/** What is not ready by then is shown as it is. */
const READY_WITHIN = 8000;
const LATE = Symbol("late");
const FADE = 700;

interface Layer {
  id: string;
  view: View;
  node: HTMLElement;
}

export class Layers {
  private front: Layer | null = null;
  private back: Layer | null = null;
  private wanted = "";

  constructor(private readonly place: HTMLElement) {}

  /** Loads what will be shown under this id. */
  prepare(id: string, make: () => View): void {
    if (this.back?.id === id || this.front?.id === id || this.wanted !== this.front?.id) return;
    this.load(id, make);
  }

  /** Shows it as soon as it is ready. Gives why it cannot be shown; `null`: it can, or something else is wanted by now.
   * What took long and turns out not to be shown is told to `failed` while it is still seen. */
  async show(
    id: string,
    make: () => View,
    failed: (trouble: string) => void = () => undefined,
  ): Promise<string | null> {
    this.wanted = id;
    if (this.front?.id === id) {
      this.remove(this.back);
      this.back = null;
      return null;
    }
    const next = this.back?.id === id ? this.back : this.load(id, make);
    const trouble = await Promise.race([next.view.ready, late()]);
    if (this.wanted !== id || this.back !== next) return null;
    if (trouble !== null && trouble !== LATE) return trouble;
    this.swap(next);
    if (trouble === LATE) void next.view.ready.then((told) => told !== null && this.front === next && failed(told));
    return null;
  }

  /** Shows nothing; everything that was loaded ends. */
  clear(): void {
    this.wanted = "";
    this.remove(this.back);
    this.remove(this.front);
    this.back = null;
    this.front = null;
  }

  private load(id: string, make: () => View): Layer {
    this.remove(this.back);
    const view = make();
    const node = el("div", { class: "layer", inert: true, "aria-hidden": "true" }, view.node);
    this.place.append(node);
    this.back = { id, view, node };
    return this.back;
  }

  private swap(next: Layer): void {
    const before = this.front;
    this.front = next;
    this.back = null;
    next.node.removeAttribute("inert");
    next.node.removeAttribute("aria-hidden");
    next.node.classList.add("on");
    if (!before) return;
    before.node.inert = true;
    before.node.classList.add("leaving");
    setTimeout(() => this.remove(before), FADE);
  }

  private remove(layer: Layer | null): void {
    layer?.view.close();
    layer?.node.remove();
  }
}

function late(): Promise<typeof LATE> {
  return new Promise((done) => setTimeout(() => done(LATE), READY_WITHIN));
}
