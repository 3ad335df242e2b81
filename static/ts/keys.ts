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
    else if (event.key !== "j" && event.key !== "k") return;
    else if (!step(event.key === "j" ? 1 : -1)) return;
    event.preventDefault();
  });
}

/** Moves the focus; `false` leaves the key to a live list, which moves by itself. */
function step(by: number): boolean {
  if (find(".virtual[data-live]")) return false;
  const rows = [...document.querySelectorAll<HTMLAnchorElement>("a.row")].filter((row) => row.offsetParent);
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  return true;
}
