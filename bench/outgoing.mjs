// The limit of sending with Node: keeps so many POSTs of a task in flight over one http.Agent; nothing is stored or signed.
//   node bench/outgoing.mjs URL IN_FLIGHT SECONDS
import { Agent, request } from "node:http";

const [url, inFlight, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
const batch = "3f2b1c9e-7a64-4c1e-9b1e-0a1b2c3d4e5f";
const began = performance.now();
let next = 0;

async function lane() {
  let sent = 0;
  while (performance.now() - began < seconds * 1000) {
    const id = next++;
    const status = await post(`${batch}-${id}`, JSON.stringify({ batchid: batch, id, owner: "Norma Fisher-Jones", priority: "Major" }));
    if (status !== 200) throw new Error(`answered ${status}`);
    sent += 1;
  }
  return sent;
}

function post(id, body) {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), "webhook-id": id };
  return new Promise((done, failed) => {
    const sending = request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume().on("end", () => done(answer.statusCode));
    });
    sending.on("error", failed).end(body);
  });
}

const lanes = await Promise.all(Array.from({ length: inFlight }, lane));
const sent = lanes.reduce((all, one) => all + one, 0);
console.log(JSON.stringify({ sent, seconds: (performance.now() - began) / 1000 }));
agent.destroy();
