// The dashboard under 2,000 events a second: frames a second that it draws, and the memory that it keeps.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { chromium } = createRequire(resolve("consumer/tests/browser/package.json"))("playwright-core");
/** For so long events come before anything is measured, at most: the lists and charts are full then. */
const WARM_SECONDS = 30;
/** Between two looks at the heap. */
const HEAP_SECONDS = 30;
const PER_SECOND = 2000;
const PER_REQUEST = 100;
const PRIORITIES = ["Low", "Moderate", "Major", "Critical"];

/** A browser of the size that is measured; the caller closes it. */
export async function browsing() {
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** Frames of each second, in order of size, and MiB of the page's heap before, every half minute after a collection, and after. */
export async function underLoad(url, seconds) {
  const browser = await browsing();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await page.goto(url);
    await stream(url, Math.min(seconds, WARM_SECONDS));
    const before = await heap(session);
    const sampled = samples(session, Math.floor(seconds / HEAP_SECONDS));
    const [frames, heaps] = await Promise.all([page.evaluate(countFrames, seconds), sampled, stream(url, seconds)]);
    return { frames, before, heaps, after: await heap(session) };
  } finally {
    await browser.close();
  }
}

async function samples(session, count) {
  const heaps = [];
  for (let place = 0; place < count; place += 1) {
    await new Promise((done) => setTimeout(done, HEAP_SECONDS * 1000));
    heaps.push(await heap(session));
  }
  return heaps;
}

/** Runs in the page: how many animation frames each second had. */
async function countFrames(seconds) {
  const counts = [];
  for (let second = 0; second < seconds; second += 1) {
    const start = performance.now();
    let frames = 0;
    while (performance.now() - start < 1000) {
      await new Promise(requestAnimationFrame);
      frames += 1;
    }
    counts.push(frames);
  }
  return counts.sort((a, b) => a - b);
}

async function heap(session) {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
}

/** Sends at an even pace, whatever the answers take. */
async function stream(url, seconds) {
  const requests = (PER_SECOND / PER_REQUEST) * seconds;
  const start = performance.now();
  const answers = [];
  for (let number = 0; number < requests; number += 1) {
    const due = start + (number * 1000 * PER_REQUEST) / PER_SECOND;
    await new Promise((done) => setTimeout(done, due - performance.now()));
    answers.push(post(url, number));
  }
  await Promise.all(answers);
}

async function post(url, number) {
  const tasks = Array.from({ length: PER_REQUEST }, (_, index) => {
    const id = number * PER_REQUEST + index;
    return { batchid: "5f0c3c3a-6f0e-4e33-9a5e-0f6f3f5c8a11", id, owner: `Owner ${id}`, priority: PRIORITIES[id % 4] };
  });
  const answer = await fetch(`${url}/consumetasks`, { method: "POST", body: JSON.stringify(tasks) });
  if (answer.status !== 200) throw new Error(`the consumer answered ${answer.status}`);
}
