// `make bench`: the memory that each of 5,000 idle sockets costs a server; writes its section of docs/benchmarks.md.
// Loopback only. BENCH_ROUNDS (3) of BENCH_SOCKETS (5000, at most 14000: all come from one address), each with a fresh server.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onField, rounds } from "./field.mjs";
import { median, verdict, whole } from "./figures.mjs";
import { memory, watch } from "./load.mjs";
import * as peers from "./peers.mjs";
import { commit, today } from "./report.mjs";
import { writeSection } from "./section.mjs";
import { stop } from "./servers.mjs";

const SOCKETS = Math.min(Number(process.env.BENCH_SOCKETS ?? 5000), 14_000);
const BAR_KIB = 36;
/** Files that the server has open anyway. */
const SPARE = 500;
const NAMESPACES = { hooks: "`/collectHooks`, joined", live: "`/live`, a dashboard" };

await onField(async ({ folder, databaseUrl, broker }) => {
  mayOpen(SOCKETS + SPARE);
  const cases = [
    { make: peers.socketioxide },
    { make: (own) => peers.fastify(own, broker) },
    { make: peers.embedded },
    { make: peers.embedded, viewer: "live" },
    { make: (own) => peers.several(own, databaseUrl, broker) },
    { make: (own) => peers.several(own, databaseUrl, broker), viewer: "live" },
  ].map((one) => ({ ...one, runs: [] }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [place, one] of cases.entries()) await measured(one, join(folder, `${round}-${place}`));
  }
  const text = report(cases);
  writeSection("idle", text);
  console.log(`\n${text}`);
});

/** Node raises its own limit as far as it may, and the servers have theirs from it. */
function mayOpen(files) {
  const limit = readFileSync("/proc/self/limits", "utf8").match(/Max open files\s+(\d+|unlimited)/)[1];
  if (Number(limit) < files) throw new Error(`only ${limit} files may be open at a time: raise the hard limit with ulimit -Hn ${files}`);
}

async function measured(one, folder) {
  const { name, server, url, viewer, stores } = await one.make(folder);
  Object.assign(one, { name, stores, viewer: one.viewer ?? viewer });
  // The first one makes what all share.
  await (await watch(one.viewer, url)).stop();
  const before = await steady(server.pid);
  const viewers = await watch(one.viewer, url, SOCKETS);
  const after = await steady(server.pid);
  await viewers.stop();
  await stop(server);
  one.runs.push({ before, after, each: (after - before) / SOCKETS });
  console.log(name, one.viewer, JSON.stringify(one.runs.at(-1)));
}

/** The memory once it has hardly changed for a second. */
async function steady(pid) {
  for (let last = 0, now = memory(pid); ; last = now, now = memory(pid)) {
    if (Math.abs(now - last) <= now / 200) return now;
    await new Promise((done) => setTimeout(done, 1000));
  }
}

function report(cases) {
  const lines = cases.map(({ name, viewer, stores, runs }) => {
    const of = (figure) => median(runs.map((run) => run[figure]));
    const mib = ["before", "after"].map((figure) => (of(figure) / 1024).toFixed(0));
    const bar = stores ? verdict(`≤ ${BAR_KIB} KiB`, of("each") <= BAR_KIB) : "";
    return `| ${[name, NAMESPACES[viewer], ...mib, of("each").toFixed(1), bar].join(" | ")} |`;
  });
  return `## Idle sockets

\`make bench\` wrote this section on ${today()} (commit ${commit()}; alone: \`node bench/idle.mjs\`): ${whole(SOCKETS)} sockets that have joined and get nothing, on a fresh server; what the
server holds in memory (VmRSS) before and with them, medians of ${rounds} round${rounds > 1 ? "s" : ""}. All come from 127.0.0.1; a server needs as many open files as it has sockets (Node raises its
limit to the hard one, which the servers inherit).

| server | sockets | MiB before | MiB with them | KiB each | bar |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
}
