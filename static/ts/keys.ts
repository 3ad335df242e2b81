/* The keys every page has: `?` shows them, `/` goes to the filter, Esc leaves it, j and k move along rows that are links. */
import { find, typing } from "./dom.ts";

export function siteKeys(): void {
  const help = find<HTMLDialogElement>("#keys");
  find("#show-keys")?.addEventListener("click", () => help?.showModal());
  help?.addEventListener("click", (event) => {
    if (event.target === help) help.close();
  });
  addEventListener("keydown", (event) => {
    const filter = find<HTMLInputElement>("[data-filter]");
    if (event.key === "Escape" && filter && event.target === filter) return filter.blur();
    if (typing(event) || find("dialog[open]")) return;
    if (event.key === "?") help?.showModal();
    else if (event.key === "/" && filter) filter.select();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else return;
    event.preventDefault();
  });
}

function step(by: number): void {
  if (find(".virtual[data-live]")) return; // a live list moves by itself
  const rows = [...document.querySelectorAll<HTMLAnchorElement>("a.row")].filter((row) => row.offsetParent);
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
}
