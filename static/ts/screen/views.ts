/* What an item looks like: a web page in a frame, an image, the dashboard, a card; and the calm pages for when there is nothing. */
import { el, setText } from "../dom.ts";
import type { Showable } from "./content.ts";
import type { Data } from "./data.ts";
import { fit, shrink } from "./fit.ts";
import type { View } from "./layers.ts";
import { Renewal } from "./renewal.ts";
import { fill, ink } from "./template.ts";

/** What views stand on. */
export interface Means {
  data: Data;
  /** Lets this browser open the dashboard. */
  session(): Promise<void>;
}

/** What the window hears whenever the screen is connected again. */
export const LINKED = "hookcast:linked";
const DASHBOARD = "/screen-dashboard";
/** Sessions last an hour. */
const RENEW_EVERY = 50 * 60_000;
/** A card without its value is better than no card. */
const FIRST_VALUE_WITHIN = 1500;

export function view(item: Showable, means: Means): View {
  switch (item.type) {
    case "web":
      return web(item.url);
    case "image":
      return image(item.url);
    case "dashboard":
      return dashboard(means);
    case "card":
      return card(item, means.data);
    default:
      return notice("This screen is older than its content", "Reload it, or update the browser.");
  }
}

/** A page of somebody else, which must never navigate the screen, open windows or dialogs, or reach into it when it is of our own origin. */
function web(url: string): View {
  const sandbox = `allow-scripts allow-forms${isOurs(url) ? "" : " allow-same-origin"}`;
  const frame = el("iframe", {
    sandbox,
    referrerpolicy: "no-referrer",
    allow: "autoplay; encrypted-media",
    title: url,
    src: url,
  });
  // A page that may not be framed loads, too, as the browser's own words: that cannot be told from here.
  const ready = new Promise<null>((done) => frame.addEventListener("load", () => done(null), { once: true }));
  return { node: frame, ready, close: () => undefined };
}

function isOurs(url: string): boolean {
  try {
    return new URL(url, location.href).origin === location.origin;
  } catch {
    return true;
  }
}

function image(url: string): View {
  const node = el("img", { alt: "", src: url, referrerpolicy: "no-referrer" });
  const ready = node.decode().then(
    () => null,
    () => "the image cannot be loaded",
  );
  return { node, ready, close: () => node.removeAttribute("src") };
}

function dashboard(means: Means): View {
  const frame = el("iframe", { title: "Dashboard" });
  const renewal = new Renewal(() => means.session(), RENEW_EVERY);
  // An outage may have lasted longer than the session.
  const back = () => void renewal.now().catch(() => undefined);
  addEventListener(LINKED, back);
  const ready = renewal.now().then(
    () =>
      new Promise<string | null>((done) => {
        frame.addEventListener("load", () => done(frame.contentDocument?.title ? null : "it cannot be loaded"), {
          once: true,
        });
        frame.src = DASHBOARD;
      }),
    (error: Error) => error.message,
  );
  const close = () => {
    removeEventListener(LINKED, back);
    renewal.end();
  };
  return { node: frame, ready, close };
}

function card(item: Showable & { type: "card" }, data: Data): View {
  const text = el("p", { class: "text" });
  const trouble = el("p", { class: "trouble", role: "status" });
  const body = el("div", { class: "body" }, item.title ? el("h1", {}, item.title) : null, text);
  const node = el("article", { class: "card" }, body, trouble);
  paint(node, item.color ?? null);
  const show = (value: unknown) => {
    lines(text, fill(item.text, value));
    shrink(node, body);
  };
  show(undefined);
  const unfit = fit(node, body);
  if (!item.datasource) return { node, ready: Promise.resolve(null), close: unfit };
  let leave: () => void = () => undefined;
  const read = new Promise<null>((done) => {
    leave = data.follow(item.datasource ?? "", (known) => {
      show(known.value);
      setText(trouble, known.trouble ? `${item.datasource}: ${known.trouble}` : "");
      if (known.value !== undefined || known.trouble) done(null);
    });
    setTimeout(() => done(null), FIRST_VALUE_WITHIN);
  });
  const close = () => {
    leave();
    unfit();
  };
  return { node, ready: read, close };
}

/** Each line for itself, so that its words are spread evenly. */
export function lines(node: HTMLElement, text: string): void {
  if (node.textContent === text) return;
  const parts = text
    .split("\n")
    .flatMap((line, index) => (index > 0 ? ["\n", el("span", {}, line)] : [el("span", {}, line)]));
  node.replaceChildren(...parts);
}

/** A colour, and an ink that can be read on it. */
export function paint(node: HTMLElement, color: string | null): void {
  if (!color) return;
  node.style.setProperty("--ground", color);
  node.style.setProperty("--ink", ink(color));
}

/** Says something calmly. */
export function notice(title: string, text: string): View {
  const node = el("article", { class: "notice" }, el("h1", {}, title), el("p", {}, text));
  return { node, ready: Promise.resolve(null), close: () => undefined };
}

/** Nothing is to be shown: the name of the screen, and the time. */
export function idle(name: string): View {
  const [hour, day] = [el("p", { class: "hour" }), el("p", { class: "day" })];
  const tick = () => {
    const now = new Date();
    setText(hour, now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    setText(day, now.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" }));
  };
  tick();
  const timer = window.setInterval(tick, 1000);
  const node = el("article", { class: "idle" }, hour, day, el("h1", {}, name));
  return { node, ready: Promise.resolve(null), close: () => clearInterval(timer) };
}
