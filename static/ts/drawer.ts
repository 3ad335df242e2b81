/* The panel that shows one thing of a list closely: beside the list, or as a sheet where there is no room beside it. */
import { find, need, setText } from "./dom.ts";

export class Drawer {
  /** The previous (-1: newer) or next (1: older) one is asked for. */
  onStep: (by: number) => void = () => {};
  onClose: () => void = () => {};
  readonly panel = need("#inspector");
  /** What is shown of the one that is open. */
  readonly content = need("[data-open]", this.panel);
  private readonly home = need("#inspector-home");
  private readonly sheet = need<HTMLDialogElement>("#sheet");
  private readonly narrow = matchMedia("(max-width: 980px)");

  /** `noun` names what is shown: it is the panel's title while nothing is. */
  constructor(private readonly noun: string) {
    this.on("newer", () => this.onStep(-1));
    this.on("older", () => this.onStep(1));
    this.on("close", () => this.close());
    this.sheet.addEventListener("close", () => this.sheetClosed());
    this.sheet.addEventListener("click", (event) => event.target === this.sheet && this.sheet.close());
    this.narrow.addEventListener("change", () => this.opened && this.place());
  }

  on(name: string, work: (button: HTMLElement) => void): void {
    const button = find(`[data-do=${name}]`, this.panel);
    button?.addEventListener("click", () => work(button));
  }

  get opened(): boolean {
    return !this.content.hidden;
  }

  open(title: string): void {
    this.shell(true);
    setText(find("[data-title]", this.panel), title);
    this.place();
  }

  set permalink(url: string) {
    need<HTMLAnchorElement>("[data-permalink]", this.panel).href = url;
  }

  close(): void {
    this.shell(false);
    if (this.sheet.open) this.sheet.close();
    this.onClose();
  }

  private shell(open: boolean): void {
    this.content.hidden = !open;
    need("[data-closed]", this.panel).hidden = open;
    const tools = this.panel.querySelectorAll<HTMLElement>("header [data-do], [data-permalink]");
    for (const tool of tools) tool.hidden = !open;
    if (!open) setText(find("[data-title]", this.panel), this.noun);
  }

  private place(): void {
    if (this.narrow.matches) {
      this.sheet.append(this.panel);
      if (!this.sheet.open) this.sheet.showModal();
    } else {
      this.home.append(this.panel);
      if (this.sheet.open) this.sheet.close();
    }
  }

  private sheetClosed(): void {
    const wasSheet = this.narrow.matches;
    this.home.append(this.panel);
    if (wasSheet && this.opened) this.close();
  }
}
