// `make bench`: one trigger to 1,000 subscriptions of as many accounts until the last one has arrived, next to a reqwest loop that posts as often to the
// same receiver, in one run, in turn; writes its section of docs/benchmarks.md. Loopback only. BENCH_TRIGGERS (15) of each.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bar, hundredths, measuredBy, spread } from "./bars.mjs";
import { endpoint } from "./endpoint.mjs";
import { median } from "./figures.mjs";
import { writeSection } from "./section.mjs";
import { build, redis, stopAll } from "./servers.mjs";
import { register, send, signUp, site, subscribe } from "./site.mjs";

const triggers = Number(process.env.BENCH_TRIGGERS ?? 15);
const SUBSCRIBERS = 1000;
const IN_FLIGHT = 64;
const TIMES = 2;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));
const sites = [];

async function main() {
  build();
  try {
    const to = await endpoint(folder);
    const broker = await redis(folder);
    sites.push(await site("sqlite", "fanout", folder));
    sites.push(await site("postgres", "fanout", folder, { BROKER_URL: broker }));
    for (const one of sites) await subscribers(one, to);
    // The first one makes the lines that later ones go to.
    for (const one of sites) await triggered(one, to);
    const times = { sqlite: [], postgres: [], loop: [] };
    for (let round = 0; round < triggers; round += 1) {
      times.loop.push(await looped(to));
      for (const one of sites) times[one.kind].push(await triggered(one, to));
    }
    console.log(JSON.stringify(times));
    writeSection("fanout", report(times));
  } finally {
    await stopAll();
    for (const one of sites) one.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function subscribers(one, to) {
  one.owner = await signUp(one, "owner", to.url(one.kind));
  one.registration = await register(one, one.owner);
  for (let number = 0; number < SUBSCRIBERS; number += 8) {
    const some = Array.from({ length: 8 }, (_, index) => signUp(one, `subscriber-${number + index}`, to.url(one.kind)));
    for (const user of await Promise.all(some)) await subscribe(one, user, one.registration);
  }
}

/** Triggers once: the milliseconds until it was answered and until the last one had arrived, each with an id of its own. */
async function triggered(one, to) {
  await to.forget(one.kind);
  const began = performance.timeOrigin + performance.now();
  const { status, text, ms } = await send(one, ["POST", `/v1/webhook/triggered/${one.registration}`], one.owner);
  if (status !== 201) throw new Error(`a trigger was answered ${status} ${text}`);
  await to.until(one.kind, SUBSCRIBERS);
  // What follows is not slowed by what is still recorded.
  await recorded(one);
  const { requests, last_ms } = await to.arrived(one.kind);
  return { answered: ms, arrived: last_ms - began, repeats: requests - SUBSCRIBERS };
}

async function recorded(one) {
  for (let tries = 0; one.sql("select count(*) from deliveries where state = 0") !== "0"; tries += 1) {
    if (tries > 300) throw new Error(`${one.kind}: deliveries stay in the queue`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The milliseconds that the loop takes for as many, its connections' making included. */
async function looped(to) {
  const args = ["reqwest", to.url("loop"), String(IN_FLIGHT), "20", String(SUBSCRIBERS)];
  const { sent, seconds } = JSON.parse((await promisify(execFile)("target/release/outgoing", args)).stdout);
  if (sent !== SUBSCRIBERS) throw new Error(`the loop sent ${sent}`);
  return seconds * 1000;
}

const NAMES = { sqlite: "producer, SQLite, in process", postgres: "producer, PostgreSQL + Redis" };

function report(times) {
  const loop = median(times.loop);
  const ms = (value) => value.toFixed(1);
  const rows = [`| bare reqwest client | | ${spread(times.loop, ms)} | 1.00 | |`];
  const bars = [];
  for (const [kind, name] of Object.entries(NAMES)) {
    const of = (key) => times[kind].map((one) => one[key]);
    const ratio = median(times[kind].map(({ arrived }, round) => arrived / times.loop[round]));
    const repeats = of("repeats").reduce((all, one) => all + one, 0);
    rows.push(`| ${name} | ${spread(of("answered"), ms)} | ${spread(of("arrived"), ms)} | ${hundredths(ratio)} | ${repeats} |`);
    bars.push(bar(`${name}: the last one within ${TIMES} × the loop's time`, `${hundredths(ratio)} ×`, ratio <= TIMES));
  }
  const text = `## A trigger to ${SUBSCRIBERS.toLocaleString("en-US")} subscriptions

${measuredBy("fanout")}
Milliseconds since the trigger was sent, median (least–most) of ${triggers}, in turn with a reqwest loop that posts ${SUBSCRIBERS.toLocaleString("en-US")} times to the same receiver with ${IN_FLIGHT} in
flight, stores nothing, and takes ${ms(loop)} ms. The producer commits the event with ${SUBSCRIBERS.toLocaleString("en-US")} deliveries (\`DURABILITY=full\`), answers 201, holds each with a lease, signs it, and
posts it; each arrived, with an id of its own.

| sender | answered | last one arrived | × the loop | twice |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

${bars.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
