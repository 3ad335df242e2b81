// `make bench`: how long a task takes from its POST to a viewer, next to the peers; writes its section of docs/benchmarks.md.
// Loopback only. 100 tasks a second for BENCH_SECONDS (5, at most 20), BENCH_ROUNDS (3) times each.
import { onField, rounds, seconds } from "./field.mjs";
import { median, verdict } from "./figures.mjs";
import { flushes } from "./flush.mjs";
import { watch } from "./load.mjs";
import { pace } from "./pace.mjs";
import * as peers from "./peers.mjs";
import { commit, today } from "./report.mjs";
import { writeSection } from "./section.mjs";
import { database, stopAll } from "./servers.mjs";

const PER_SECOND = 100;
/** What runs first is not counted: Node compiles what has run for a while. */
const WARM_UP_SECONDS = 2;
const FIGURES = ["p50", "p99"];

await onField(async ({ folder, databaseUrl, broker }) => {
  const yardstick = await peers.fastify(folder, broker);
  const others = [await peers.nchan(folder), await peers.socketioxide(folder)];
  const ours = await peers.ours(folder, databaseUrl, broker);
  // In a database of its own: no two nodes share one here.
  const another = database();
  const unflushed = await peers.unflushed(folder, another.url, broker);
  const rows = [yardstick, ...others, ...ours, ...unflushed].map((one) => ({ ...one, runs: [] }));
  const disk = [];
  for (const one of rows) await timed(one, WARM_UP_SECONDS);
  for (let round = 1; round <= rounds; round += 1) {
    disk.push(quantiles(flushes(folder)));
    for (const one of rows) one.runs.push(await timed(one, seconds));
  }
  const text = report(rows, disk);
  await stopAll();
  another.drop();
  writeSection("latency", text);
  console.log(`\n${text}`);
});

/** Of values, least first. */
function quantiles(sorted) {
  const at = (share) => sorted[Math.ceil(sorted.length * share) - 1];
  return { p50: at(0.5), p99: at(0.99) };
}

/** Fails when the viewer has not seen each task once. */
async function timed({ name, url, viewer }, lasting) {
  const viewers = await watch(viewer, url);
  try {
    const sent = await pace(`${url}/consumetasks`, PER_SECOND, lasting);
    const seen = await viewers.caughtUp(sent);
    const { twice, latencies } = await viewers.examine();
    if (seen !== sent || twice > 0) throw new Error(`${name}: ${sent} sent, a viewer saw ${seen}, ${twice} of them twice`);
    const figures = quantiles(latencies.map((latency) => latency / 1000).sort((one, other) => one - other));
    console.log(name, JSON.stringify(figures));
    return figures;
  } finally {
    await viewers.stop();
  }
}

function report(rows, disk) {
  const [yardstick] = rows;
  const lines = rows.map((one) => `| ${[one.name, ...FIGURES.flatMap((figure) => cells(one, yardstick, figure))].join(" | ")} |`);
  return `## From the POST to the viewer

\`make bench\` wrote this section on ${today()} (commit ${commit()}; alone: \`node bench/latency.mjs\`): ${PER_SECOND} tasks a second at an even pace, whatever the answers take,
one viewer on the server's own kind of socket; milliseconds from just before the request is written to when the viewer has the event, medians (least–most) of ${rounds} runs of ${seconds} s, the servers in turn.
\`DURABILITY=full\`: with the consumer an event is on the disk before anybody sees it. *of Fastify's* is the median of the ratios to Fastify's run of the same round. Every
task was seen once. A flush of 4 KiB to the same disk (fdatasync), which the consumer waits for and the peers do not, took ${spread(disk, "p50")} ms at p50 and
${spread(disk, "p99")} ms at p99 before each round; with \`DURABILITY=normal\` nobody waits for one.

| server | p50 ms | of Fastify's | bar | p99 ms | of Fastify's | bar |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
}

function cells(one, yardstick, figure) {
  const shown = spread(one.runs, figure);
  if (one === yardstick) return [shown, "", ""];
  const ratio = median(one.runs.map((run, round) => run[figure] / yardstick.runs[round][figure]));
  return [shown, ratio.toFixed(2), one.isFlushed ? verdict("≤ 1.00", ratio <= 1) : ""];
}

/** The median, and the least and the most. */
function spread(runs, figure) {
  const values = runs.map((run) => run[figure]);
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;
}
