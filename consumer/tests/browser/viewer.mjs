// Watches a consumer with socket.io-client 4 and answers each line on standard input with a line of what it has seen.
//   node viewer.mjs hooks|live|raw URL      raw: `/collectHooks` by hand, only counted, cheap enough for a load
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

const [kind, url] = process.argv.slice(2);
const seen = { joined: false, received: 0, distinct: 0, first: null, last: 0, disordered: 0, total: null };
const offsets = new Set();
const options = { reconnectionDelay: 50, reconnectionDelayMax: 300, timeout: 3000 };

function note(offset) {
  seen.received += 1;
  seen.first ??= offset;
  if (offset !== seen.last + 1) seen.disordered += 1;
  seen.last = Math.max(seen.last, offset);
  offsets.add(offset);
}

function watchHooks() {
  const socket = io(`${url}/collectHooks`, options);
  socket.on("connect", () => {
    socket.emit("join_room", { since: seen.last });
    seen.joined = true;
  });
  socket.on("msg", (text, offset) => {
    JSON.parse(text);
    note(offset);
  });
}

function watchFrames() {
  const socket = io(`${url}/live`, options);
  const take = (frame) => {
    seen.received += 1;
    if (frame.head < seen.last) seen.disordered += 1;
    seen.last = frame.head;
    seen.total = frame.counts.total;
  };
  socket.on("connect", () => {
    socket.emit("join", { since: seen.last, source: null }, (answer) => {
      take(answer.frame);
      seen.joined = true;
    });
  });
  socket.on("frame", take);
}

/** The frames of engine.io and socket.io as text: 0 open, 2 ping, 3 pong, 40 joined a namespace, 42 an event. */
function watchRaw() {
  const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
  socket.on("message", (data) => {
    const kind = data.subarray(0, 2).toString();
    if (kind === "42") seen.received += 1;
    else if (kind[0] === "0") socket.send("40/collectHooks,");
    else if (kind[0] === "2") socket.send("3");
    else if (kind === "40") {
      socket.send('42/collectHooks,["join_room"]');
      seen.joined = true;
    }
  });
}

({ hooks: watchHooks, live: watchFrames, raw: watchRaw })[kind]();

createInterface({ input: process.stdin })
  .on("line", () => console.log(JSON.stringify({ ...seen, distinct: offsets.size })))
  .on("close", () => process.exit(0));
