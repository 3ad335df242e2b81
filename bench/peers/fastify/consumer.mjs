// A peer of `make bench`: the tutorial's consumer on Fastify and socket.io with its Redis adapter; keeps nothing.   node consumer.mjs PORT REDIS_URL
import { createAdapter } from "@socket.io/redis-adapter";
import fastify from "fastify";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [port, broker] = process.argv.slice(2);
const app = fastify();
const publisher = new Redis(broker);
const io = new Server(app.server, { adapter: createAdapter(publisher, publisher.duplicate()) });
const hooks = io.of("/collectHooks");
const body = { type: "object", required: ["batchid", "id", "owner", "priority"] };

hooks.on("connection", (socket) => {
  socket.on("join_room", (told) => {
    socket.join("tasks");
    told?.();
  });
});

app.post("/consumetasks", { schema: { body } }, async (request) => {
  hooks.to("tasks").emit("msg", JSON.stringify(request.body));
  return "OK";
});

await app.listen({ port: Number(port), host: "127.0.0.1" });
