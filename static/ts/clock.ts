/* What time the server has, and relative times that stay true. */
import { find, setText } from "./dom.ts";
import { ago } from "./format.ts";

let ahead = 0;

/** Notes the server's clock, so that a browser whose clock is wrong still writes true ages. */
export function tell(serverTime: string): void {
  const at = Date.parse(serverTime);
  if (!Number.isNaN(at)) ahead = at - Date.now();
}

export function now(): number {
  return Date.now() + ahead;
}

export function since(iso: string): string {
  return ago(Math.max(0, now() - Date.parse(iso)));
}

/** Rewrites every `<time data-rel>` of the page once a second, while somebody looks. */
export function keepTimes(): void {
  const served = find("meta[name=served-at]")?.getAttribute("content");
  if (served) tell(served);
  setInterval(() => {
    if (document.hidden) return;
    for (const node of document.querySelectorAll<HTMLTimeElement>("time[data-rel]")) {
      setText(node, since(node.dateTime));
    }
  }, 1000);
}
