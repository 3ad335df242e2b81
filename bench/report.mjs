// docs/benchmarks.md: medians of all rounds, and what they were measured on.
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { median } from "./figures.mjs";
import { writePage } from "./section.mjs";

const VIEWERS = { none: "none", live: "a dashboard", hooks: "a socket.io page, `msg` per task" };

export function report(cases, page, { rounds, seconds, connections }) {
  const rows = cases.map(row);
  const text = `# Benchmarks

\`make bench\` wrote this page on ${new Date().toISOString().slice(0, 10)} (commit ${said("git", ["rev-parse", "--short", "HEAD"])}).
\`POST /consumetasks\`, one task a request, ${connections} connections (wrk, 2 threads), ${seconds} s a run, median (least–most) of ${rounds} round${rounds > 1 ? "s" : ""};
beside each run stands one of the bare handler, and *of bare* is the median of these pairs. The load, the server and the viewer share the
machine's cores. \`DURABILITY=full\`: an answer is sent after the commit has reached the disk. After each run the log holds every event that was answered 200.

| server | viewer | events/s | of bare | p50 ms | p99 ms | server CPU µs/event | refused | viewer saw |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

The dashboard at 2,000 events a second (headless Chromium, 1280 × 900, ${page.frames.length} s): ${median(page.frames)} frames a second (least ${page.frames[0]});
the heap of its page ${page.before.toFixed(1)} MiB before and ${page.after.toFixed(1)} MiB after.

Machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB. ${versions().join(", ")}.
`;
  writePage(text);
  console.log(`\n${text}`);
}

function row(one) {
  const rates = one.runs.map(rate);
  const of = (name) => median(one.runs.map((run) => run[name]));
  const spread = `${whole(median(rates))} (${whole(Math.min(...rates))}–${whole(Math.max(...rates))})`;
  const seen = one.viewer === "none" ? "" : `${percent(sum(one.runs, "seen") / sum(one.runs, "stored"))}`;
  const cells = [one.name, VIEWERS[one.viewer], spread, one.viewer === "none" ? "" : percent(of("share"))];
  cells.push(of("p50_ms").toFixed(1), of("p99_ms").toFixed(1), of("cpu_us").toFixed(1), whole(sum(one.runs, "refused")), seen);
  return `| ${cells.join(" | ")} |`;
}

const rate = (run) => run.answered / run.seconds;
const sum = (runs, name) => runs.reduce((all, run) => all + run[name], 0);
const whole = (value) => Math.round(value).toLocaleString("en-US");
const percent = (share) => `${Math.round(share * 100)} %`;

function versions() {
  return [said("rustc", ["--version"]), said("wrk", ["-v"]), said("psql", ["--version"]), said("redis-server", ["--version"])];
}

/** The first line of what a program says, short. */
function said(program, args) {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0].split(" sha=")[0];
  } catch (error) {
    return String(error.stdout ?? "").split("\n")[0] || `${program}: unknown`;
  }
}
