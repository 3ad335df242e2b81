// `make bench`: the intake with a hundred viewers, next to its peers; writes its section of docs/benchmarks.md.
// Loopback only. Each load lasts BENCH_SECONDS (5, at most 20), and there are BENCH_ROUNDS (3) of each.
import { onField, rounds, seconds } from "./field.mjs";
import { CONNECTIONS, inTurn, row } from "./intake.mjs";
import * as peers from "./peers.mjs";
import { commit, today } from "./report.mjs";
import { table } from "./rows.mjs";
import { writeSection } from "./section.mjs";

const VIEWERS = 100;
const [OF_BARE, OF_ONE] = [0.2, 0.9];

await onField(async ({ folder, databaseUrl, broker }) => {
  const bare = row(await peers.bare(folder));
  const others = await peers.others(folder, broker);
  const ours = await peers.ours(folder, databaseUrl, broker);
  const pages = [
    ...others.map((peer) => row(peer, { viewer: peer.viewer, count: VIEWERS })),
    ...ours.map((one) => row(one, { viewer: "hooks", count: VIEWERS, bar: OF_BARE })),
  ];
  const dashboards = ours.map((one) => row(one, { viewer: "live", count: VIEWERS, bar: OF_ONE, beside: row(one, { viewer: "live" }) }));
  await inTurn([...pages, ...dashboards], bare, { rounds, seconds });
  const text = report(
    [bare, ...pages],
    dashboards.flatMap((many) => [many.beside, many]),
  );
  writeSection("audience", text);
  console.log(`\n${text}`);
});

function report(pages, dashboards) {
  return `## A hundred viewers

\`make bench\` wrote this section on ${today()} (commit ${commit()}; alone: \`node bench/audience.mjs\`): the same load, ${CONNECTIONS} connections,
${seconds} s a run, medians (least–most) of ${rounds} round${rounds > 1 ? "s" : ""}, with ${VIEWERS} viewers in one Node process that speaks the protocol by hand. *events/s* is what was posted and answered;
what a viewer is still to be sent when the load ends comes afterwards, from the log or from the server's memory, and the last column says how long that took. *Each viewer saw* is of the
viewer that saw least: socketioxide and Node do not keep what a socket's buffer has no room for. With the consumer each saw every event, and none twice.

${table(pages, { late: true })}

Of our dashboards each row is beside a run with one:

${table(dashboards, { of: "of one's", late: true })}
`;
}
