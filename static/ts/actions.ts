/* The pages of actions: plain forms and links, with keys shown in place, and what happens kept true. */
import { copyBy } from "./copy.ts";
import { find, problem } from "./dom.ts";
import { confirmations, settle, tabs } from "./forms.ts";
import { keepTrue } from "./live.ts";
import { toast } from "./toast.ts";

/** Who watches one execution sees each step of it. */
const CLOSELY = 250;

settle();
const execution = find("[data-execution]")?.dataset.execution;
if (execution) keepTrue(`/actions/moved?execution=${encodeURIComponent(execution)}`, () => {}, null, CLOSELY);
else if (find("[data-live]")) keepTrue("/actions/moved", () => {});
tabs();
confirmations();
openNamed();

/** What an address names by its fragment is open. */
function openNamed(): void {
  const named = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (named instanceof HTMLDetailsElement) named.open = true;
}

async function secret(url: string): Promise<string> {
  const answer = await fetch(url, { method: "POST", headers: { accept: "application/json" } });
  if (!answer.ok) throw await problem(answer);
  return ((await answer.json()) as { key: string }).key;
}

/** Shows the key in place, or hides it again. */
async function reveal(form: HTMLFormElement): Promise<void> {
  const place = document.getElementById(form.dataset.reveal ?? "");
  if (!place) return;
  place.textContent = place.hidden ? await secret(form.action) : "";
  place.hidden = place.textContent === "";
}

/** Who comes back by the browser's history finds no key that somebody looked at. */
addEventListener("pagehide", () => {
  for (const place of document.querySelectorAll<HTMLElement>(".shown-secret, #links pre")) place.textContent = "";
  for (const place of document.querySelectorAll<HTMLElement>(".shown-secret[id^=secret-]")) {
    place.hidden = true;
  }
});
addEventListener("pageshow", (event) => {
  if (event.persisted && find("#secret, #links")) location.reload();
});

document.addEventListener("submit", (event) => {
  const form = (event.target as Element).closest<HTMLFormElement>("form[data-reveal]");
  if (!form) return;
  event.preventDefault();
  reveal(form).catch((error: Error) => toast(error.message));
});

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-copy-key]");
  if (!button) return;
  secret(button.dataset.copyKey ?? "")
    .then((key) => copyBy(button, key))
    .catch((error: Error) => toast(error.message));
});
