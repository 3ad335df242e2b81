// The bare receiver that deliveries go to, and what it says of a path: requests, distinct ids, and when the first and the last one came.
import { freePort, start } from "./servers.mjs";

export async function endpoint(folder) {
  const port = freePort();
  await start("receiver", [String(port)], {}, port, `${folder}/receiver`);
  const base = `http://127.0.0.1:${port}`;
  const arrived = async (path) => (await fetch(`${base}/of/${path}`)).json();
  return {
    url: (path) => `${base}/to/${path}`,
    arrived,
    forget: (path) => fetch(`${base}/of/${path}`, { method: "DELETE" }),
    /** Waits until so many different ones have arrived; gives what there is to say of them. */
    until: async (path, wanted, patienceSeconds = 60) => {
      const end = performance.now() + patienceSeconds * 1000;
      for (;;) {
        const now = await arrived(path);
        if (now.distinct >= wanted) return now;
        if (performance.now() > end) throw new Error(`${path}: ${now.distinct} of ${wanted} arrived`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
  };
}
