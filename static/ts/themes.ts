/* Auto, light or dark: remembered in this browser. */
export type Theme = "auto" | "light" | "dark";
const ORDER: Theme[] = ["auto", "light", "dark"];

export function chosen(): Theme {
  try {
    const saved = localStorage.getItem("theme") as Theme | null;
    return saved && ORDER.includes(saved) ? saved : "auto";
  } catch {
    return "auto";
  }
}

export function apply(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Moves on to the next theme, remembers it, and tells whoever draws with colours. */
export function next(): Theme {
  const theme = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length] ?? "auto";
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // A browser that forbids storage still changes the page that is open.
  }
  apply(theme);
  dispatchEvent(new Event("themechange"));
  return theme;
}

/** Calls back whenever colours may have changed, by hand or by the system. */
export function onThemeChange(callback: () => void): void {
  addEventListener("themechange", callback);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}
