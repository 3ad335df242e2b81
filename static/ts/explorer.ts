/* The deliveries explorer: the list keeps itself true, and the delivery that is chosen is read beside it. */
import { showBody } from "./body.ts";
import { el, find, need, problem, setAttribute } from "./dom.ts";
import { Drawer } from "./drawer.ts";
import { busy, read } from "./live.ts";
import { toast } from "./toast.ts";

export class Explorer {
  private readonly drawer = new Drawer("Delivery");
  private selected: string | null = null;
  private turn = 0;

  constructor() {
    this.drawer.onStep = (by) => this.step(by);
    this.drawer.onClose = () => this.closed();
    document.addEventListener("click", (event) => this.clicked(event));
    this.drawer.content.addEventListener("submit", (event) => void this.sent(event));
  }

  /** Takes a key that is meant for the delivery that is open; `false`: it is meant for others. */
  key(key: string): boolean {
    if (!this.drawer.opened) return false;
    if (key === "j" || key === "k") this.step(key === "j" ? 1 : -1);
    else if (key === "Escape") this.drawer.close();
    else if (key === "r") find<HTMLFormElement>("form[data-retry]", this.drawer.content)?.requestSubmit();
    else return false;
    return true;
  }

  /** The list was read again. */
  renewed(): void {
    this.mark();
  }

  /** Something moved: what is open is read again; `false`: somebody is at it. */
  async again(): Promise<boolean> {
    if (!this.selected || !this.drawer.opened) return true;
    if (busy(this.drawer.content)) return false;
    await this.show(this.selected);
    return true;
  }

  private rows(): HTMLAnchorElement[] {
    return [...document.querySelectorAll<HTMLAnchorElement>("a.row.logged")];
  }

  private clicked(event: MouseEvent): void {
    const row = (event.target as Element).closest<HTMLAnchorElement>("a.row.logged");
    if (!row || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void this.open(row);
  }

  private async open(row: HTMLAnchorElement): Promise<void> {
    const id = row.dataset.id ?? null;
    // What another one's buttons do is not done to this one.
    if (id !== this.selected) this.drawer.content.replaceChildren();
    this.selected = id;
    this.mark();
    this.drawer.open("Delivery");
    this.drawer.permalink = row.href;
    this.drawer.content.ariaBusy = "true";
    if (id) await this.show(id);
    if (id === this.selected) this.drawer.content.ariaBusy = "false";
  }

  private async show(id: string): Promise<void> {
    const turn = ++this.turn;
    const url = `/account/deliveries/${encodeURIComponent(id)}`;
    const page = await read(url);
    if (turn !== this.turn) return;
    if (page) this.fill(page);
    else this.failed(id);
  }

  private fill(page: Document): void {
    const { content } = this.drawer;
    const top = content.scrollTop;
    const unfolded = new Set(
      [...content.querySelectorAll<HTMLElement>(".attempt[open] .num")].map((n) => n.textContent),
    );
    const delivery = need("[data-delivery]", page);
    content.replaceChildren(...delivery.childNodes);
    for (const attempt of content.querySelectorAll<HTMLDetailsElement>(".attempt")) {
      if (unfolded.has(need(".num", attempt).textContent)) attempt.open = true;
    }
    readable(content);
    content.scrollTop = top;
  }

  private failed(id: string): void {
    const again = el("button", { class: "btn small", type: "button" }, "Try again");
    again.addEventListener("click", () => void this.show(id));
    const text = "The producer does not answer, or you are no longer signed in. ";
    this.drawer.content.replaceChildren(el("p", { class: "pad" }, text, again));
  }

  private step(by: number): void {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.dataset.id === this.selected);
    const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!row || row.dataset.id === this.selected) return;
    row.focus();
    void this.open(row);
  }

  private closed(): void {
    this.turn++;
    const row = this.rows().find((row) => row.dataset.id === this.selected);
    this.selected = null;
    this.drawer.content.replaceChildren();
    this.mark();
    row?.focus();
  }

  private mark(): void {
    for (const row of this.rows()) {
      setAttribute(row, "aria-current", row.dataset.id === this.selected ? "true" : null);
    }
  }

  /** A form in the panel: sent here, so that the list stays where it is. */
  private async sent(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const turn = ++this.turn;
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
      if (!answer.ok) throw await problem(answer);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn === this.turn) this.fill(page);
      toast(find(".said", page)?.textContent ?? "Done");
    } catch (error) {
      toast((error as Error).message);
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  }
}

/** Bodies that are JSON, indented and coloured. */
export function readable(within: ParentNode): void {
  for (const body of within.querySelectorAll<HTMLElement>("[data-pretty]")) {
    const raw = body.textContent ?? "";
    if (body.id) find(`[data-copy-from="#${body.id}"]`, within)?.setAttribute("data-copy", raw);
    showBody(body, raw);
  }
}
