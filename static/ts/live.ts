/* The parts of a page that say what is true now: read again from the server when it tells that something moved. */
import { badge } from "./badge.ts";

const AGAIN = 2000;

/** Calls `moved` when deliveries of the account moved, and keeps the badge. */
export function listen(moved: () => void): void {
  const source = new EventSource("/account/events");
  let wasAway = false;
  source.addEventListener("open", () => {
    badge("live");
    // What moved meanwhile was told to nobody.
    if (wasAway) moved();
    wasAway = false;
  });
  source.addEventListener("moved", moved);
  source.addEventListener("error", () => {
    badge("reconnecting");
    wasAway = true;
    // A browser gives up for good after an answer that is no event stream.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(() => listen(moved), AGAIN);
  });
}

/** The page at the address as the server has it; `null`: it does not answer, or asks to sign in. */
export async function read(url: string): Promise<Document | null> {
  const answer = await fetch(url, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** What the server sent of each part, before scripts made it their own. */
const served = new WeakMap<HTMLElement, string>();

function parts(page: ParentNode): HTMLElement[] {
  return [...page.querySelectorAll<HTMLElement>("[data-live]")];
}

/** The part as it was sent, without its relative times, which always differ. */
function text(part: HTMLElement): string {
  return part.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1");
}

export function remember(): void {
  for (const part of parts(document)) served.set(part, text(part));
}

/** Puts the parts of the fresh page in place of ours where they differ; the focus stays with what it was on. */
export function renew(fresh: Document, after: (part: HTMLElement) => void): void {
  const found = new Map(parts(fresh).map((part) => [part.dataset.live, part]));
  for (const part of parts(document)) {
    const next = found.get(part.dataset.live);
    if (!next || busy(part) || served.get(part) === text(next)) continue;
    served.set(part, text(next));
    const active = document.activeElement as HTMLElement | null;
    const focused = active && part.contains(active) ? active.dataset.id : null;
    part.replaceChildren(...next.childNodes);
    if (focused) part.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    after(part);
  }
}

/** Whether somebody reads closely or types there. */
function busy(part: HTMLElement): boolean {
  const selection = getSelection();
  if (selection?.isCollapsed === false && part.contains(selection.anchorNode)) return true;
  const active = document.activeElement;
  return part.contains(active) && !active?.matches("[data-id]");
}
