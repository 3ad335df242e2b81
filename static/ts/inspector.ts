/* One event, read closely: beside the list, or as a sheet where there is no room beside it. */
import { showBody, Views } from "./body.ts";
import { since } from "./clock.ts";
import { copyBy } from "./copy.ts";
import { curl } from "./curl.ts";
import { el, find, getJson, need, setText } from "./dom.ts";
import { Drawer } from "./drawer.ts";
import { absolute, bytes, grouped } from "./format.ts";
import { SYMBOLS, word } from "./priorities.ts";
import { marks } from "./row.ts";
import type { Detail, Summary } from "./wire.ts";

export class Inspector {
  private readonly drawer = new Drawer("Event");
  private readonly panel = this.drawer.panel;
  private detail: Detail | null = null;
  private turn = 0;
  private readonly views = new Views(this.panel, (view) => {
    if (this.detail) showBody(need("[data-body]", this.panel), this.detail.raw, view);
  });

  constructor() {
    this.drawer.on("curl", (button) => this.detail && void copyBy(button, asCurl(this.detail)));
    this.drawer.on("copy", (button) => this.detail && void copyBy(button, this.detail.raw));
  }

  set onStep(step: (by: number) => void) {
    this.drawer.onStep = step;
  }

  set onClose(closed: () => void) {
    this.drawer.onClose = () => {
      this.turn++;
      closed();
    };
  }

  get opened(): boolean {
    return this.drawer.opened;
  }

  async open(event: Summary): Promise<void> {
    const turn = ++this.turn;
    this.drawer.open(`Event #${grouped(event.offset)}`);
    const content = this.drawer.content;
    content.ariaBusy = "true";
    try {
      const detail = await getJson<Detail>(`/api/events/${encodeURIComponent(`@${event.offset}`)}`);
      if (turn === this.turn) this.show(detail);
    } catch (error) {
      if (turn === this.turn) this.failed(event, error as Error);
    }
    if (turn === this.turn) content.ariaBusy = "false";
  }

  close(): void {
    this.drawer.close();
  }

  private show(detail: Detail): void {
    this.detail = detail;
    this.drawer.permalink = `/events/@${detail.offset}`;
    const method = el("span", { class: "method" }, detail.method);
    const when = el("time", { datetime: detail.received_at, "data-rel": true, title: absolute(detail.received_at) });
    when.textContent = since(detail.received_at);
    const rank = el("span", { class: `pill ${detail.priority.toLowerCase()}` });
    rank.append(el("span", { "aria-hidden": "true" }, SYMBOLS[detail.priority]), word(detail.priority));
    const facts: [string, Node | string][] = [
      ["Title", el("span", {}, detail.title, ...marks(detail))],
      ["Priority", rank],
      ["Request", el("span", {}, method, ` ${detail.path}`)],
      ["Received", when],
      ["Source", detail.source],
      ["From", detail.remote],
      ["Size", bytes(detail.size)],
    ];
    const rows = detail.headers.map(([name, value]) =>
      el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)),
    );
    need("[data-facts]", this.panel).replaceChildren(
      ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    );
    setText(find("[data-header-count]", this.panel), `Headers (${rows.length})`);
    need("[data-headers]", this.panel).replaceChildren(el("tbody", {}, ...rows));
    this.views.set("pretty");
  }

  private failed(event: Summary, error: Error): void {
    this.detail = null;
    const again = el("button", { class: "btn small", type: "button" }, "Try again");
    again.addEventListener("click", () => void this.open(event));
    need("[data-facts]", this.panel).replaceChildren(
      el("dt", {}, "Not read"),
      el("dd", {}, `${error.message} `, again),
    );
    need("[data-headers]", this.panel).replaceChildren();
    need("[data-body]", this.panel).replaceChildren();
  }
}

function asCurl(detail: Detail): string {
  return curl(detail.method, `${location.origin}${detail.path}`, detail.headers, detail.raw);
}

/** The event page: the same pretty body and copy button, over what the server rendered. */
export function enhanceEventPage(): void {
  const body = find("[data-pretty]");
  if (!body) return;
  const raw = body.textContent ?? "";
  new Views(document, (view) => showBody(body, raw, view)).set("pretty");
  find("[data-do=copy]")?.addEventListener("click", (event) => void copyBy(event.currentTarget as HTMLElement, raw));
  find("[data-do=curl]")?.addEventListener("click", (event) => {
    const headers = [...document.querySelectorAll(".headers tr")].map(
      (row) => [row.children[0]?.textContent ?? "", row.children[1]?.textContent ?? ""] as [string, string],
    );
    const { method = "POST", path = "/" } = body.dataset;
    void copyBy(event.currentTarget as HTMLElement, curl(method, location.origin + path, headers, raw));
  });
}
