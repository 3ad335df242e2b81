// `make bench`, third part: 100 devices that post 50 changes a second each, as Evok does, next to a handler that does nothing, in one run,
// alternating; writes its section of docs/benchmarks.md. Loopback only. BENCH_ROUNDS (3) of BENCH_SECONDS (5, at most 20) each.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, settled, total } from "./figures.mjs";
import { load } from "./load.mjs";
import { writeSection } from "./section.mjs";
import { build, database, freePort, redis, start, stopAll } from "./servers.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Math.min(Number(process.env.BENCH_SECONDS ?? 5), 20);
const DEVICES = 100;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  const shared = database();
  try {
    const cases = await everyCase(shared.url);
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of cases) one.runs.push(await measured(one));
    }
    writeSection("devices", report(cases));
  } finally {
    await stopAll();
    shared.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function everyCase(databaseUrl) {
  const several = { DATABASE_URL: databaseUrl, BROKER_URL: await redis(folder) };
  return [
    await served("bare axum handler", "bare"),
    await served("consumer, SQLite, in process", "consumer", {}),
    await served("consumer, PostgreSQL + Redis", "consumer", several),
  ];
}

async function served(name, program, settings) {
  const port = freePort();
  const [args, listen] = settings ? [[], { LISTEN: `127.0.0.1:${port}`, DURABILITY: "full" }] : [[String(port)], {}];
  const server = await start(program, args, { ...listen, ...settings }, port, join(folder, String(port)));
  return { name, server, port, stores: settings !== undefined, runs: [] };
}

/** One load; fails when an answered change is not in the log, or one is there that nobody sent. */
async function measured({ name, server, port, stores }) {
  const url = `http://127.0.0.1:${port}`;
  const before = stores ? await total(url) : 0;
  const script = "bench/devices.lua";
  const figures = await load(`${url}/consumetasks/devices`, { connections: DEVICES, seconds, pid: server.pid, script });
  const answered = figures.requests - figures.refused;
  if (stores) {
    const stored = (await settled(url)) - before;
    // wrk leaves up to one request a connection under way when its time is up: those may be stored too.
    const exact = stored >= answered && stored <= answered + DEVICES;
    if (!exact) throw new Error(`${name}: ${answered} answered 200, but ${stored} stored`);
  }
  console.log(`${name}: ${Math.round(answered / figures.seconds)}/s`, JSON.stringify(figures));
  return { ...figures, rate: answered / figures.seconds };
}

function report(cases) {
  const rows = cases.map(({ name, runs }) => {
    const of = (figure) => median(runs.map((run) => run[figure]));
    const refused = runs.reduce((all, run) => all + run.refused, 0);
    const cells = [name, Math.round(of("rate")).toLocaleString("en-US"), of("p50_ms").toFixed(1), of("p99_ms").toFixed(1)];
    return `| ${[...cells, of("cpu_us").toFixed(0), refused].join(" | ")} |`;
  });
  const text = `## Devices

\`make bench\` wrote this section on ${new Date().toISOString().slice(0, 10)}: ${DEVICES} devices, each posting about 50 changes a second as Evok does (an array with one reading,
\`Connection: close\`), ${seconds} s a run, medians of ${rounds} rounds, the servers in turn; each change differs from the last one of its device. \`DURABILITY=full\`.
After each run the log holds every change that was answered 200, and no other.

| server | changes/s | p50 ms | p99 ms | server CPU µs/change | refused |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
