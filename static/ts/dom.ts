/* Small helpers over the DOM. Text goes in as text nodes only, never as HTML. */
type Child = Node | string | number | null | undefined;

/** An element with attributes and children; `null`, `undefined` and `false` leave an attribute out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean | null | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export function find<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T | null {
  return within.querySelector<T>(selector);
}

/** An element the page is known to hold. */
export function need<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Sets a text only when it differs, so that an unchanged page costs nothing. */
export function setText(node: Element | null, text: string): void {
  if (node && node.textContent !== text) node.textContent = text;
}

export function setAttribute(node: Element | null, name: string, value: string | null): void {
  if (!node || node.getAttribute(name) === value) return;
  if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
}

/** Gathers many calls into one per animation frame. */
export function coalesced(work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}

export function debounced(work: () => void, milliseconds: number): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(work, milliseconds);
  };
}

/** What a colour token is in the theme of the moment, as canvas understands it. */
export function color(token: string): string {
  const probe = el("i");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Whether a key press is meant for a field, or for the browser. */
export function typing(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target as HTMLElement | null;
  return !!target?.closest("input, select, textarea, [contenteditable]");
}

/** What the window hears whenever the server has answered a question. */
export const ANSWERED = "hookcast:answered";

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const asked = fetch(url, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  const response = await asked.catch(() => {
    throw new Error("The server does not answer. It is asked again in a moment.");
  });
  if (!response.ok) throw await problem(response);
  dispatchEvent(new Event(ANSWERED));
  return (await response.json()) as T;
}

/** The `detail` of a problem answer (RFC 9457) as an error, with the whole problem beside it. */
export async function problem(response: Response): Promise<Error & { problem?: Record<string, unknown> }> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const detail = typeof body.detail === "string" ? body.detail : `the server answered ${response.status}`;
  return Object.assign(new Error(detail), { problem: body });
}
