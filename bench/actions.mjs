// `make bench`, fourth part: one action to 2,000 connected devices, next to a socket.io server that stores nothing, in one run, in turn; writes its
// section of docs/benchmarks.md. Loopback only. BENCH_EXECUTIONS (20) of each.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fleet } from "./fleet.mjs";
import { median } from "./figures.mjs";
import { writeSection } from "./section.mjs";
import { build, database, freePort, redis, start, stopAll } from "./servers.mjs";

const executions = Number(process.env.BENCH_EXECUTIONS ?? 20);
const DEVICES = 2000;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  const [one, two] = [database(), database()];
  try {
    const cases = await everyCase(one.url, two.url);
    for (const each of cases) await connected(each);
    for (let round = 1; round <= executions; round += 1) {
      for (const each of cases) each.runs.push(await each.devices.obeyed(() => called(each)));
    }
    for (const each of cases) each.memory.push(memory(each));
    writeSection("actions", report(cases));
    for (const each of cases) each.devices.end();
  } finally {
    await stopAll();
    one.drop();
    two.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function everyCase(one, two) {
  const broker = await redis(folder);
  const onOne = { DATABASE_URL: one, BROKER_URL: broker };
  const onTwo = { DATABASE_URL: two, BROKER_URL: broker };
  return [
    await served("bare socket.io, nothing stored", [null]),
    await served("consumer, SQLite, in process", [{}]),
    await served("consumer, PostgreSQL + Redis", [onOne]),
    await served("two consumers, PostgreSQL + Redis", [onTwo, onTwo]),
  ];
}

async function served(name, nodes) {
  const servers = [];
  for (const settings of nodes) servers.push(await node(settings));
  return { name, servers, stores: nodes[0] !== null, urls: servers.map(({ port }) => `http://127.0.0.1:${port}`), runs: [], memory: [] };
}

async function node(settings) {
  const port = freePort();
  const [program, args, listen] = settings
    ? ["consumer", [], { LISTEN: `127.0.0.1:${port}`, DURABILITY: "full" }]
    : ["bare", [String(port), "sockets"], {}];
  const server = await start(program, args, { ...listen, ...settings }, port, join(folder, String(port)));
  return { pid: server.pid, port };
}

/** Makes the devices, a key and an action, and connects them. */
async function connected(one) {
  const keys = Array.from({ length: DEVICES }, () => "");
  if (one.stores) {
    const make = async (path, what) => (await posted(one.urls[0] + path, {}, what)).key;
    for (let at = 0; at < DEVICES; at += 1) keys[at] = await make("/api/action-devices", { name: `screen-${at}`, groups: [`floor-${at % 20}`] });
    one.key = await make("/api/keys", { name: "alarm", rate_per_minute: 6000 });
    const parameters = { text: "Leave the building" };
    await make("/api/actions", { name: "Toast", event_id: "toast", function: "show_toast", parameters, target: "all" });
  }
  one.memory.push(memory(one));
  one.devices = await fleet(one.urls, keys);
  one.memory.push(memory(one));
}

async function called({ name, urls, key }) {
  const answer = await posted(`${urls[0]}/public-api/integration/webhooks`, key ? { "x-webhook-apikey": key } : {}, { event_id: "toast" });
  if (answer.reached !== DEVICES) throw new Error(`${name}: ${JSON.stringify(answer)}`);
}

async function posted(url, headers, body) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** What the servers of the case hold in memory now, in MiB. */
function memory({ servers }) {
  const kib = servers.map(({ pid }) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]));
  return kib.reduce((all, one) => all + one, 0) / 1024;
}

function report(cases) {
  const rows = cases.map(({ name, runs, memory: [before, connected, after] }) => {
    const of = (figure) => median(runs.map((run) => run[figure])).toFixed(0);
    const each = (((connected - before) * 1024) / DEVICES).toFixed(0);
    const cells = [name, of("answered"), of("command"), of("ack_median"), of("ack"), of("done")];
    return `| ${[...cells, ...[before, connected, after].map((mib) => mib.toFixed(0)), each].join(" | ")} |`;
  });
  const text = `## Actions

\`make bench\` wrote this section on ${new Date().toISOString().slice(0, 10)}: one action to ${DEVICES.toLocaleString("en-US")} connected devices, ${executions} times, the servers in turn; medians, in
milliseconds since the call: it was answered, the last device had the command, half and all were told that their acknowledgement is stored and to do it, and
all knew that it is stored as done. \`DURABILITY=full\`; each device did each command once. Memory in MiB: with no device connected, with all, and at the end. The devices
are one Node process on the same machine, whose share of the time the first row shows.

| server | answered | last command | half acknowledged | all acknowledged | all done | memory | with ${DEVICES.toLocaleString("en-US")} | at the end | KiB each |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
