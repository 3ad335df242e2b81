/* A screen: any browser that stays at /screen/NAME. It is paired once, then shows its content and obeys. */
import { el, find, need } from "./dom.ts";
import { Alarm } from "./screen/alarm.ts";
import { Data } from "./screen/data.ts";
import { isOutdated, reload } from "./screen/fresh.ts";
import { Layers } from "./screen/layers.ts";
import { type Leave, Link, type Obeying } from "./screen/link.ts";
import { Corner, Toast } from "./screen/marks.ts";
import { Memory } from "./screen/memory.ts";
import { Orders, type Say } from "./screen/orders.ts";
import { paired } from "./screen/pairing.ts";
import { Player } from "./screen/player.ts";
import { ELSEWHERE, fillTheScreenOnDoubleClick, hideCursor, onlyOne, stayAwake } from "./screen/quiet.ts";
import { keepTime, Refused, Server } from "./screen/server.ts";
import { LINKED } from "./screen/views.ts";

const name = find<HTMLMetaElement>("meta[name=screen]")?.content ?? "";
const memory = new Memory(name);
const server = new Server(() => memory.key);
const corner = new Corner(need("#corner"));

async function start(): Promise<void> {
  onlyOne(name, () => void reload(name));
  if (!memory.works)
    corner.trouble("memory", "This browser keeps nothing: after a restart the screen has to be accepted again");
  hideCursor();
  fillTheScreenOnDoubleClick();
  stayAwake();
  // Who has content was paired: it is shown also while the server is away.
  if (memory.get("content") === null) await paired(need("#pairing"), name, server);
  await play();
  // The key was deleted, or given to another browser.
  memory.forget();
  await reload(name);
}

/** Shows and obeys as long as the key is good. */
async function play(): Promise<void> {
  const data = new Data((source, fresh) => server.datasource(source, fresh));
  const seen = {
    layers: new Layers(need("#layers")),
    alarm: new Alarm(need("#alarm")),
    toast: new Toast(need("#toast")),
  };
  const told: { link?: Link } = {};
  const player = new Player({
    name,
    memory,
    server,
    data,
    ...seen,
    ask: () => told.link?.renew() ?? false,
    tell: (what) => told.link?.showing(what),
  });
  keepTime(server, () => player.timeTold());
  told.link = new Link(obeying(player));
  await told.link.keep();
}

function obeying(player: Player): Obeying {
  const orders = new Orders(
    (order) => player.perform(order),
    (id) => memory.set("last", String(id)),
  );
  let comesBack = false;
  return {
    auth: () => ({ key: memory.key, last: memory.last }),
    mayConnect: async () => {
      const { answered, ...leave } = await content(player);
      if (answered && comesBack && (await isOutdated(name))) location.reload();
      return leave;
    },
    connected: (say) => {
      comesBack = true;
      corner.connected(true);
      dispatchEvent(new Event(LINKED));
      orders.begin(thenRestart(player, say));
    },
    state: ({ emergency }) => player.hear(emergency),
    command: (order) => void orders.take(order),
    lost: () => {
      orders.end();
      corner.connected(false);
    },
    contested: (is) => corner.trouble("contested", is ? "Another browser has the key of this screen" : null),
  };
}

/** A restart comes after its report, answered or not. */
function thenRestart(player: Player, say: Say): Say {
  return async (word, about) => {
    try {
      return await say(word, about);
    } finally {
      if (word === "done" && about.id === player.restarting) void reload(name);
    }
  };
}

/** Reads the content, which a key that is good no more does not get. Where the server does not answer, nobody knows. */
async function content(player: Player): Promise<Leave & { answered: boolean }> {
  try {
    await player.read();
  } catch (error) {
    const refused = error instanceof Refused ? error : null;
    return { good: refused?.status !== 401, retryAfter: refused?.retryAfter ?? null, answered: false };
  }
  return { good: true, retryAfter: null, answered: true };
}

/** Another page of this browser has become this screen. */
function giveWay(): void {
  const here = el("button", { type: "button" }, "Show it here");
  here.addEventListener("click", () => {
    history.replaceState(null, "", location.pathname);
    void reload(name);
  });
  const page = need("#pairing");
  page.replaceChildren(
    el(
      "article",
      { class: "notice" },
      el("h1", {}, name),
      el("p", {}, "This screen is open in another window of this browser."),
      here,
    ),
  );
  page.hidden = false;
}

if (location.hash === ELSEWHERE) giveWay();
else void start();
