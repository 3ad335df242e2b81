/* Whether the server has another player by now, and a page that may be loaded anew: a screen runs for months, and what answers at its address may for a while be something else. */
import { moment } from "./waits.ts";

const PATIENCE = 8000;
const ASK_AGAIN = 2000;
const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Whether the page is the player of the screen of this name, and not a gateway's error. */
export function isPlayer(page: string, name: string): boolean {
  const written = /<meta name="screen" content="([^"]*)">/.exec(page)?.[1];
  return written !== undefined && decoded(written) === name;
}

/** `false` also where the server does not answer with the player. */
export async function isOutdated(name: string): Promise<boolean> {
  const scripts = [...document.scripts].map((script) => script.getAttribute("src") ?? "");
  const page = await player(name);
  return page !== null && scripts.some((src) => !page.includes(src));
}

/** Loads the page anew as soon as the server has it; what is shown stays until then. */
export async function reload(name: string): Promise<void> {
  while ((await player(name)) === null) await moment(ASK_AGAIN * (1 + Math.random()));
  location.reload();
}

/** The page as the server has it now; `null`: it does not answer, or with something else. */
async function player(name: string): Promise<string | null> {
  try {
    const page = await fetch(location.pathname, {
      headers: { accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = page.ok ? await page.text() : "";
    return isPlayer(text, name) ? text : null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, named) => {
    if (named) return NAMED[named] ?? whole;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
