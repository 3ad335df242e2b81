// One load (wrk), its viewers, and what a server takes of the machine meanwhile.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const TICKS_PER_SECOND = 100;
const [POLL_MS, STILL_MS, JOINING_MS] = [50, 3000, 60_000];

/** wrk's figures, with the processor time that the server took for each request. */
export async function load(url, { connections, seconds, pid, script = "bench/post.lua" }) {
  const args = ["-t2", `-c${connections}`, `-d${seconds}s`, "--timeout", "8s", "--latency", "-s", script, url];
  const before = processorSeconds(pid);
  const { stdout } = await promisify(execFile)("wrk", args);
  const figures = JSON.parse(stdout.match(/FIGURES (.*)/)[1]);
  if (figures.broken > 0) throw new Error(`${url}: ${figures.broken} requests got no answer`);
  return { ...figures, cpu_us: ((processorSeconds(pid) - before) / figures.requests) * 1e6 };
}

/** The processor time that the program and its children, nginx's workers for instance, have taken so far. */
export function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return children(pid).reduce((all, child) => all + processorSeconds(child), own);
}

/** What the program and its children hold in memory, in KiB. */
export function memory(pid) {
  const own = Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]);
  return children(pid).reduce((all, child) => all + memory(child), own);
}

function children(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
}

/** Viewers that have joined, in one process: `live` as the dashboard, `hooks` as the tutorial's page, `events` on nchan's WebSocket. */
export async function watch(kind, url, count = 1) {
  const child = spawn("node", ["bench/viewers.mjs", kind, String(count), url], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (what) => {
    child.stdin.write(`${what}\n`);
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${url}: a viewer was cut off`);
    return JSON.parse(value);
  };
  const report = async () => ask("report");
  await until(JOINING_MS, async () => (await report()).joined === count);
  const { joined } = await report();
  if (joined < count) throw new Error(`${url}: only ${joined} of ${count} viewers joined`);
  const start = kind === "live" ? (await report()).most : 0;
  return {
    /** What the viewer that saw least has seen, once that is all or nothing more comes. */
    caughtUp: async (wanted) => {
      await still(async () => (await report()).least - start, wanted);
      return (await report()).least - start;
    },
    examine: async () => ask("examine"),
    stop: async () => {
      child.stdin.end();
      await exit;
    },
  };
}

/** Waits until the figure is what is wanted, or has not changed for some seconds. */
async function still(figure, wanted) {
  for (let last = -1, since = performance.now(); performance.now() - since < STILL_MS; ) {
    const now = await figure();
    if (now >= wanted) return;
    if (now !== last) since = performance.now();
    last = now;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

async function until(patienceMs, check) {
  for (const began = performance.now(); performance.now() - began < patienceMs; ) {
    if (await check()) return true;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  return false;
}
