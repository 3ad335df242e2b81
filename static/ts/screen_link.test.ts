/* The pure parts of a screen's link to its server: when it comes again, what is renewed, and how commands are obeyed. Run by `npm test`. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type Order, Orders } from "./screen/orders.ts";
import { Renewal } from "./screen/renewal.ts";
import { Waits } from "./screen/waits.ts";

test("who is refused comes again soon at first, seldom after a minute, and not before it is asked to", () => {
  const waits = new Waits(() => 1);
  const said = [0, 1000, 2000, 3000, 4000, 5000, 59_000].map((now) => Math.round(waits.next(now)));
  deepEqual(said, [1000, 1280, 2048, 3277, 5000, 5000, 5000]);
  deepEqual(
    [60_000, 70_000, 80_000, 90_000, 200_000].map((now) => Math.round(waits.next(now))),
    [8000, 12_800, 20_480, 30_000, 30_000],
  );
  deepEqual([waits.next(201_000, 7), waits.next(202_000, 45)], [30_000, 45_500]);
  waits.reset();
  deepEqual([waits.soon(), waits.next(203_000), new Waits(() => 0).next(0)], [1000, 1000, 500]);
});

test("what is renewed in time is tried again soon where that failed, and no more after its end", async () => {
  const waits: number[] = [];
  let work = () => {};
  let answer = () => Promise.resolve();
  let asked = 0;
  const renew = () => {
    asked += 1;
    return answer();
  };
  const later = (then: () => void, milliseconds: number) => {
    waits.push(milliseconds);
    work = then;
    return () => {
      work = () => {};
    };
  };
  const settled = () => new Promise((done) => setTimeout(done));
  const renewal = new Renewal(renew, 3_000_000, later);
  await renewal.now();
  answer = () => Promise.reject(new Error("away"));
  work();
  await settled();
  equal(await renewal.now().catch((error: Error) => error.message), "away");
  answer = () => Promise.resolve();
  work();
  await settled();
  deepEqual([waits, asked], [[3_000_000, 10_000, 10_000, 3_000_000], 4]);
  renewal.end();
  work();
  equal(asked, 4);
});

/** A server that answers acknowledgements in turn, and what is said and done to it. */
function obeying(answers: object[], perform: (order: Order) => string | Promise<string>) {
  const heard: string[] = [];
  const note = (id: number) => heard.push(`note ${id}`);
  const orders = new Orders(perform, note, async () => void heard.push("pause"));
  orders.begin(async (word, { id, text }) => {
    heard.push([word, id, text].filter((it) => it !== undefined).join(" "));
    return word === "ack" ? (answers.shift() ?? { execute: true }) : {};
  });
  const take = (id: number, name = "wake") => orders.take({ id, function: name, parameters: {} });
  return { heard, take, orders };
}

test("a command is done only when its acknowledgement says so, noted before, and reported", async () => {
  const { heard, take } = obeying([{ execute: false }, { execute: true }, { execute: true }], ({ id }) => {
    if (id === 3) throw new Error("no such page");
    return "fine";
  });
  await Promise.all([take(1), take(2), take(2), take(3)]);
  await take(4);
  deepEqual(heard, [
    ...["ack 1", "ack 2", "note 2", "done 2 fine"],
    ...["ack 3", "note 3", "failed 3 no such page", "ack 4", "note 4", "done 4 fine"],
  ]);
});

test("an acknowledgement that was not stored is said again", async () => {
  const { heard, take } = obeying([{ error: "not stored" }, { execute: true }], () => "");
  await take(1);
  deepEqual(heard, ["ack 1", "pause", "ack 1", "note 1", "done 1"]);
});

test("what takes long holds up nothing, and is reported when it is done", async () => {
  let finish = (_: string) => {};
  const { heard, take } = obeying([], ({ id }) => (id === 1 ? new Promise((done) => (finish = done)) : "out"));
  await take(1);
  await take(2);
  finish("read");
  await Promise.resolve().then(() => undefined);
  deepEqual(heard, ["ack 1", "note 1", "ack 2", "note 2", "done 2 out", "done 1 read"]);
});

test("what an ended connection brought is not done", async () => {
  const { heard, take, orders } = obeying([], () => "");
  orders.end();
  await take(1);
  deepEqual(heard, []);
});
