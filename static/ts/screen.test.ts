/* The pure parts of a screen: what is shown when, which rule matches, and how texts are filled. Run by `npm test`. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { left } from "./screen/alarm.ts";
import { changed, refreshed } from "./screen/commands.ts";
import { type Content, type Item, matching, type Rule } from "./screen/content.ts";
import { isPlayer } from "./screen/fresh.ts";
import {
  advance,
  begin,
  failed,
  following,
  isToMount,
  lapsed,
  nextChange,
  revive,
  type Stage,
  shown,
  withItems,
} from "./screen/stage.ts";
import { fill, ink } from "./screen/template.ts";
import { Time } from "./screen/time.ts";

const card = (text: string, seconds: number): Item => ({ type: "card", text, seconds });
const ITEMS = [card("a", 10), card("b", 20), card("c", 5)];
const RULES: Rule[] = [
  { sensor: "door-1", event: "open", show: card("open", 1), seconds: 4 },
  { value: "7", show: card("seven", 1), seconds: 4 },
];
const CONTENT: Content = { items: ITEMS, datasources: [], rules: RULES };

/** What is seen, in a word. */
function seen(stage: Stage, items = ITEMS): string {
  const now = shown(stage, items);
  if ("emergency" in now) return `emergency ${now.emergency.text}`;
  if (!("item" in now)) return now.kind;
  const said = now.item.type === "card" ? now.item.text : now.item.type === "dashboard" ? "" : now.item.url;
  return `${now.kind} ${said}`;
}

function obey(stage: Stage, name: string, parameters: Record<string, unknown>, now: number): Stage {
  return changed(stage, { id: 1, function: name, parameters }, CONTENT, now)?.[0] ?? stage;
}

test("the loop shows each item for its time, and begins again", () => {
  let stage = begin(ITEMS, 0);
  const times = [9_999, 10_000, 29_999, 30_000, 35_000];
  const said = times.map((now) => {
    stage = advance(stage, ITEMS, now);
    return seen(stage);
  });
  deepEqual(said, ["loop a", "loop b", "loop b", "loop c", "loop a"]);
  equal(nextChange(stage, ITEMS), 45_000);
  deepEqual(following(stage, ITEMS), { item: ITEMS[1], turn: stage.turn + 1 });
  equal(seen(begin([], 0), []), "empty");
  equal(nextChange(begin([], 0), []), null);
});

test("after sleep of the machine the next item has its whole time, and a clock that was put back costs nothing", () => {
  let stage = advance(begin(ITEMS, 0), ITEMS, 9_000_000);
  deepEqual([seen(stage), stage.left], ["loop b", 20_000]);
  stage = advance(stage, ITEMS, 1000);
  deepEqual([seen(stage), stage.left], ["loop b", 20_000]);
});

test("an emergency outranks sleep, sleep a rule, a rule an address, an address the loop", () => {
  let stage = advance(begin(ITEMS, 0), ITEMS, 4000);
  stage = obey(stage, "load_url", { url: "http://a", seconds: 600 }, 4000);
  stage = obey(stage, "send_sensor_event_data", { sensor_data: { id: "door-1", event: "open", value: "" } }, 4000);
  stage = obey(stage, "snooze", { seconds: 2 }, 4000);
  stage = obey(stage, "enable_emergency", { text: "out", until: "1970-01-01T00:00:05Z" }, 4000);
  const said = [4999, 5000, 6000, 8000, 604_000].map((now) => {
    stage = advance(stage, ITEMS, now);
    return seen(stage);
  });
  deepEqual(said, ["emergency out", "snoozed", "rule open", "url http://a", "loop a"]);
  equal(stage.left, 6000);
});

test("an emergency that ends by itself is noticed once, so that the server is asked whether another holds", () => {
  const timed = { text: "out", until: "1970-01-01T00:00:05Z" };
  const under = obey(begin(ITEMS, 0), "enable_emergency", timed, 0);
  const [before, after] = [advance(under, ITEMS, 4999), advance(under, ITEMS, 5000)];
  deepEqual([lapsed(under, before), lapsed(under, after)?.text, lapsed(after, after)], [null, "out", null]);
});

