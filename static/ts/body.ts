/* A body in a `<pre>`: JSON indented and coloured, anything else, or on demand, as it was received. */
import { el } from "./dom.ts";
import { pretty, type Token } from "./json.ts";

/** Beyond it a body is indented, but has no colours: every coloured word is an element. */
const COLOURED = 200_000;

export function showBody(place: HTMLElement, raw: string, plain: boolean): void {
  const tokens = plain ? null : pretty(raw);
  if (!tokens) place.textContent = raw;
  else if (raw.length > COLOURED) place.textContent = tokens.map((token) => token.text).join("");
  else place.replaceChildren(...tokens.map(node));
}

function node({ kind, text }: Token): Node {
  return kind === "plain" ? document.createTextNode(text) : el("span", { class: kind }, text);
}
