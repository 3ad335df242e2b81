/* A body in a `<pre>`: JSON indented, coloured and foldable, anything else as it was received; or raw; or as bytes. */
import { find, setAttribute } from "./dom.ts";
import { folded } from "./fold.ts";
import { hex } from "./hex.ts";
import { tree } from "./json.ts";

export type View = "pretty" | "raw" | "hex";

/** A line of 16 bytes is 71 signs wide. */
const WIDE = 71;

export function showBody(place: HTMLElement, raw: string, view: View = "pretty"): void {
  place.classList.toggle("hex", view === "hex");
  const root = view === "pretty" ? tree(raw) : null;
  if (root) place.replaceChildren(...folded(root));
  else place.textContent = view === "hex" ? hex(raw, signs(place) < WIDE ? 8 : 16) : raw;
}

/** How many signs fit in a line. */
function signs(place: HTMLElement): number {
  const size = Number.parseFloat(getComputedStyle(place).fontSize) || 13;
  return (place.clientWidth - 32) / (size * 0.61);
}

/** The buttons Raw and Hex over a body: each switches its view on, and off again. */
export class Views {
  constructor(
    private readonly within: ParentNode,
    private readonly show: (view: View) => void,
  ) {
    for (const view of ["raw", "hex"] as const) {
      const button = find(`[data-do=${view}]`, within);
      button?.addEventListener("click", () => {
        this.set(button.getAttribute("aria-pressed") === "true" ? "pretty" : view);
      });
    }
  }

  set(view: View): void {
    for (const name of ["raw", "hex"]) {
      setAttribute(find(`[data-do=${name}]`, this.within), "aria-pressed", String(name === view));
    }
    this.show(view);
  }
}
