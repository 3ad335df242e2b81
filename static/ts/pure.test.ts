/* The pure functions, each with a table. Run by `npm test`. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type Batch, type Line, Lines, verdict } from "./batch.ts";
import { toggled } from "./controls.ts";
import { curl } from "./curl.ts";
import { ago, bytes, duration, percent, rate, took } from "./format.ts";
import { hex } from "./hex.ts";
import { type Branch, isBranch, type Leaf, tree } from "./json.ts";
import { Series, unit } from "./series.ts";
import { Trouble } from "./trouble.ts";

const line = (n: number, seq: number, more: Partial<Line> = {}): Line => ({
  ...{ seq, n, total: 9, outcome: "delivered", status: 200, reason: null, text: null, duration_ms: 1, owner: "o" },
  ...{ priority: "Low", attempt: 1, attempts_max: 10, next_at: null, delivery: "d", at: "2026-11-22T14:00:00Z" },
  ...more,
});

test("ages and lengths of time are written in their largest units", () => {
  deepEqual([0, 400, 2000, 59_000, 240_000, 7_200_000].map(ago), [
    "0.1 s ago",
    "0.4 s ago",
    "2 s ago",
    "59 s ago",
    "4 min ago",
    "2 h ago",
  ]);
  deepEqual([4, 60, 200, 7500, 90_000].map(duration), ["4 s", "1 min", "3 min 20 s", "2 h 5 min", "1 d 1 h"]);
  deepEqual([0.0421, 1.12, 18].map(took), ["42 ms", "1.1 s", "18 s"]);
  deepEqual([bytes(12), bytes(2048), bytes(3 << 20)], ["12 B", "2.0 KiB", "3.0 MiB"]);
});

test("shares and rates are never NaN", () => {
  deepEqual([percent(0, 0), percent(1, 3), percent(5, 5)], ["0 %", "33.3 %", "100 %"]);
  deepEqual([rate(0), rate(24.62), rate(2000.4)], ["0", "24.6", "2,000"]);
});

test("the tree of JSON keeps digits, order and repeated keys, and is not made of what is no JSON", () => {
  const text = (value: Leaf | Branch): string =>
    isBranch(value)
      ? `${value.open}${value.members.map((one) => `${one.key ?? "-"}=${text(one.value)}`).join(" ")}`
      : `${value.text}/${value.kind}`;
  const read = (source: string) => {
    const root = tree(source);
    return root && text(root);
  };
  equal(
    read('{"b":1.50,"b":[1,{},true],"s":"x:\\"y\\""}'),
    '{"b"=1.50/number "b"=[-=1/number -={ -=true/word "s"="x:\\"y\\""/string',
  );
  equal(read(" -7 "), "-7/number");
  equal(read('{"a":NaN}'), null);
  equal(isBranch(tree(`${"[".repeat(5000)}${"]".repeat(5000)}`) as Branch), true);
});

test("bytes are shown in hexadecimal and as ASCII", () => {
  equal(hex('{"ä"}', 8), '000000  7b 22 c3 a4 22 7d        {".."}');
  equal(hex("abc", 2), "000000  61 62  ab\n000002  63     c");
});

test("a request copied as curl is quoted for the shell and carries no webhook-id", () => {
  equal(
    curl(
      "POST",
      "http://localhost:5001/x",
      [
        ["content-type", "application/json"],
        ["webhook-id", "m"],
      ],
      `{"a":"it's"}`,
    ),
    `curl -X POST http://localhost:5001/x -H 'content-type: application/json' --data-raw '{"a":"it'\\''s"}'`,
  );
});

test("priorities are switched on and off in a comma list", () => {
  deepEqual(
    [toggled("", "Low"), toggled("Low", "Major"), toggled("Low,Major", "Low"), toggled("Low", "")],
    ["Low", "Low,Major", "Major", ""],
  );
});

test("live seconds replace and fill what the server counted, and an open gap is drawn as nothing", () => {
  const series = new Series();
  series.load({
    window: 60,
    step: 10,
    from: 0,
    points: [
      [1000, 5, 0, 0, 0, 0],
      [1010, 1, 0, 0, 0, 0],
    ],
  });
  series.merge([
    [1011, 3, 0, 0, 0, 0],
    [1012, 4, 0, 0, 0, 0],
  ]);
  series.merge([[1012, 6, 0, 0, 0, 0]]);
  const last = (now: number) => series.steps(now).at(-1);
  equal(last(1019.9)?.counts[0], 9);
  equal(series.steps(1019.9).length, 6);
  series.gap(1015, null);
  equal(last(1025)?.rates[0], null);
  series.gap(1015, 1024);
  equal(last(1025)?.rates[0], 0);
});

test("the unit of the rate axis gives whole numbers to read", () => {
  deepEqual(
    [0, 24, 0.5, 0.001].map((highest) => unit(highest).name),
    ["second", "second", "minute", "hour"],
  );
});

test("a retry changes the line of its task where it stands", () => {
  const lines = new Lines();
  lines.add(line(1, 1));
  lines.add(line(2, 2, { outcome: "retrying", status: 503 }));
  lines.add(line(3, 3));
  lines.add(line(2, 4, { attempt: 2 }));
  lines.add(line(2, 2, { outcome: "retrying" }));
  deepEqual(
    [0, 1, 2].map((place) => lines.at(place, "")?.seq),
    [1, 4, 3],
  );
  equal(lines.count("retrying"), 0);
});

test("the past goes below what came live, whichever arrives first", () => {
  const lines = new Lines();
  lines.addOlder([line(3, 3), line(4, 4)]);
  lines.add(line(5, 5));
  lines.addOlder([line(1, 1), line(2, 2), line(3, 2)]);
  deepEqual(
    [0, 1, 2, 3, 4].map((place) => lines.at(place, "")?.n),
    [1, 2, 3, 4, 5],
  );
});

test("a line says what happened, and when it is tried again", () => {
  const now = Date.parse("2026-11-22T14:00:00Z");
  const retry = { outcome: "retrying", status: 503, next_at: "2026-11-22T14:00:04Z" } as const;
  equal(verdict(line(1, 1), now), "200");
  equal(verdict(line(1, 1, retry), now), "503 · retry in 4 s");
  equal(verdict(line(1, 1, { outcome: "failed", status: null, reason: "timeout" }), now), "timed out");
});

test("a reason is said for the whole batch once three attempts in a row ended by it", () => {
  const trouble = new Trouble();
  const batch = { total: 9, failed: 0, retrying: 3, state: "running" } as Batch;
  const refused = (seq: number) => trouble.take(line(seq, seq, { outcome: "retrying", text: "refused" }));
  refused(1);
  refused(2);
  equal(trouble.of(batch), null);
  refused(3);
  equal(trouble.of(batch)?.text, "refused");
  equal(trouble.of({ ...batch, retrying: 0 }), null);
  trouble.take(line(4, 4));
  equal(trouble.of(batch), null);
  refused(2);
  equal(trouble.of(batch), null);
});

test("a window the server has not told of yet shows only what came live", () => {
  const series = new Series();
  series.choose(60);
  series.merge([[1000, 1, 0, 0, 0, 0]]);
  const steps = series.steps(1002);
  equal(steps.length, 60);
  deepEqual(
    steps.slice(-3).map((step) => step.rates[0]),
    [null, 1, 0],
  );
});
