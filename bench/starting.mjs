// How long a program takes from its start to its first answer.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { freePort } from "./servers.mjs";

/** Starts the program with the settings in the folder, asks it until it answers, ends it; gives the milliseconds until the answer. */
export async function started(program, settings, folder) {
  const port = freePort();
  const place = join(folder, `start-${program}`);
  mkdirSync(place, { recursive: true });
  const env = { PATH: process.env.PATH, LISTEN: `127.0.0.1:${port}`, DURABILITY: "full", SECRET_KEY: "bench", RUST_LOG: "error", ...settings };
  const began = performance.now();
  const child = spawn(resolve("target/release", program), { cwd: place, env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((done) => child.once("exit", done));
  try {
    for (;;) {
      if (await answers(port)) return performance.now() - began;
      if (child.exitCode !== null || performance.now() - began > 60_000) throw new Error(`${program} does not answer`);
    }
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

/** Whether it answers 200; not yet listening is a no, after a millisecond. */
function answers(port) {
  return new Promise((done) => {
    const asking = request({ host: "127.0.0.1", port, path: "/healthz", agent: false }, (answer) => {
      answer.resume().on("end", () => done(answer.statusCode === 200));
    });
    asking.on("error", () => setTimeout(() => done(false), 1)).end();
  });
}
