/* What pages of plain forms share: tabs, what is pressed only on purpose, and an address that can be read again. */
import { find, setAttribute } from "./dom.ts";

/** One of several texts is shown, by the buttons above them. */
export function tabs(): void {
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
export function confirmations(): void {
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
export function settle(): void {
  const url = new URL(location.href);
  const own = find<HTMLLinkElement>("link[rel=canonical]")?.href;
  if (own && new URL(own).pathname !== url.pathname) return history.replaceState(null, "", own);
  if (!url.searchParams.has("said")) return;
  url.searchParams.delete("said");
  url.searchParams.delete("n");
  url.searchParams.delete("execution");
  history.replaceState(null, "", url);
}
