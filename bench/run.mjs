// `make bench`: the intake with one viewer, next to its peers and to a handler that does nothing, in one run, alternating; writes docs/benchmarks.md.
// Loopback only. Each load lasts BENCH_SECONDS (5, at most 20), and there are BENCH_ROUNDS (3) of each.
import { onField, rounds, seconds } from "./field.mjs";
import { inTurn, row } from "./intake.mjs";
import * as peers from "./peers.mjs";
import { report } from "./report.mjs";

const BAR = 0.6;

await onField(async ({ folder, databaseUrl, broker }) => {
  const bare = row(await peers.bare(folder));
  const others = await peers.others(folder, broker);
  const ours = await peers.ours(folder, databaseUrl, broker);
  const rows = [
    ...others.map((peer) => row(peer, { viewer: peer.viewer })),
    ...ours.flatMap((one) => ["live", "hooks"].map((viewer) => row(one, { viewer, bar: BAR }))),
  ];
  await inTurn(rows, bare, { rounds, seconds });
  report([bare, ...rows], { rounds, seconds });
});
