// One consumer that is measured: its log in a database of its own, and how it is started, stopped and filled.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import * as fill from "./fill.mjs";
import { database, freePort, start } from "./servers.mjs";

const options = { encoding: "utf8", maxBuffer: 2 ** 26, stdio: ["pipe", "pipe", "inherit"] };

/** A consumer that does not run, whose log has so many events; `kind` is `sqlite` or `postgres`. */
export async function journal(kind, events, { folder, more }) {
  const place = join(folder, `${kind}-${events}`);
  mkdirSync(place, { recursive: true });
  const made = kind === "postgres" ? database() : null;
  const file = join(place, "consumer.db");
  const settings = { DATABASE_URL: made ? made.url : `sqlite://${file}`, SECRET_KEY: "bench", DURABILITY: "full", RETENTION: "0", ...more };
  const one = { kind, events, settings, port: freePort(), agent: new Agent({ keepAlive: true, maxSockets: 1 }), drop: () => made?.drop() };
  one.sql = (text) => (made ? psql(made.url, text) : sqlite(file, text));
  one.tidy = () => one.sql(made ? "vacuum analyze events" : "pragma synchronous = full; pragma wal_checkpoint(truncate)");
  one.start = async () => {
    one.child = await start("consumer", [], { ...settings, LISTEN: `127.0.0.1:${one.port}` }, one.port, place);
  };
  one.stop = async () => {
    const ended = new Promise((done) => one.child.once("exit", done));
    one.child.kill("SIGTERM");
    await ended;
  };
  try {
    await one.start();
    await first(one.port);
    await one.stop();
    fill.events(one, events);
    // What is not on the disk yet would be written while it is measured.
    execFileSync("sync");
  } catch (error) {
    one.drop();
    throw error;
  }
  return one;
}

/** The event that the others are copies of, with the headers that the load sends (wrk's): shorter new events would go into what is left free in the pages of longer old ones. */
async function first(port) {
  const body = JSON.stringify({ batchid: "5f0c3c3a-6f0e-4e33-9a5e-0f6f3f5c8a11", id: 0, owner: "Norma Fisher", priority: "Low" });
  const headers = { Host: `127.0.0.1:${port}`, "Content-Type": "application/json", "Content-Length": body.length };
  const sent = request({ host: "127.0.0.1", port, path: "/consumetasks", method: "POST", headers, setDefaultHeaders: false }).end(body);
  const [answer] = await once(sent, "response");
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`the consumer answered ${answer.statusCode}`);
}

function psql(url, input) {
  const args = ["-qAtX", "-v", "ON_ERROR_STOP=1", url];
  return execFileSync("psql", args, { ...options, input: `set synchronous_commit = off;\n${input};\n` }).trim();
}

function sqlite(file, input) {
  return execFileSync("sqlite3", ["-bail", file], { ...options, input: `pragma synchronous = off;\n${input};\n` }).trim();
}
