/* What every page has: theme button, copy buttons, relative times, keys. */
import { keepTimes } from "./clock.ts";
import { copyButtons } from "./copy.ts";
import { find, setText } from "./dom.ts";
import { siteKeys } from "./keys.ts";
import { chosen, next, type Theme } from "./themes.ts";

const LABELS: Record<Theme, [string, string]> = { auto: ["◐", "Auto"], light: ["☀", "Light"], dark: ["☾", "Dark"] };

function show(button: HTMLElement, theme: Theme): void {
  const [symbol, word] = LABELS[theme];
  setText(find("[data-symbol]", button), symbol);
  setText(find("[data-word]", button), word);
  button.setAttribute("aria-label", `Theme: ${word}. Press to change`);
}

const button = find("#theme");
if (button) {
  show(button, chosen());
  button.addEventListener("click", () => show(button, next()));
}
copyButtons();
keepTimes();
siteKeys();
// On a narrow screen the navigation is wider than its place.
find("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
