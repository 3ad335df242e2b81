// The endpoint of the accounts that are measured: it echoes, and answers every event with {}.
import { createServer } from "node:http";

/** Listens on a free port; counts the distinct `webhook-id`s that arrive at each path. */
export async function receiver() {
  const seen = new Map();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    request.resume().on("end", () => {
      if (request.method === "POST") arrived(seen, pathname).add(request.headers["webhook-id"]);
      const echo = searchParams.get("echo");
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(echo ? { echo } : {}));
    });
  });
  // A connection that is closed while an event is sent over it would cost that event its first attempt.
  server.keepAliveTimeout = 600_000;
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: (path) => `http://127.0.0.1:${server.address().port}${path}`,
    count: (path) => arrived(seen, path).size,
    /** Waits until so many have arrived in all. */
    until: async (path, wanted) => {
      for (let tries = 0; arrived(seen, path).size < wanted; tries += 1) {
        if (tries > 6000) throw new Error(`${path}: ${arrived(seen, path).size} of ${wanted} arrived`);
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function arrived(seen, path) {
  if (!seen.has(path)) seen.set(path, new Set());
  return seen.get(path);
}
