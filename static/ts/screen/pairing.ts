/* Before a screen belongs to a consumer it shows a code, which the operator accepts on the page Screens. */
import { el, setText } from "../dom.ts";
import { Refused, type Server } from "./server.ts";
import { moment } from "./waits.ts";

const ASK_EVERY = 2000;
const LONGEST = 60_000;

/** Shows the code in `place` until the key is accepted; it waits for ever. */
export async function paired(place: HTMLElement, name: string, server: Server): Promise<void> {
  const view = build(name);
  place.replaceChildren(view.node);
  place.hidden = false;
  for (let wait = 0; ; ) {
    await moment(wait);
    try {
      const told = await server.pair(name);
      if (told.state === "paired") break;
      view.show(told.code);
      wait = ASK_EVERY;
    } catch (error) {
      view.trouble(error);
      const asked = error instanceof Refused ? (error.retryAfter ?? 5) * 1000 : ASK_EVERY;
      wait = Math.min(LONGEST, asked) * (1 + Math.random() / 2);
    }
  }
  place.hidden = true;
  place.replaceChildren();
}

function build(name: string) {
  const code = el("output", { class: "code", "aria-live": "polite", "aria-label": "Pairing code" }, "······");
  const state = el("p", { class: "state", role: "status" }, "Asking for a code…");
  const address = el("strong", {}, `${location.host}/screens`);
  const node = el(
    "div",
    { class: "pairing" },
    el("p", { class: "kicker" }, "New screen"),
    el("h1", {}, name),
    code,
    el("p", { class: "how" }, "Accept this code on the page Screens: ", address),
    state,
  );
  const show = (text: string) => {
    // Letters are read one by one.
    code.setAttribute("aria-label", `Pairing code ${[...text].join(" ")}`);
    setText(code, text);
    code.classList.add("known");
    tell("Waiting to be accepted", false);
  };
  const tell = (text: string, isBad: boolean) => {
    setText(state, text);
    state.classList.toggle("bad", isBad);
  };
  const trouble = (error: unknown) =>
    tell(error instanceof Refused ? error.message : "The consumer does not answer. It is asked again.", true);
  return { node, show, trouble };
}
