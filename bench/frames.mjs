// A WebSocket of the load: it reads the frames where they lie, so that a hundred viewers leave the server its share of the processor.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];
/** Of a header: its own length, and where a longer length of the payload stands. */
const [SHORT, MEDIUM, LONG] = [2, 4, 10];

/** Connects; `take(buffer, from, to)` is called with the place of each message; `gone(error)` when the connection has ended. */
export function webSocket(url, { take, gone }) {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on("error", gone).on("close", () => gone(new Error(`${url}: closed`)));
  socket.once("connect", () => socket.write(handshake(`${hostname}:${port}`, pathname + search)));
  const send = (text) => socket.write(frame(TEXT, Buffer.from(text)));
  return new Promise((opened, refused) => {
    let rest = Buffer.alloc(0);
    const read = (data) => {
      rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
      rest = rest.subarray(everyFrame(rest, socket, take));
    };
    const answer = (data) => {
      rest = Buffer.concat([rest, data]);
      const end = rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", answer).on("data", read);
      const head = rest.subarray(0, end).toString();
      if (!head.startsWith("HTTP/1.1 101")) return refused(new Error(`${url}: ${head}`));
      const early = rest.subarray(end + 4);
      rest = Buffer.alloc(0);
      opened({ send, end: () => socket.destroy() });
      // Whoever opened it has its hands on it before the first message.
      queueMicrotask(() => read(early));
    };
    socket.on("data", answer).once("close", () => refused(new Error(`${url}: closed`)));
  });
}

function handshake(host, path) {
  const key = randomBytes(16).toString("base64");
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Key: ${key}`];
  return `${[...lines, "Sec-WebSocket-Version: 13"].join("\r\n")}\r\n\r\n`;
}

/** What a client sends is masked, with zeros here, and is never long. */
function frame(kind, payload) {
  return Buffer.concat([Buffer.from([0x80 | kind, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** Takes all frames that are whole; gives where the rest begins. */
function everyFrame(data, socket, take) {
  let at = 0;
  for (;;) {
    const size = extent(data, at);
    if (size === null || at + size.header + size.payload > data.length) return at;
    const [from, kind] = [at + size.header, data[at] & 0x0f];
    at = from + size.payload;
    if (kind === TEXT || kind === BINARY) take(data, from, at);
    else if (kind === PING) socket.write(frame(PONG, data.subarray(from, at)));
    else if (kind === CLOSE) socket.end();
    else if (kind !== PONG) throw new Error(`a frame of kind ${kind}: messages in pieces are not read here`);
  }
}

/** The lengths of the frame at `at`; `null`: not enough of it is here. */
function extent(data, at) {
  if (data.length - at < SHORT) return null;
  const length = data[at + 1] & 0x7f;
  if (length < 126) return { header: SHORT, payload: length };
  if (length === 126) return data.length - at < MEDIUM ? null : { header: MEDIUM, payload: data.readUInt16BE(at + 2) };
  return data.length - at < LONG ? null : { header: LONG, payload: Number(data.readBigUInt64BE(at + 2)) };
}
