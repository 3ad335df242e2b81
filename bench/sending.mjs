// `make bench`: delivery out, durable, signed and recorded, next to loops that store nothing, each as a share of what wrk gets from the bare handler
// right before; writes its section of docs/benchmarks.md. Loopback only. BENCH_ROUNDS (3) rounds; a loop lasts BENCH_SECONDS (5, at most 20), and a batch
// has BENCH_TASKS (100000) tasks.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bar, hundredths, measuredBy, spread, whole } from "./bars.mjs";
import { endpoint } from "./endpoint.mjs";
import { median } from "./figures.mjs";
import { load, processorSeconds } from "./load.mjs";
import { writeSection } from "./section.mjs";
import { build, freePort, redis, start, stopAll } from "./servers.mjs";
import { must, site } from "./site.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Math.min(Number(process.env.BENCH_SECONDS ?? 5), 20);
const tasks = Number(process.env.BENCH_TASKS ?? 100_000);
const IN_FLIGHT = 64;
const SHARE = 0.35;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));
const sites = [];

async function main() {
  build();
  try {
    const port = freePort();
    await start("bare", [String(port)], {}, port, join(folder, "bare"));
    const cases = await everyCase(await endpoint(folder));
    const reference = `http://127.0.0.1:${port}/consumetasks`;
    const bare = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of cases) {
        // Each has a run of the yardstick beside it: what else the machine does then slows both.
        bare.push(await received(reference));
        const run = await one.run();
        one.runs.push({ ...run, share: run.rate / bare.at(-1) });
        console.log(round, one.name, JSON.stringify(one.runs.at(-1)));
      }
    }
    writeSection("sending", report(bare, cases));
  } finally {
    await stopAll();
    for (const one of sites) one.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function everyCase(to) {
  const named = (name, run) => ({ name, run, runs: [] });
  const loop = (program, ...args) => () => looped(to, program, args);
  const stored = async (kind, more) => {
    const url = to.url(kind);
    const settings = { WEBHOOK_RECEIVER_URL: url, WEBHOOK_SECRET: "whsec_aG9va2Nhc3QtYmVuY2g=", ...more };
    sites.push(await site(kind, "sending", folder, { ...settings, ENDPOINT_CONCURRENCY: IN_FLIGHT, DELIVERY_CONCURRENCY: IN_FLIGHT }));
    return delivered.bind(null, sites.at(-1), to);
  };
  return [
    named("bare hyper, a connection each", loop("target/release/outgoing", "hyper")),
    named("bare reqwest client", loop("target/release/outgoing", "reqwest")),
    named("Node, `http.Agent`", loop("node", "bench/outgoing.mjs")),
    named("producer, SQLite, in process", await stored("sqlite", {})),
    named("producer, PostgreSQL + Redis", await stored("postgres", { BROKER_URL: await redis(folder) })),
  ];
}

/** Requests a second that wrk gets answered by the bare handler over as many connections. */
async function received(url) {
  const figures = await load(url, { connections: IN_FLIGHT, seconds, pid: process.pid });
  return (figures.requests - figures.refused) / figures.seconds;
}

async function looped(to, program, args) {
  await to.forget("loop");
  const { stdout } = await promisify(execFile)(program, [...args, to.url("loop"), String(IN_FLIGHT), String(seconds)]);
  const { sent, seconds: took } = JSON.parse(stdout);
  const { distinct, requests } = await to.arrived("loop");
  if (distinct !== sent || requests !== sent) throw new Error(`${program}: ${sent} sent, ${distinct} in ${requests} requests arrived`);
  return { rate: sent / took };
}

/** One batch: it is committed before it is answered, and counts from the first arrival until the last one has arrived and is recorded. */
async function delivered(one, to) {
  await to.forget(one.kind);
  const began = performance.now();
  const batch = await must(one, ["POST", "/producetasks", { count: tasks, wait: 0 }], null, 202);
  const queued_ms = performance.now() - began;
  const before = processorSeconds(one.pid);
  const ended = await end(one, batch.id);
  const { first_ms, last_ms, ...arrived } = await to.arrived(one.kind);
  const isComplete = ended.delivered === tasks && arrived.signed === arrived.requests && ended.seq >= tasks;
  if (!isComplete) throw new Error(`${one.kind}: ${tasks} tasks, ${JSON.stringify({ ...arrived, ended })}`);
  const took_s = (Math.max(last_ms, Date.parse(ended.ended_at)) - first_ms) / 1000;
  const cpu_us = ((processorSeconds(one.pid) - before) / tasks) * 1e6;
  return { rate: tasks / took_s, repeats: arrived.requests - tasks, lost: tasks - arrived.distinct, cpu_us, queued_ms };
}

async function end(one, id) {
  for (let tries = 0; tries < 6000; tries += 1) {
    const batch = await must(one, ["GET", `/api/batches/${id}`], null, 200);
    if (batch.ended_at) return batch;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${one.kind}: the batch did not end in 10 minutes`);
}

function report(bare, cases) {
  const rows = cases.map(({ name, runs }) => {
    const of = (key) => runs.map((run) => run[key]);
    const stored = runs[0].queued_ms !== undefined;
    const counted = stored ? [whole(median(of("cpu_us"))), Math.max(...of("lost")), Math.max(...of("repeats")), whole(median(of("queued_ms")))] : ["", "", "", ""];
    return `| ${[name, spread(of("rate"), whole), spread(of("share"), hundredths), ...counted].join(" | ")} |`;
  });
  const bars = cases.slice(3).map(({ name, runs }) => {
    const share = median(runs.map((run) => run.share));
    return bar(`${name} at least ${SHARE} of bare axum`, hundredths(share), share >= SHARE);
  });
  const text = `## Delivery out

${measuredBy("sending")}
${IN_FLIGHT} requests in flight to one receiver that parses the JSON and notes each \`webhook-id\`; median (least–most) of ${rounds} rounds. *Of bare* is the share of what wrk
gets from the bare axum handler over ${IN_FLIGHT} connections right before (${spread(bare, whole)} requests/s). A loop lasts ${seconds} s and stores nothing; the producer
delivers a batch of ${whole(tasks)} tasks with \`DURABILITY=full\`, each signed, and its time ends when the last attempt is recorded. Making the batch up and committing it comes
before and has a column of its own.

| sender | events/s | of bare | CPU µs/event | lost | twice | queued in ms |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

${bars.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
