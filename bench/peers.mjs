// The servers that the consumer is measured beside; each takes `POST /consumetasks` and keeps nothing. And the consumer itself, in both modes.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort, start, startOther } from "./servers.mjs";

const PEERS = resolve("bench/peers");

/** The limit of receiving: it parses, and answers `OK`. */
export async function bare(folder) {
  const port = freePort();
  return served("bare axum handler", port, await start("bare", [String(port)], {}, port, join(folder, "bare")));
}

/** As fast as socket.io goes in Rust. */
export async function socketioxide(folder) {
  const port = freePort();
  const server = await start("bare", [String(port), "hooks"], {}, port, join(folder, "socketioxide"));
  return served("axum + socketioxide", port, server, "hooks");
}

export async function nchan(folder) {
  const [port, own] = [freePort(), join(folder, "nchan")];
  mkdirSync(own, { recursive: true });
  const text = readFileSync(join(PEERS, "nchan.conf"), "utf8").replaceAll("PORT", String(port)).replaceAll("FOLDER", own);
  writeFileSync(join(own, "nginx.conf"), text);
  const server = await startOther("/usr/sbin/nginx", ["-p", own, "-e", join(own, "error.log"), "-c", join(own, "nginx.conf")], port, own);
  return served("nchan", port, server, "events");
}

export async function fastify(folder, broker) {
  const port = freePort();
  const args = [join(PEERS, "fastify/consumer.mjs"), String(port), broker];
  return served("Fastify + socket.io", port, await startOther("node", args, port, join(folder, "fastify")), "hooks");
}

/** The tutorial's consumer. */
export async function flask(folder, broker) {
  const port = freePort();
  const args = [join(PEERS, "flask/consumer.py"), String(port), broker];
  const server = await startOther(resolve("target/flask/bin/python"), args, port, join(folder, "flask"));
  return served("Flask-SocketIO, the tutorial's", port, server, "hooks");
}

/** All that keep nothing, the quickest first. */
export async function others(folder, broker) {
  return [await socketioxide(folder), await nchan(folder), await fastify(folder, broker), await flask(folder, broker)];
}

/** The consumer in both modes. */
export async function ours(folder, databaseUrl, broker) {
  return [await embedded(folder), await several(folder, databaseUrl, broker)];
}

export async function embedded(folder) {
  return consumer("consumer, SQLite, in process", join(folder, "sqlite"), {});
}

export async function several(folder, databaseUrl, broker) {
  return consumer("consumer, PostgreSQL + Redis", join(folder, "postgres"), { DATABASE_URL: databaseUrl, BROKER_URL: broker });
}

/** Both again, whose commits survive only the end of the process. */
export async function unflushed(folder, databaseUrl, broker) {
  const settings = { DURABILITY: "normal" };
  const many = { ...settings, DATABASE_URL: databaseUrl, BROKER_URL: broker };
  return [
    await consumer("consumer, SQLite, in process, `DURABILITY=normal`", join(folder, "sqlite-normal"), settings),
    await consumer("consumer, PostgreSQL + Redis, `DURABILITY=normal`", join(folder, "postgres-normal"), many),
  ];
}

async function consumer(name, folder, settings) {
  const port = freePort();
  const listen = { LISTEN: `127.0.0.1:${port}`, DURABILITY: "full", ...settings };
  return { ...served(name, port, await start("consumer", [], listen, port, folder), "hooks"), stores: true, isFlushed: !settings.DURABILITY };
}

/** `viewer` is what follows the server's events: see viewers.mjs. */
function served(name, port, server, viewer) {
  return { name, port, server, viewer, url: `http://127.0.0.1:${port}`, stores: false };
}

/** What the peers are made of. */
export function versions() {
  const npm = JSON.parse(readFileSync(join(PEERS, "fastify/package.json"), "utf8")).dependencies;
  const pip = readFileSync(join(PEERS, "flask/requirements.txt"), "utf8").trim().split("\n").slice(0, 3);
  const debian = ["nginx", "libnginx-mod-nchan"].map((name) => `${name} ${packaged(name)}`);
  const rust = ["axum", "socketioxide"].map((name) => `${name} ${locked(name)}`);
  return [
    ...rust,
    ...debian,
    ...Object.entries(npm).map(([name, version]) => `${name} ${version}`),
    `Node ${process.versions.node}`,
    ...pip.map((line) => line.replace("==", " ")),
    execFileSync("target/flask/bin/python", ["--version"], { encoding: "utf8" }).trim(),
  ].join(", ");
}

function locked(crate) {
  return readFileSync("Cargo.lock", "utf8").match(new RegExp(`name = "${crate}"\\nversion = "(.*)"`))[1];
}

function packaged(name) {
  return execFileSync("dpkg-query", ["--show", name], { encoding: "utf8" }).trim().split("\t")[1];
}
