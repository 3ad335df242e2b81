// Devices that obey, as many as wanted in this process: the protocol of docs/actions.md by hand over WebSockets, each command done at once.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { WebSocket } = createRequire(resolve("consumer/tests/browser/package.json"))("ws");
const AT_ONCE = 50;
const PATIENCE_MS = 60_000;
const [ACK, DONE] = [1, 2];

/** Connects a device for each key, to the servers in turn. */
export async function fleet(urls, keys) {
  const noted = { command: [], ack: [], done: [] };
  const sockets = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE).map((key, place) => device(urls[(at + place) % urls.length], key, noted));
    sockets.push(...(await Promise.all(some)));
  }
  return {
    obeyed: (call) => obeyed(noted, call, keys.length),
    end: () => sockets.forEach((socket) => socket.terminate()),
  };
}

/** Frames of engine.io and socket.io: 0 open, 2 ping, 3 pong, 40 joined, 41 left, 42 an event, 43 an answer, 44 refused. */
function device(url, key, noted) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
  let id = 0;
  return new Promise((joined, refused) => {
    socket.on("error", refused);
    socket.on("message", (data) => {
      const text = data.toString();
      if (text === "2") socket.send("3");
      else if (text[0] === "0") socket.send(`40/devices,${JSON.stringify({ key, last: 0 })}`);
      else if (text.startsWith("40")) joined(socket);
      else if (text.startsWith("44") || text.startsWith("41")) refused(new Error(`${url}: ${text}`));
      else if (text.startsWith('42/devices,["command",')) {
        id = JSON.parse(text.slice(11))[1].id;
        noted.command.push(performance.now());
        socket.send(`42/devices,${ACK}["ack",{"id":${id}}]`);
      } else if (text.startsWith(`43/devices,${ACK}[`)) {
        if (!JSON.parse(text.slice(12))[0].execute) throw new Error(`${url}: ${text}`);
        noted.ack.push(performance.now());
        socket.send(`42/devices,${DONE}["done",{"id":${id}}]`);
      } else if (text.startsWith(`43/devices,${DONE}[`)) noted.done.push(performance.now());
    });
  });
}

/** Milliseconds from the call to when each device had the command, was told to do it, and knew that this is stored. */
async function obeyed(noted, call, count) {
  Object.assign(noted, { command: [], ack: [], done: [] });
  const from = performance.now();
  await call();
  const answered = performance.now() - from;
  while (noted.done.length < count) {
    if (performance.now() - from > PATIENCE_MS) throw new Error(`only ${noted.done.length} of ${count} devices have done it`);
    await new Promise((done) => setTimeout(done, 5));
  }
  // Long enough for one that would do it a second time.
  await new Promise((done) => setTimeout(done, 100));
  if (noted.ack.length !== count) throw new Error(`${noted.ack.length} of ${count} devices were told to do it`);
  const since = (times) => times.map((time) => time - from);
  const [command, ack, done] = [since(noted.command), since(noted.ack), since(noted.done)];
  return { answered, command: command.at(-1), ack_median: ack[count >> 1], ack: ack.at(-1), done: done.at(-1) };
}
