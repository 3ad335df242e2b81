// `make bench`: intake, counts, catching up and start of a consumer with few and of one with many events in its log, side by side, asked in turn; writes its
// section of docs/benchmarks.md. Loopback only. BENCH_ROUNDS (3) loads of 2 s, BENCH_CALLS (60) of each call, BENCH_STARTS (20) starts;
// BENCH_EVENTS (10000000) events are many.
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bar, hundredths, measuredBy, spread, whole } from "./bars.mjs";
import { median } from "./figures.mjs";
import { journal } from "./journal.mjs";
import { load } from "./load.mjs";
import { writeSection } from "./section.mjs";
import { build, redis, stopAll } from "./servers.mjs";
import { must, send } from "./site.mjs";
import { started } from "./starting.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const calls = Number(process.env.BENCH_CALLS ?? 60);
const starts = Number(process.env.BENCH_STARTS ?? 20);
const SIZES = [10_000, Number(process.env.BENCH_EVENTS ?? 10_000_000)];
/** What an event takes on the disk at most, with its indexes and while it is written. */
const BYTES_EACH = 1500;
const MOST = 1.3;
const MOST_START_MS = 200;
const SECONDS = 2;
const CONNECTIONS = 64;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  try {
    needRoom();
    build();
    const results = [];
    results.push({ name: "SQLite, in process", ...(await compared("sqlite", {})) });
    results.push({ name: "PostgreSQL + Redis", ...(await compared("postgres", { BROKER_URL: await redis(folder) })) });
    writeSection("growth", report(results));
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function needRoom() {
  const { bavail, bsize } = statfsSync(folder);
  const [free, needed] = [bavail * bsize, SIZES[1] * BYTES_EACH].map((bytes) => bytes / 2 ** 30);
  if (free < needed) throw new Error(`${whole(SIZES[1])} events need ${needed.toFixed(1)} GiB in ${tmpdir()}, and ${free.toFixed(1)} GiB are free: set TMPDIR or BENCH_EVENTS`);
}

/** Both consumers of the kind: what each measure is with few events and with many, and the times of starts with many. */
async function compared(kind, more) {
  const pair = [];
  try {
    for (const size of SIZES) pair.push(await journal(kind, size, { folder, more }));
    const start = [];
    for (let round = 0; round < starts; round += 1) start.push(await started("consumer", pair[1].settings, folder));
    for (const one of pair) await one.start();
    const asked = await asking(pair);
    const intake = await taking(pair);
    console.log(kind, JSON.stringify({ start, asked, intake }));
    return { start, asked, intake, totals: await Promise.all(pair.map(total)) };
  } finally {
    for (const one of pair) {
      if (one.child.exitCode === null) await one.stop();
      one.agent.destroy();
      one.drop();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

const total = async (one) => (await must(one, ["GET", "/api/counts"], null, 200)).total;
const inTurn = (round) => (round % 2 ? [1, 0] : [0, 1]);

/** The milliseconds of each call, by consumer. */
async function asking(pair) {
  const heads = await Promise.all(pair.map(total));
  const wrong = heads.findIndex((head, place) => head !== SIZES[place]);
  if (wrong >= 0) throw new Error(`${heads[wrong]} events are counted, of ${SIZES[wrong]}`);
  const asked = {
    "`GET /api/counts`": { path: () => "/api/counts", times: [[], []] },
    "catch-up of the last 1,000": { path: (place) => `/api/events?since=${heads[place] - 1000}&limit=1000`, times: [[], []] },
    "the dashboard as it is first sent": { path: () => "/", times: [[], []] },
  };
  for (let round = -3; round < calls; round += 1) {
    for (const { path, times } of Object.values(asked)) {
      for (const place of inTurn(Math.abs(round))) {
        const { status, text, ms } = await send(pair[place], ["GET", path(place)], null);
        if (status !== 200) throw new Error(`${path(place)}: ${status} ${text}`);
        if (round >= 0) times[place].push(ms);
      }
    }
  }
  return Object.fromEntries(Object.entries(asked).map(([name, { times }]) => [name, times]));
}

/** Events a second that are taken and stored, by consumer; what was answered is counted. */
async function taking(pair) {
  const rates = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    for (const place of inTurn(round)) {
      const one = pair[place];
      const before = await total(one);
      const figures = await load(`http://127.0.0.1:${one.port}/consumetasks`, { connections: CONNECTIONS, seconds: SECONDS, pid: one.child.pid });
      const answered = figures.requests - figures.refused;
      const stored = (await total(one)) - before;
      if (stored < answered) throw new Error(`${answered} events were answered 200, and ${stored} stored`);
      rates[place].push(answered / figures.seconds);
    }
  }
  return rates;
}

function report(results) {
  const rows = results.flatMap(({ name, asked, intake }) => [
    row(name, "intake, events/s", intake, whole),
    ...Object.entries(asked).map(([call, times]) => row(name, `${call}, ms`, times, hundredths)),
  ]);
  const bars = results.flatMap(({ name, asked, intake, start }) => {
    const ratios = [["intake", worse(intake.toReversed())], ...Object.entries(asked).map(([call, times]) => [call, worse(times)])];
    const growing = ratios.map(([what, ratio]) => bar(`${name}: ${what} within ${MOST} ×`, `${hundredths(ratio)} ×`, ratio <= MOST));
    const ms = median(start);
    return [...growing, bar(`${name}: start with ${whole(SIZES[1])} events at most ${MOST_START_MS} ms`, `${spread(start, whole)} ms`, ms <= MOST_START_MS)];
  });
  const ends = results.map(({ name, totals }) => `${name}: ${totals.map(whole).join(" and ")}`).join("; ");
  const text = `## Growth

${measuredBy("growth")}
Two consumers with \`DURABILITY=full\`, one with ${whole(SIZES[0])} events in its log and one with ${whole(SIZES[1])}, side by side and in turn: ${calls} of each call, then ${rounds} loads of
${SECONDS} s over ${CONNECTIONS} connections (wrk), after which the logs have more (${ends}). Median (least–most). Starts: ${starts}, from the process to its first answered request.

| databases | measure | with ${whole(SIZES[0])} | with ${whole(SIZES[1])} | × |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

${bars.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

const worse = ([few, many]) => median(many) / median(few);

function row(name, measure, [few, many], show) {
  return `| ${[name, measure, spread(few, show), spread(many, show), hundredths(median(many) / median(few))].join(" | ")} |`;
}

await main();
