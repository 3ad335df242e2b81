/* The accounts' pages: plain forms and links, made live. */
import { find, setAttribute, typing } from "./dom.ts";
import { Explorer, readable } from "./explorer.ts";
import { keepTrue } from "./live.ts";

/** One of several texts is shown, by the buttons above them. */
function tabs(): void {
  for (const bar of document.querySelectorAll<HTMLElement>("[data-tabs]")) {
    const buttons = [...bar.querySelectorAll<HTMLButtonElement>("button")];
    const show = (chosen: string) => {
      for (const button of buttons) {
        setAttribute(button, "aria-pressed", String(button.value === chosen));
        const text = find(`[data-tab="${button.value}"]`);
        if (text) text.hidden = button.value !== chosen;
      }
    };
    for (const button of buttons) button.addEventListener("click", () => show(button.value));
    if (buttons[0]) show(buttons[0].value);
  }
}

/** What cannot be undone is pressed only when its name was typed. */
function confirmations(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-confirm]")) {
    const button = find<HTMLButtonElement>("button[type=submit]", form);
    const field = find<HTMLInputElement>("input[name=confirm]", form);
    if (!button || !field) continue;
    const check = () => {
      button.disabled = field.value.trim() !== form.dataset.confirm?.trim();
    };
    field.addEventListener("input", check);
    check();
  }
}

/** The address at which the page can be read again: not that of the form whose refusal it shows, and without what was confirmed once. */
function settle(): void {
  const url = new URL(location.href);
  const own = find<HTMLLinkElement>("link[rel=canonical]")?.href;
  if (own && new URL(own).pathname !== url.pathname) return history.replaceState(null, "", own);
  if (!url.searchParams.has("said")) return;
  url.searchParams.delete("said");
  url.searchParams.delete("n");
  history.replaceState(null, "", url);
}

settle();
const explorer = find("#inspector") ? new Explorer() : null;
// Before scripts change what the server sent.
if (find("[data-live]")) keepTrue("/account/events", readable, explorer);
readable(document);
tabs();
confirmations();
addEventListener("keydown", (event) => {
  const open = !!find("dialog[open]:not(#sheet)");
  // What the frame's keys took for themselves counts as well: j and k move on here, too.
  const meant =
    !event.ctrlKey && !event.metaKey && !event.altKey && !(event.target as Element).closest("input, select, textarea");
  if (!meant || open) return;
  if (explorer?.key(event.key)) event.preventDefault();
  else if (!explorer && event.key === "r" && !typing(event))
    find<HTMLFormElement>("main form[data-retry]")?.requestSubmit();
});
