/* Small marks over what is shown: a toast, and in a corner what is wrong with the screen itself. */

import { el, setText } from "../dom.ts";
import { duration } from "../format.ts";

const USUAL_S = 8;
/** A connection that is back so soon was not worth a word. */
const WORTH_A_WORD = 5000;

export class Toast {
  private timer = 0;

  constructor(private readonly place: HTMLElement) {}

  /** Shows the text; a newer one takes its place. */
  show(text: string, seconds: number | null): void {
    clearTimeout(this.timer);
    this.place.replaceChildren(el("p", {}, text));
    this.timer = window.setTimeout(() => this.place.replaceChildren(), (seconds ?? USUAL_S) * 1000);
  }
}

export class Corner {
  private lostAt: number | null = null;
  private readonly troubles = new Map<string, string>();

  constructor(private readonly place: HTMLElement) {
    setInterval(() => this.tick(), 1000);
  }

  connected(is: boolean): void {
    this.lostAt = is ? null : (this.lostAt ?? Date.now());
    this.tick();
  }

  /** Something about the screen that its operator should know; `null`: no more. */
  trouble(name: string, text: string | null): void {
    if (text === null) this.troubles.delete(name);
    else this.troubles.set(name, text);
    this.tick();
  }

  private tick(): void {
    const away = this.lostAt === null ? 0 : Date.now() - this.lostAt;
    const words = [...this.troubles.values()];
    if (away > WORTH_A_WORD) words.unshift(`Reconnecting since ${duration(away / 1000)}`);
    this.place.hidden = words.length === 0;
    setText(this.place, words.join(" · "));
  }
}
