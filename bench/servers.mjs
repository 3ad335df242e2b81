// The servers that are measured, and what they need: started on free ports of this machine, stopped at the end.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";

const running = [];
// Whatever ends the script, nothing that it started stays.
process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
let nextPort = 30_000 + (process.pid % 1000);

/** Builds every program that is measured; always the whole workspace, because a choice of packages would compile their dependencies anew. */
export function build() {
  execFileSync("cargo", ["build", "--release", "--locked", "--workspace"], { stdio: "inherit" });
}

/** Below the range that the kernel gives to outgoing connections, of which a load makes many. */
export function freePort() {
  nextPort += 1;
  return nextPort;
}

export async function start(program, args, settings, port, folder) {
  return spawned(resolve("target/release", program), args, settings, port, folder);
}

/** A program of this machine, not of this repository. */
export async function startOther(program, args, port, folder) {
  return spawned(program, args, {}, port, folder);
}

/** A Redis of the benchmark's own; gives its URL. */
export async function redis(folder) {
  const port = freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  await spawned("redis-server", args, {}, port, join(folder, "redis"));
  return `redis://127.0.0.1:${port}`;
}

/** A fresh PostgreSQL database: its URL, and how to drop it. */
export function database() {
  const server = process.env.TEST_POSTGRES_URL ?? "postgres://hookcast:hookcast@127.0.0.1:5432/postgres";
  const name = `hookcast_bench_${randomBytes(6).toString("hex")}`;
  const say = (command) => execFileSync("psql", ["-q", server, "-c", command], { stdio: ["ignore", "ignore", "inherit"] });
  say(`create database ${name}`);
  const url = `${server.slice(0, server.lastIndexOf("/"))}/${name}`;
  return { url, drop: () => say(`drop database ${name} with (force)`) };
}

export async function stopAll() {
  await Promise.all(running.splice(0).map(ended));
}

/** Stops this one. */
export async function stop(child) {
  running.splice(running.indexOf(child), 1);
  await ended(child);
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await exit;
}

async function spawned(program, args, settings, port, folder) {
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, "log"), "a");
  const env = { PATH: process.env.PATH, ...settings };
  const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", log, log] });
  closeSync(log);
  running.push(child);
  for (let tries = 0; !(await listens(port)); tries += 1) {
    if (child.exitCode !== null || tries > 300) throw new Error(`${program} does not listen on ${port}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  return child;
}

function listens(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(socket.destroy() && true));
    socket.once("error", () => done(false));
  });
}
