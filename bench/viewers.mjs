// Many viewers in one process; answers each line on standard input with a line of what they have seen.
//   node viewers.mjs hooks|live|events COUNT URL     hooks: the tutorial's page, live: the dashboard, events: a WebSocket of nchan
import { createInterface } from "node:readline";
import { webSocket } from "./frames.mjs";

const [kind, count, url] = process.argv.slice(2);
const AT_ONCE = 50;
const [PING, MESSAGE, EVENT, ANSWER] = ["2", "4", "2", "3"].map((text) => text.charCodeAt(0));
/** The time that a load stamps on a task (see pace.mjs). */
const STAMP = /T(\d+)T/;
const ID = /batchid\W+([-\w]+).*?id\W+(\d+)/;
const JOINS = {
  hooks: { namespace: "/collectHooks", event: '["join_room"]' },
  live: { namespace: "/live", event: '["join",{"since":0,"source":null}]' },
};

const viewers = Array.from({ length: Number(count) }, () => ({ received: 0, last: null }));
/** What the first viewer saw, and when, is looked at when somebody asks; the others only count. */
const kept = [];
let joined = 0;

/** The frames of engine.io and socket.io: 0 open, 2 ping, 3 pong, 40 joined a namespace, 42 an event, 43 an answer. */
async function joinSocketIo(viewer, { namespace, event }) {
  let socket = null;
  await new Promise((done, refused) => {
    const take = (data, from, to) => {
      if (data[from] === MESSAGE && data[from + 1] === EVENT) return see(viewer, data, from, to);
      if (data[from] === PING) return socket.send("3");
      const text = data.toString("utf8", from, to);
      if (text[0] === "0") socket.send(`40${namespace},`);
      else if (text.startsWith("40")) socket.send(`42${namespace},0${event}`);
      else if (data[from + 1] === ANSWER) {
        viewer.last = data.subarray(from, to);
        done();
      } else refused(new Error(`${url}: ${text}`));
    };
    webSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { take, gone }).then((opened) => {
      socket = opened;
    }, refused);
  });
}

async function joinEvents(viewer) {
  const take = (data, from, to) => see(viewer, data, from, to);
  await webSocket(`${url.replace("http", "ws")}/events`, { take, gone });
}

function see(viewer, data, from, to) {
  viewer.received += 1;
  if (kind === "live") viewer.last = data.subarray(from, to);
  else if (viewer === viewers[0]) kept.push({ at: process.hrtime.bigint(), message: data.subarray(from, to) });
}

/** A viewer that is cut off would count as one that has seen everything. */
function gone(error) {
  console.error(error.message);
  process.exit(1);
}

/** On the dashboard the newest frame says how many there are. */
function seenBy(viewer) {
  if (kind !== "live") return viewer.received;
  return Number(/"total":(\d+)/.exec(viewer.last?.toString() ?? "")?.[1] ?? 0);
}

function report() {
  const seen = viewers.map(seenBy);
  return { joined, least: Math.min(...seen), most: Math.max(...seen) };
}

/** How many of its messages the first viewer had before, and the microseconds since each was stamped. */
function examined() {
  const ids = new Set();
  const latencies = [];
  for (const { at, message } of kept) {
    const text = message.toString();
    const [, batch, id] = ID.exec(text);
    ids.add(`${batch} ${id}`);
    const stamp = STAMP.exec(text);
    if (stamp) latencies.push(Number(at / 1000n) - Number(stamp[1]));
  }
  return { twice: kept.length - ids.size, latencies };
}

createInterface({ input: process.stdin })
  .on("line", (line) => console.log(JSON.stringify(line === "examine" ? examined() : report())))
  .on("close", () => process.exit(0));

for (let at = 0; at < viewers.length; at += AT_ONCE) {
  const some = viewers.slice(at, at + AT_ONCE).map((viewer) => {
    return kind === "events" ? joinEvents(viewer) : joinSocketIo(viewer, JOINS[kind]);
  });
  joined += (await Promise.all(some)).length;
}