test("an emergency without an end lasts until it is taken back, and the loop goes on with the same item", () => {
  let stage = advance(begin(ITEMS, 0), ITEMS, 12_000);
  stage = advance(stage, ITEMS, 15_000);
  const before = stage.left;
  stage = obey(stage, "enable_emergency", { text: "out", until: null, color: "red;}" }, 15_000);
  equal(nextChange(stage, ITEMS), null);
  stage = advance(stage, ITEMS, 900_000_000);
  equal(seen(stage), "emergency out");
  // A colour that is none is not used.
  equal(stage.emergency?.color, "#b00020");
  stage = obey(stage, "disable_emergency", {}, 900_000_000);
  deepEqual([seen(stage), stage.left], ["loop b", before]);
});

test("a paused loop stays, also under an address; to resume takes the address away", () => {
  let stage = obey(begin(ITEMS, 0), "pause_loop", {}, 0);
  stage = advance(stage, ITEMS, 60_000);
  deepEqual([seen(stage), nextChange(stage, ITEMS)], ["paused a", null]);
  stage = obey(stage, "load_url", { url: "http://a" }, 60_000);
  stage = advance(stage, ITEMS, 6_000_000);
  equal(seen(stage), "url http://a");
  stage = obey(stage, "resume_loop", {}, 6_000_000);
  deepEqual([seen(stage), stage.left], ["loop a", 10_000]);
});

test("to refresh takes an address and a rule's show away, to be told quietly of other content takes nothing", () => {
  let stage = obey(begin(ITEMS, 0), "load_url", { url: "http://a" }, 0);
  const ruled = obey(stage, "send_sensor_event_data", { sensor_data: { value: 7 } }, 0);
  deepEqual(
    [stage, ruled].map((it) => seen(refreshed(it, { quiet: true }))),
    ["url http://a", "rule seven"],
  );
  deepEqual(
    [stage, ruled].map((it) => seen(refreshed(it, {}))),
    ["loop a", "loop a"],
  );
  stage = refreshed(stage, {});
  equal(stage.turn, 2);
});

test("sleep without an end lasts until it is woken", () => {
  let stage = obey(begin(ITEMS, 0), "snooze", {}, 0);
  stage = advance(stage, ITEMS, 9_000_000);
  equal(seen(stage), "snoozed");
  equal(seen(obey(stage, "wake", {}, 9_000_000)), "loop a");
});

test("a screen that starts again is where it was, and what has ended meanwhile is gone", () => {
  let stage = advance(begin(ITEMS, 0), ITEMS, 10_000);
  stage = advance(stage, ITEMS, 13_000);
  stage = obey(stage, "load_url", { url: "http://a", seconds: 10 }, 13_000);
  stage = obey(stage, "enable_emergency", { text: "out", until: null }, 13_000);
  const kept = JSON.stringify(stage);
  const soon = revive(kept, ITEMS, 14_000) as Stage;
  equal(seen(soon), "emergency out");
  const late = revive(kept, ITEMS, 9_000_000) as Stage;
  deepEqual([seen({ ...late, emergency: null }), late.left], ["loop b", 17_000]);
  const [fewer] = [revive(kept, ITEMS.slice(0, 1), 14_000) as Stage];
  deepEqual([fewer.at, fewer.left], [0, 10_000]);
  deepEqual(
    [null, "", "no JSON", "null", "7", '{"at":"x"}'].map((text) => revive(text, ITEMS, 0)),
    [null, null, null, null, null, null],
  );
});

test("with other items the loop stays at what it shows, wherever that is now", () => {
  const stage = advance(begin(ITEMS, 0), ITEMS, 10_000);
  deepEqual(withItems(stage, ITEMS, [ITEMS[0], ITEMS[1]] as Item[]), stage);
  equal(seen(withItems(stage, ITEMS, [ITEMS[1], ITEMS[0]] as Item[]), [ITEMS[1], ITEMS[0]] as Item[]), "loop b");
  const other = withItems(stage, ITEMS, [card("x", 3)]);
  deepEqual([other.at, other.left, other.turn], [0, 3000, stage.turn + 1]);
  const first = withItems(begin([], 0), [], ITEMS);
  deepEqual([first.at, first.left], [0, 10_000]);
});

test("what cannot be shown is passed over soon", () => {
  equal(failed(begin(ITEMS, 0)).left, 4000);
  equal(failed({ ...begin(ITEMS, 0), left: 100 }).left, 100);
});

