/* The page of one delivery: its body readable, and read again from the server until the delivery is at its end. */
import { showBody } from "./body.ts";
import { curl } from "./curl.ts";
import { find, need, setText } from "./dom.ts";

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
  showBody(body, raw);
  const url = find("#to")?.textContent ?? "";
  const line = curl("POST", url, [["content-type", "application/json"]], raw);
  find("[data-do=curl]")?.setAttribute("data-copy", line);
  for (const node of document.querySelectorAll<HTMLElement>("[data-seconds]")) {
    setText(node, String(Math.floor(Date.parse(node.dataset.seconds ?? "") / 1000)));
  }
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
