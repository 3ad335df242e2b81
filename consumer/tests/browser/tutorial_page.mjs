// What the script of the tutorial's consumer.html does, without its page, in the given generation of socket.io-client.
//   node tutorial_page.mjs PACKAGE URL
import { createInterface } from "node:readline";

const [name, url] = process.argv.slice(2);
const { io } = await import(name);

const socket = io.connect(`${url}/collectHooks`);
socket.on("connect", () => {
  socket.emit("join_room");
  // The page asks for no answer; who asks once more is told when the room has been joined.
  socket.emit("join_room", () => console.log("joined"));
});
socket.on("msg", (data, ...rest) => {
  if (typeof data !== "string" || rest.length > 0) throw new Error(`msg is not one string: ${typeof data}, ${rest}`);
  console.log(JSON.stringify(JSON.parse(data)));
});

createInterface({ input: process.stdin }).on("close", () => process.exit(0));
