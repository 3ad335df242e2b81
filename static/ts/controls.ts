/* The dashboard's filters: kept in the address, so that a reload or a link shows the same. */
import { debounced, el, getJson, need, setText } from "./dom.ts";
import type { Filter } from "./filtered.ts";
import { plural } from "./format.ts";

export interface Choice extends Filter {
  window: number;
}

/** Anybody who may post may name a source. */
const MOST_SOURCES = 500;
const WINDOWS = [60, 900, 3600, 86_400];

export class Controls {
  choice: Choice;
  onFilter: () => void = () => {};
  onSource: () => void = () => {};
  onWindow: () => void = () => {};
  private readonly text = need<HTMLInputElement>("#q");
  private readonly source = need<HTMLSelectElement>("#source");
  private readonly windows = need("#windows");
  private known = new Set<string>();
  /** Whether somebody chose the window: a young log is first shown by the minute. */
  private picked: boolean;

  constructor() {
    const search = new URLSearchParams(location.search);
    const seconds = Number(search.get("window"));
    this.picked = WINDOWS.includes(seconds);
    this.choice = {
      window: this.picked ? seconds : Number(this.windows.dataset.first),
      source: search.get("source") ?? "",
      priority: search.get("priority") ?? "",
      q: search.get("q") ?? "",
    };
    for (const option of this.source.options) if (option.value) this.known.add(option.value);
    this.text.addEventListener(
      "input",
      debounced(() => this.set({ q: this.text.value.trim() }), 250),
    );
    this.source.addEventListener("change", () => this.set({ source: this.source.value }));
    this.windows.addEventListener("click", (event) => {
      const value = (event.target as Element).closest("button")?.value;
      if (!value) return;
      this.picked = true;
      this.set({ window: Number(value) });
    });
    need("#priorities").addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      if (button) this.set({ priority: toggled(this.choice.priority, button.value) });
    });
    need("#clear").addEventListener("click", () => this.set({ q: "", priority: "", source: "" }));
    this.show();
    void this.sources();
  }

  private set(change: Partial<Choice>): void {
    const before = this.choice;
    this.choice = { ...before, ...change };
    this.show();
    this.remember();
    if (before.window !== this.choice.window) this.onWindow();
    if (before.source !== this.choice.source) this.onSource();
    if (
      ["source", "priority", "q"].some((name) => before[name as keyof Choice] !== this.choice[name as keyof Choice])
    ) {
      this.onFilter();
    }
  }

  private show(): void {
    const { window: seconds, source, priority, q } = this.choice;
    if (this.text.value.trim() !== q) this.text.value = q;
    if (source && !this.known.has(source)) this.addSource(source);
    this.source.value = source;
    press("#windows", (value) => value === String(seconds));
    const chosen = priority.split(",").filter(Boolean);
    press("#priorities", (value) => (value === "" ? chosen.length === 0 : chosen.includes(value)));
  }

  private remember(): void {
    const { window: seconds, ...filter } = this.choice;
    const search = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
    if (this.picked) search.set("window", String(seconds));
    history.replaceState(null, "", `${location.pathname}${search.size > 0 ? `?${search}` : ""}`);
  }

  /** A source seen for the first time becomes choosable. */
  addSource(source: string): void {
    if (this.known.has(source) || this.known.size >= MOST_SOURCES) return;
    this.known.add(source);
    this.source.append(el("option", { value: source }, source));
  }

  private async sources(): Promise<void> {
    const answer = await getJson<{ sources: { source: string; total: number }[] }>("/api/sources").catch(() => null);
    for (const { source, total } of answer?.sources ?? []) {
      this.addSource(source);
      const option = [...this.source.options].find((one) => one.value === source);
      if (option) option.title = plural(total, "event");
    }
    this.source.value = this.choice.source;
    setText(this.source.options[0] ?? null, "All sources");
  }
}

/** A comma list with one name switched on or off; the empty name clears it. */
export function toggled(list: string, name: string): string {
  if (name === "") return "";
  const names = list.split(",").filter(Boolean);
  return (names.includes(name) ? names.filter((one) => one !== name) : [...names, name]).join(",");
}

function press(group: string, pressed: (value: string) => boolean): void {
  for (const button of need(group).querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(pressed(button.value)));
  }
}
