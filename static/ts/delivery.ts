/* The page of one delivery: its body readable, and read again from the server until the delivery is at its end. */
import { showBody } from "./body.ts";
import { find, need } from "./dom.ts";

const EVERY = 2000;

export function followDelivery(): void {
  readable();
  setInterval(() => void again(), EVERY);
}

function readable(): void {
  const body = find("[data-pretty]");
  if (!body) return;
  const raw = body.textContent ?? "";
  // What is copied is what was signed and sent.
  find("[data-copy-from='#body']")?.setAttribute("data-copy", raw);
  showBody(body, raw, false);
}

async function again(): Promise<void> {
  const main = need("main");
  const busy = () => main.contains(document.activeElement) || getSelection()?.isCollapsed === false;
  if (!find("[data-unfinished]", main) || document.hidden || busy()) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (busy()) return;
  main.replaceChildren(...need("main", read).children);
  readable();
}
