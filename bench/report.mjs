// docs/benchmarks.md: its first part, and what all parts were measured on.
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { CONNECTIONS } from "./intake.mjs";
import { versions as peers } from "./peers.mjs";
import { table } from "./rows.mjs";
import { writePage } from "./section.mjs";

export function report(rows, { rounds, seconds }) {
  const text = `# Benchmarks

\`make bench\` wrote this page on ${today()} (commit ${commit()}; this part alone: \`node bench/run.mjs\`).
\`POST /consumetasks\`, one task a request, ${CONNECTIONS} connections (wrk, 2 threads), ${seconds} s a run, median (least–most) of ${rounds} round${rounds > 1 ? "s" : ""};
beside each run stands one of the bare handler, and *of bare* is the median of these pairs. The load, the server and the viewer share the
machine's cores. \`DURABILITY=full\`: the consumer answers after the commit has reached the disk, and after each run its log held every event that was answered 200,
and its viewer had seen each once, or this page would not have been written. The peers keep nothing: what a viewer of theirs was not sent is gone.

${table(rows)}

Machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB. ${tools().join(", ")}. Peers: ${peers()}.
`;
  writePage(text);
  console.log(`\n${text}`);
}

export const today = () => new Date().toISOString().slice(0, 10);

export const commit = () => said("git", ["rev-parse", "--short", "HEAD"]);

function tools() {
  return [said("rustc", ["--version"]), said("wrk", ["-v"]), said("psql", ["--version"]), said("redis-server", ["--version"])];
}

/** The first line of what a program says, short. */
function said(program, args) {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")[0]
      .split(" sha=")[0];
  } catch (error) {
    return String(error.stdout ?? "").split("\n")[0] || `${program}: unknown`;
  }
}
