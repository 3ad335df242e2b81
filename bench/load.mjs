// One load (wrk) and one viewer.
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const TICKS_PER_SECOND = 100;

/** wrk's figures, with the processor time that the server took for each request. */
export async function load(url, { connections, seconds, pid, script = "bench/post.lua" }) {
  const args = ["-t2", `-c${connections}`, `-d${seconds}s`, "--timeout", "8s", "--latency", "-s", script, url];
  const before = processorSeconds(pid);
  const { stdout } = await promisify(execFile)("wrk", args);
  const figures = JSON.parse(stdout.match(/FIGURES (.*)/)[1]);
  if (figures.broken > 0) throw new Error(`${url}: ${figures.broken} requests got no answer`);
  return { ...figures, cpu_us: ((processorSeconds(pid) - before) / figures.requests) * 1e6 };
}

/** The processor time that the process has taken so far. */
export function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A viewer that has joined: on `live` as the dashboard, on `hooks` as the tutorial's page (a bare WebSocket client). */
export async function watch(kind, url) {
  const script = "consumer/tests/browser/viewer.mjs";
  const child = spawn("node", [script, kind === "hooks" ? "raw" : kind, url], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async () => {
    child.stdin.write("report\n");
    return JSON.parse((await lines.next()).value);
  };
  await until(20, async () => (await ask()).joined);
  const start = (await ask()).total ?? 0;
  const seen = async () => {
    const now = await ask();
    return kind === "live" ? now.total - start : now.received;
  };
  return {
    caughtUp: async (wanted) => {
      await until(20, async () => (await seen()) >= wanted);
      return seen();
    },
    stop: () => child.stdin.end(),
  };
}

async function until(patienceSeconds, check) {
  for (let tries = 0; tries < patienceSeconds * 20; tries += 1) {
    if (await check()) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
}
