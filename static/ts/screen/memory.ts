/* What a screen keeps over a restart, in this browser's storage: its key, the last command, where it stood, and its content. */
const KEY_BYTES = 32;

export type Kept = "key" | "last" | "stage" | "content";

export class Memory {
  /** `false`: this browser keeps nothing, or no more. */
  works = true;
  private isOver = false;
  private readonly held = new Map<Kept, string>();

  constructor(private readonly name: string) {
    const kept = this.get("key") ?? "";
    this.set("key", /^[0-9a-f]{64}$/.test(kept) ? kept : newKey());
  }

  get(what: Kept): string | null {
    const held = this.held.get(what);
    if (held !== undefined) return held;
    return this.attempt(() => localStorage.getItem(this.slot(what)));
  }

  set(what: Kept, text: string): void {
    if (this.isOver) return;
    this.held.set(what, text);
    this.attempt(() => localStorage.setItem(this.slot(what), text));
  }

  get key(): string {
    return this.get("key") ?? "";
  }

  /** The last command that was done; `null`: nobody knows. */
  get last(): number | null {
    const text = this.get("last");
    return text !== null && /^\d+$/.test(text) ? Number(text) : null;
  }

  /** Makes another key, and keeps nothing else for the page that begins anew with it: the one before is good no more. */
  forget(): void {
    for (const what of ["last", "stage", "content"] as const) {
      this.held.delete(what);
      this.attempt(() => localStorage.removeItem(this.slot(what)));
    }
    this.set("key", newKey());
    // What the page still wants to keep is of the key before.
    this.isOver = true;
  }

  private slot(what: Kept): string {
    return `hookcast:screen:${this.name}:${what}`;
  }

  private attempt<T>(work: () => T): T | null {
    try {
      return work();
    } catch {
      this.works = false;
      return null;
    }
  }
}

/** Random also where the page came over plain HTTP, which `crypto.subtle` is not. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
