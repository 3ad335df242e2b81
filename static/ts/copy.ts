/* Buttons that copy: `data-copy` holds the text, `data-copy-from` the selector of the element that holds it. */
import { el, find } from "./dom.ts";

export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain http on another host has no clipboard interface.
  const area = el("textarea", { "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Copies, and lets the button say so for a moment. */
export async function copyBy(button: HTMLElement, text: string): Promise<void> {
  const before = button.dataset.label ?? button.textContent ?? "Copy";
  button.dataset.label = before;
  try {
    await copy(text);
    button.textContent = "Copied";
    button.classList.add("done");
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => {
    button.textContent = before;
    button.classList.remove("done");
  }, 1600);
}

export function copyButtons(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (!button) return;
    const from = button.dataset.copyFrom;
    void copyBy(button, button.dataset.copy ?? (from ? (find(from)?.textContent ?? "") : ""));
  });
}
