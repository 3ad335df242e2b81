// One producer that is measured: its database, its administrator, and requests of the accounts API to it.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join, resolve } from "node:path";
import { database, freePort, start } from "./servers.mjs";

const TABLES = "messages, deliveries, attempts, triggered, endpoints, accounts, secrets, registrations, subscriptions";

/** A producer on a database of its own, of this kind: `sqlite` or `postgres`; with these settings beside the usual ones. */
export async function site(kind, name, folder, more = {}) {
  const place = join(folder, `${kind}-${name}`);
  mkdirSync(place, { recursive: true });
  const made = kind === "postgres" ? database() : null;
  const file = join(place, "producer.db");
  const port = freePort();
  const url = made ? made.url : `sqlite://${file}`;
  const settings = { LISTEN: `127.0.0.1:${port}`, DATABASE_URL: url, SECRET_KEY: "bench", DURABILITY: "full", ...more };
  const admin = initialise(settings, place);
  const { pid } = await start("producer", [], settings, port, place);
  const one = { kind, name, admin, agent: new Agent({ keepAlive: true, maxSockets: 8 }), port, pid };
  one.sql = (text) => (made ? psql(url, text) : sqlite(file, text));
  one.tidy = () => {
    one.sql(made ? `vacuum analyze ${TABLES}` : "pragma synchronous = full; pragma wal_checkpoint(truncate)");
    // What is not on the disk yet would be written while it is measured. And filling takes longer than the producer keeps an idle connection.
    one.agent.destroy();
  };
  one.drop = () => made?.drop();
  return one;
}

/** Runs `producer initdb`; gives the administrator, whose keys it prints this once. */
function initialise(settings, place) {
  const options = { env: { PATH: process.env.PATH, ...settings }, cwd: place, encoding: "utf8" };
  const text = execFileSync(resolve("target/release/producer"), ["initdb"], options);
  return { username: "admin", api_key: text.match(/'api_key': '([0-9a-f]{40})'/)[1] };
}

const options = { encoding: "utf8", maxBuffer: 2 ** 26, stdio: ["pipe", "pipe", "inherit"] };

function psql(url, input) {
  const args = ["-qAtX", "-v", "ON_ERROR_STOP=1", url];
  return execFileSync("psql", args, { ...options, input: `${input};\n` }).trim();
}

function sqlite(file, input) {
  const setting = ".timeout 20000\npragma synchronous = off;\n";
  return execFileSync("sqlite3", ["-bail", file], { ...options, input: `${setting}${input};\n` }).trim();
}

/** Sends; gives the status, the body and the milliseconds that the answer took. `user` is who asks, `null` nobody. */
export async function send(one, [method, path, body], user) {
  const headers = { "content-type": "application/json" };
  if (user) Object.assign(headers, { username: user.username, "api-key": user.api_key });
  const text = body === undefined ? "" : JSON.stringify(body);
  if (text) headers["content-length"] = Buffer.byteLength(text);
  const began = process.hrtime.bigint();
  const answer = await new Promise((done, failed) => {
    const sending = httpRequest({ port: one.port, host: "127.0.0.1", agent: one.agent, method, path, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
        done({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
      });
    });
    sending.on("error", failed).end(text);
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  return { ...answer, ms };
}

/** Sends what has to be answered so; gives the body. */
export async function must(one, request, user, status = 201) {
  const answer = await send(one, request, user);
  if (answer.status !== status) throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : null;
}

export async function signUp(one, username, endpoint) {
  return must(one, ["POST", "/v1/account", { endpoint, username }], null);
}

export async function register(one, user) {
  const body = { description: "measured", event: "bench", event_data: { message: "hello world", items: [1, 2, 3] } };
  return (await must(one, ["POST", "/v1/webhook/registration", body], user)).id;
}

export async function subscribe(one, user, registration) {
  return must(one, ["POST", `/v1/webhook/subscription/${registration}`], user);
}
