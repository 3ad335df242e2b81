/* Short confirmations in the corner. */
import { el, find } from "./dom.ts";

export function toast(text: string): void {
  const place = find("#toasts");
  if (!place) return;
  const node = el("div", { class: "toast" }, text);
  place.append(node);
  setTimeout(() => node.remove(), 3500);
}
