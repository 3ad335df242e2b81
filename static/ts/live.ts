/* The parts of a page that say what is true now: read again from the server when it tells that something moved. */
import { badge } from "./badge.ts";

const AGAIN = 2000;

/** What else of a page is to be kept true. */
export interface Beside {
  renewed(): void;
  /** `false`: somebody is at it. */
  again(): Promise<boolean>;
}

/** No more often than this is the page read again, however much moves. */
const PAUSE = 2000;

/** Keeps the page's parts as the server has them, by the stream of events at `url`; reads no more often than once in `pause` milliseconds. */
export function keepTrue(
  url: string,
  after: (part: HTMLElement) => void,
  beside: Beside | null = null,
  pause = PAUSE,
): void {
  let reading = false;
  let dirty = false;
  const again = async () => {
    dirty = true;
    if (reading || document.hidden) return;
    reading = true;
    while (dirty && !document.hidden) {
      dirty = false;
      const fresh = await read(location.href);
      const whole = !fresh || renew(fresh, after);
      beside?.renewed();
      const shown = (await beside?.again()) ?? true;
      // What somebody is at is looked at again.
      dirty ||= !whole || !shown;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    reading = false;
  };
  remember();
  listen(url, () => void again());
  document.addEventListener("visibilitychange", () => dirty && void again());
}

/** Calls `moved` when something moved, or may have moved unseen, and keeps the badge. */
function listen(url: string, moved: () => void): void {
  const source = new EventSource(url);
  // Between the page and the stream, and while there was none, nobody was told.
  source.addEventListener("ready", () => {
    badge("live");
    moved();
  });
  source.addEventListener("moved", moved);
  source.addEventListener("error", () => {
    badge("reconnecting");
    // A browser gives up for good after an answer that is no event stream.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    void signedIn().then(() => setTimeout(() => listen(url, moved), AGAIN));
  });
}

/** Who is signed in no longer is shown where to sign in. */
async function signedIn(): Promise<void> {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.redirected) location.reload();
}

/** The page at the address as the server has it; `null`: it does not answer, or asks to sign in. */
export async function read(url: string): Promise<Document | null> {
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

/** What the server sent of each part, before scripts made it their own. */
const served = new WeakMap<HTMLElement, string>();

function parts(page: ParentNode): HTMLElement[] {
  return [...page.querySelectorAll<HTMLElement>("[data-live]")];
}

/** The part as it was sent, without its relative times and the ids of its forms, which always differ. */
function text(part: HTMLElement): string {
  return part.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1").replace(/(name="once" value=")[^"]*/g, "$1");
}

function remember(): void {
  for (const part of parts(document)) served.set(part, text(part));
}

/** Puts the parts of the fresh page in place of ours where they differ; `false`: somebody is at one of them, which stays as it is for now. */
function renew(fresh: Document, after: (part: HTMLElement) => void): boolean {
  const found = new Map(parts(fresh).map((part) => [part.dataset.live, part]));
  let whole = true;
  for (const part of parts(document)) {
    const next = found.get(part.dataset.live);
    if (!next || served.get(part) === text(next)) continue;
    if (busy(part)) {
      whole = false;
      continue;
    }
    served.set(part, text(next));
    const active = document.activeElement as HTMLElement | null;
    const focused = active && part.contains(active) ? active.dataset.id : null;
    part.replaceChildren(...next.childNodes);
    if (focused) part.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    after(part);
  }
  return whole;
}

/** Whether somebody reads closely or types there, or has typed something that is not sent yet. */
export function busy(part: HTMLElement): boolean {
  if (part.querySelector(".shown-secret:not([hidden])") || isTyped(part)) return true;
  const selection = getSelection();
  if (selection?.isCollapsed === false && part.contains(selection.anchorNode)) return true;
  const active = document.activeElement;
  return part.contains(active) && active !== part && !active?.matches("[data-id]");
}

/** Whether a field there says something else than the server sent. */
function isTyped(part: HTMLElement): boolean {
  for (const field of part.querySelectorAll<HTMLInputElement>("input, textarea")) {
    const isBox = field.type === "checkbox" || field.type === "radio";
    if (isBox ? field.checked !== field.defaultChecked : field.value !== field.defaultValue) return true;
  }
  return [...part.querySelectorAll("select")].some((field) => {
    const sent = [...field.options].findLastIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(sent, 0);
  });
}
