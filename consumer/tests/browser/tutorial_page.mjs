// What the script of the tutorial's consumer.html does, without its page, in the given generation of socket.io-client.
//   node tutorial_page.mjs PACKAGE URL
import { createInterface } from "node:readline";

const [name, url] = process.argv.slice(2);
const { io } = await import(name);

const socket = io.connect(`${url}/collectHooks`);
socket.on("connect", () => {
  socket.emit("join_room");
  // A second, empty round trip on the same connection: once it is answered the room has been joined.
  waitForJoin();
});
socket.on("msg", (data, ...rest) => {
  if (typeof data !== "string" || rest.length > 0) throw new Error(`msg is not one string: ${typeof data}, ${rest}`);
  console.log(JSON.stringify(JSON.parse(data)));
});

async function waitForJoin() {
  await fetch(`${url}/api/counts`);
  console.log("joined");
}

createInterface({ input: process.stdin }).on("close", () => process.exit(0));
