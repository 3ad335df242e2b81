// An endpoint of accounts: it proves that it is theirs, and answers deliveries as it is told to.
import { createServer } from "node:http";

export async function endpoint() {
  const statuses = new Map();
  const calls = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://endpoint");
    const echo = url.searchParams.get("echo");
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.method === "POST") calls.push({ path: url.pathname, headers: request.headers, body });
    const status = request.method === "POST" ? (statuses.get(url.pathname) ?? 200) : 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(echo === null ? { received: status < 300 } : { echo }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    calls,
    url: (path) => `http://127.0.0.1:${server.address().port}${path}`,
    /** From now on deliveries to the path are answered so. */
    answer: (path, status) => statuses.set(path, status),
    close: () => server.close(),
  };
}
