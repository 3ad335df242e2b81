// What the parts that measure the intake beside its peers begin and end with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, database, redis, stopAll } from "./servers.mjs";

/** Rounds of each load, and the seconds that one lasts. */
export const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
export const seconds = Math.min(Number(process.env.BENCH_SECONDS ?? 5), 20);

/** Builds the programs, lends a folder, a database and a Redis to the measuring, and takes everything away again. */
export async function onField(measure) {
  build();
  const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));
  const shared = database();
  const leave = () => {
    shared.drop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // When the script is told to end in the middle.
  process.once("exit", leave);
  try {
    await measure({ folder, databaseUrl: shared.url, broker: await redis(folder) });
  } finally {
    await stopAll();
    process.off("exit", leave);
    leave();
  }
}