test("a loop of one item that cannot be shown tries it again in each turn", () => {
  const only: Item[] = [{ type: "dashboard", seconds: 30 }];
  const stage = failed(begin(only, 0));
  const broken = { id: "dashboard", failedIn: stage.turn };
  equal(isToMount(broken, "dashboard", stage.turn), false);
  equal(isToMount(broken, "dashboard", advance(stage, only, 4000).turn), true);
  equal(isToMount({ ...broken, failedIn: null }, "dashboard", 7), false);
  deepEqual([isToMount(broken, "idle", 0), isToMount(null, "dashboard", 0)], [true, true]);
});

test("a rule matches when each member that it names is what the sensor said", () => {
  const of = (said: object) => RULES.indexOf(matching(RULES, said) as Rule);
  deepEqual(
    [
      of({ id: "door-1", event: "open", value: "7" }),
      of({ id: "door-2", event: "open", value: 7 }),
      of({ id: "door-1", event: "shut", value: "8" }),
      of({}),
    ],
    [0, 1, -1, -1],
  );
  equal(matching([], {}), null);
});

test("a card's text has the values at its paths, and a dash where there is none", () => {
  const value = { main: { temp: 21.5, list: [{ is: true }], none: null, html: "<b>x</b>" }, "a b": 1 };
  const cases: [string, string][] = [
    ["{{main.temp}} °C", "21.5 °C"],
    ["{{ main.list.0.is }}{{a b}}", "true1"],
    ["{{main.none}} {{main.nope.deep}} {{main.constructor}} {{main.list.length}}", "– – – 1"],
    ["{{main.html}}", "<b>x</b>"],
    ["{{main.list}}", '[{"is":true}]'],
    ["no {{ end", "no {{ end"],
  ];
  for (const [text, expected] of cases) equal(fill(text, value), expected);
  equal(fill("{{.}} {{a}}", 7), "7 –");
  equal(fill("{{a}}", undefined), "–");
});

test("the ink can be read on its ground", () => {
  deepEqual(["#b00020", "#ffcc00", "#fff", "#000", "#0a7", "#777777"].map(ink), [
    "#fff",
    "#000",
    "#000",
    "#fff",
    "#000",
    "#000",
  ]);
});

test("the time that is left is counted down", () => {
  deepEqual([0, 1, 59_000, 61_000, 3_600_000, -5].map(left), ["0:00", "0:01", "0:59", "1:01", "1:00:00", "0:00"]);
});

test("a clock that is set moves no end, and sleep of the machine is noticed", () => {
  const clock = { wall: 1_000_000, steady: 500 };
  const time = new Time(
    () => clock.wall,
    () => clock.steady,
  );
  const pass = (milliseconds: number) => {
    clock.wall += milliseconds;
    clock.steady += milliseconds;
  };
  equal(time.isStale(), true);
  time.note(new Date(90_000_000).toUTCString());
  deepEqual([time.now(), time.isStale()], [90_000_000, false]);
  pass(7000);
  // The machine's clock is put right: the time stays what it was, and is asked for.
  clock.wall = 90_007_000;
  deepEqual([time.now(), time.isStale()], [90_007_000, true]);
  time.note(null);
  equal(time.isStale(), true);
  time.note(new Date(90_007_000).toUTCString());
  pass(599_999);
  deepEqual([time.now(), time.isStale()], [90_606_999, false]);
  pass(1);
  equal(time.isStale(), true);
  time.note(new Date(90_606_000).toUTCString());
  // The header tells whole seconds: a clock so close is right.
  equal(time.now(), 90_607_000);
  clock.wall += 60_000;
  equal(time.isStale(), true);
});

test("only the player of this screen is a page that may be loaded anew", () => {
  const page = (name: string) => `<head><meta name="screen" content="${name}"><title>`;
  equal(isPlayer(page("lobby-1"), "lobby-1"), true);
  equal(isPlayer(page("lobby &#60;b&#62;&amp;&#x27;"), "lobby <b>&'"), true);
  deepEqual(
    [page("lobby-2"), "<h1>502 Bad Gateway</h1>", ""].map((it) => isPlayer(it, "lobby-1")),
    [false, false, false],
  );
});
