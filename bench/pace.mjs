// An open loop: tasks at an even pace, whatever the answers take, each with the time of its sending in `owner`, which viewers.mjs reads.
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

const PRIORITIES = ["Low", "Moderate", "Major", "Critical"];

/** Posts `perSecond` tasks a second; gives how many, once all are answered. */
export async function pace(url, perSecond, seconds) {
  const agent = new Agent({ keepAlive: true });
  const batchid = randomUUID();
  const [answers, began] = [[], performance.now()];
  for (let id = 0; id < perSecond * seconds; id += 1) {
    await new Promise((due) => setTimeout(due, began + (id * 1000) / perSecond - performance.now()));
    const owner = `T${process.hrtime.bigint() / 1000n}T`;
    answers.push(post(url, agent, JSON.stringify({ batchid, id, owner, priority: PRIORITIES[id % 4] })));
  }
  await Promise.all(answers);
  agent.destroy();
  return answers.length;
}

function post(url, agent, body) {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((done, failed) => {
    const sending = request(url, { method: "POST", agent, headers }, (answer) => {
      const good = answer.statusCode >= 200 && answer.statusCode < 300;
      answer.resume().once("end", () => (good ? done() : failed(new Error(`${url}: ${answer.statusCode}`))));
    });
    sending.once("error", failed).end(body);
  });
}
