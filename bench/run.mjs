// `make bench`: the intake next to a handler that does nothing, in one run, alternating; writes docs/benchmarks.md.
// Loopback only. Each load lasts BENCH_SECONDS (5, at most 20), and there are BENCH_ROUNDS (3) of each.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settled, total } from "./figures.mjs";
import { load, watch } from "./load.mjs";
import { underLoad } from "./page.mjs";
import { report } from "./report.mjs";
import { database, freePort, redis, start, stopAll } from "./servers.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Math.min(Number(process.env.BENCH_SECONDS ?? 5), 20);
const connections = 256;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  execFileSync("cargo", ["build", "--release", "--locked", "-p", "consumer", "-p", "bare"], { stdio: "inherit" });
  const shared = database();
  try {
    const [bare, ...cases] = await everyCase(shared.url);
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of cases) {
        // Each has a run of the yardstick beside it: what else the machine does then slows both.
        const reference = await measured(bare, round);
        const figures = await measured(one, round);
        bare.runs.push(reference);
        one.runs.push({ ...figures, share: perSecond(figures) / perSecond(reference) });
      }
    }
    const page = await underLoad(`http://127.0.0.1:${cases[0].port}`, 10);
    report([bare, ...cases], page, { rounds, seconds, connections });
  } finally {
    await stopAll();
    shared.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function everyCase(databaseUrl) {
  const bare = freePort();
  const bareServer = await start("bare", [String(bare)], {}, bare, folder);
  const embedded = await consumer("sqlite", {});
  const several = await consumer("postgres", { DATABASE_URL: databaseUrl, BROKER_URL: await redis(folder) });
  return [
    { name: "bare axum handler", viewer: "none", server: bareServer, port: bare, runs: [] },
    { name: "consumer, SQLite, in process", viewer: "live", ...embedded, runs: [] },
    { name: "consumer, SQLite, in process", viewer: "hooks", ...embedded, runs: [] },
    { name: "consumer, PostgreSQL + Redis", viewer: "live", ...several, runs: [] },
    { name: "consumer, PostgreSQL + Redis", viewer: "hooks", ...several, runs: [] },
  ];
}

async function consumer(name, settings) {
  const port = freePort();
  const listen = { LISTEN: `127.0.0.1:${port}`, DURABILITY: "full", ...settings };
  const server = await start("consumer", [], listen, port, join(folder, name));
  return { server, port };
}

/** One load on one server with one viewer; fails when an answered event is not in the log. */
async function measured(one, round) {
  const url = `http://127.0.0.1:${one.port}`;
  const counted = one.viewer !== "none";
  const before = counted ? await total(url) : 0;
  const viewer = counted ? await watch(one.viewer, url) : null;
  const figures = await load(`${url}/consumetasks`, { connections, seconds, pid: one.server.pid });
  const answered = figures.requests - figures.refused;
  if (counted) {
    figures.stored = (await settled(url)) - before;
    figures.seen = await viewer.caughtUp(figures.stored);
    viewer.stop();
    // wrk leaves up to one request a connection under way when its time is up: those may be stored too.
    const exact = figures.stored >= answered && figures.stored <= answered + connections;
    if (!exact) throw new Error(`${one.name}: ${answered} answered 200, but ${figures.stored} stored`);
  }
  figures.answered = answered;
  console.log(`${round} ${one.name} (${one.viewer}): ${Math.round(perSecond(figures))}/s`, JSON.stringify(figures));
  return figures;
}

function perSecond(figures) {
  return figures.answered / figures.seconds;
}

await main();
