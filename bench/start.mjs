// `make bench`: the time from the start of each program to its first answer; writes its section of docs/benchmarks.md. (With ten million events in the log it
// is measured by bench/growth.mjs, which has them.) BENCH_STARTS (20) of each, in turn.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bar, measuredBy, spread } from "./bars.mjs";
import { median } from "./figures.mjs";
import { writeSection } from "./section.mjs";
import { build, database, redis, stopAll } from "./servers.mjs";
import { started } from "./starting.mjs";

const starts = Number(process.env.BENCH_STARTS ?? 20);
const MOST_MS = 100;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  const databases = { producer: database(), consumer: database() };
  try {
    const broker = await redis(folder);
    const cases = ["producer", "consumer"].flatMap((program) => [
      { program, mode: "SQLite, in process", settings: { DATABASE_URL: `sqlite://${folder}/${program}.db` } },
      { program, mode: "PostgreSQL + Redis", settings: { DATABASE_URL: databases[program].url, BROKER_URL: broker } },
    ]);
    // The first start of each makes its tables.
    for (const one of cases) one.first = await started(one.program, one.settings, folder);
    for (const one of cases) one.times = [];
    for (let round = 0; round < starts; round += 1) {
      for (const one of cases) one.times.push(await started(one.program, one.settings, folder));
    }
    writeSection("start", report(cases));
  } finally {
    await stopAll();
    for (const one of Object.values(databases)) one.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(cases) {
  const ms = (value) => value.toFixed(0);
  const rows = cases.map(({ program, mode, first, times }) => `| ${program}, ${mode} | ${spread(times, ms)} | ${ms(first)} |`);
  const bars = cases.map(({ program, mode, times }) => {
    return bar(`${program}, ${mode}: at most ${MOST_MS} ms`, `${ms(median(times))} ms`, median(times) <= MOST_MS);
  });
  const text = `## Start

${measuredBy("start")}
Milliseconds from the start of the process to its first answered request (\`GET /healthz\`), median (least–most) of ${starts}, in turn; and of the one that makes the tables.

| program | with its tables | the first start |
| --- | --- | --- |
${rows.join("\n")}

${bars.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
