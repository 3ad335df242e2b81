// `make bench`, second part: the accounts API with little and with much in its tables, side by side; writes its section of docs/benchmarks.md.
// Loopback only. BENCH_TRIGGERS (15) triggers and BENCH_CALLS (60) of each other call, on both databases; BENCH_PAST (1000000) deliveries of the past
// and BENCH_ACCOUNTS (100000) accounts are much.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { calls } from "./calls.mjs";
import { median } from "./figures.mjs";
import * as fill from "./fill.mjs";
import { receiver } from "./receiver.mjs";
import { writeSection } from "./section.mjs";
import { build, stopAll } from "./servers.mjs";
import { register, send, signUp, site, subscribe } from "./site.mjs";

const triggers = Number(process.env.BENCH_TRIGGERS ?? 15);
const rounds = Number(process.env.BENCH_CALLS ?? 60);
const past = [1000, Number(process.env.BENCH_PAST ?? 1_000_000)];
const filled = [100, Number(process.env.BENCH_ACCOUNTS ?? 100_000)];
const SUBSCRIBERS = 1000;
const KINDS = ["sqlite", "postgres"];
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  const endpoint = await receiver();
  try {
    const results = [];
    for (const kind of KINDS) {
      const events = await pair(kind, "events", (sites) => triggering(sites, endpoint));
      const table = await pair(kind, "calls", (sites) => calling(sites, endpoint));
      results.push({ kind, events, table });
    }
    writeSection("accounts", report(results));
  } finally {
    endpoint.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two producers on databases of the kind, at the same time: what else the machine does then slows both. */
async function pair(kind, name, measure) {
  const sites = [];
  try {
    for (const size of ["little", "much"]) sites.push(await site(kind, `${name}-${size}`, folder));
    return await measure(sites);
  } finally {
    await stopAll();
    for (const one of sites) one.drop();
  }
}

/** The milliseconds of the 201 to a trigger with 1 000 subscriptions, and of the arrival of all, by site. */
async function triggering(sites, endpoint) {
  for (const [place, one] of sites.entries()) {
    one.path = `/${one.kind}/${one.name}`;
    await subscribers(one, endpoint.url(one.path));
    // The first one makes the lines that the past goes to.
    await triggered(one, endpoint);
    fill.deliveries(one, past[place]);
    await triggered(one, endpoint);
  }
  const times = sites.map(() => ({ answered: [], arrived: [] }));
  for (let round = 0; round < triggers; round += 1) {
    for (const place of inTurn(round)) {
      const { answered, arrived } = await triggered(sites[place], endpoint);
      times[place].answered.push(answered);
      times[place].arrived.push(arrived);
    }
  }
  console.log(sites[0].kind, "trigger", JSON.stringify(times));
  return times;
}

const inTurn = (round) => (round % 2 ? [1, 0] : [0, 1]);

async function subscribers(one, url) {
  one.owner = await signUp(one, "owner", url);
  one.registration = await register(one, one.owner);
  for (let number = 0; number < SUBSCRIBERS; number += 8) {
    const some = Array.from({ length: 8 }, (_, index) => signUp(one, `subscriber-${number + index}`, url));
    for (const user of await Promise.all(some)) await subscribe(one, user, one.registration);
  }
}

/** Triggers once; all 1 000 must arrive, each with an id of its own. */
async function triggered(one, endpoint) {
  const before = endpoint.count(one.path);
  const began = performance.now();
  const { status, text, ms } = await send(one, ["POST", `/v1/webhook/triggered/${one.registration}`], one.owner);
  if (status !== 201) throw new Error(`a trigger was answered ${status} ${text}`);
  await endpoint.until(one.path, before + SUBSCRIBERS);
  const arrived = performance.now() - began;
  // The last results are recorded, and what follows is not slowed by them.
  await new Promise((done) => setTimeout(done, 300));
  return { answered: ms, arrived };
}

/** For each call its times by site. */
async function calling(sites, endpoint) {
  const lists = [];
  for (const [place, one] of sites.entries()) {
    const user = await signUp(one, "measured", endpoint.url("/measured"));
    fill.accounts(one, filled[place], endpoint.url("/filled"));
    const registration = await register(one, user);
    lists.push(calls({ user, admin: one.admin, registration, count: filled[place], url: endpoint.url }));
  }
  const table = lists[0].map(({ name }) => ({ name, times: [[], []] }));
  for (let round = -3; round < rounds; round += 1) {
    for (const [row, { times }] of table.entries()) {
      for (const place of inTurn(Math.abs(round))) {
        const { request, by, status } = lists[place][row];
        const answer = await send(sites[place], request(round), by);
        if (answer.status !== status) throw new Error(`${table[row].name}: ${answer.status} ${answer.text}`);
        if (round >= 0) times[place].push(answer.ms);
      }
    }
  }
  return table;
}

const NAMES = { sqlite: "SQLite", postgres: "PostgreSQL" };

function report(results) {
  const events = results.map(({ kind, events: [little, much] }) => {
    const cells = [NAMES[kind], ...compared(little.answered, much.answered), ...compared(little.arrived, much.arrived).slice(0, 2)];
    return `| ${cells.join(" | ")} |`;
  });
  const rows = results[0].table.map(({ name }, row) => {
    const cells = results.flatMap(({ table }) => compared(...table[row].times));
    return `| ${[name, ...cells].join(" | ")} |`;
  });
  const text = `## The accounts API

\`make bench\` wrote this section on ${new Date().toISOString().slice(0, 10)}: medians in milliseconds, over loopback, \`DURABILITY=full\`, two producers of
which one has little and the other much in its tables, asked in turn.

A trigger with ${whole(SUBSCRIBERS)} subscriptions of as many accounts, ${triggers} times, with ${whole(past[0])} and with ${whole(past[1])} deliveries of the past in the table
(each with its attempt); after each, all ${whole(SUBSCRIBERS)} had arrived at one receiver, each with an id of its own.

| database | 201 with ${whole(past[0])} | 201 with ${whole(past[1])} | ratio | all arrived with ${whole(past[0])} | all arrived with ${whole(past[1])} |
| --- | --- | --- | --- | --- | --- |
${events.join("\n")}

Calls with ${whole(filled[0])} and with ${whole(filled[1])} accounts, registrations and subscriptions, each ${rounds} times, one after the other:

| call | ${results.map(({ kind }) => `${NAMES[kind]}: ${whole(filled[0])} | ${whole(filled[1])} | ratio`).join(" | ")} |
| --- | ${results.map(() => "--- | --- | ---").join(" | ")} |
${rows.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

function compared(little, much) {
  const [one, other] = [median(little), median(much)];
  return [one.toFixed(2), other.toFixed(2), (other / one).toFixed(2)];
}

const whole = (value) => value.toLocaleString("en-US");

await main();
