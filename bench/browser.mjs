// `make bench`: the dashboard in a browser at 2,000 events a second: frames a second, and whether its heap stays; writes its section of docs/benchmarks.md.
// Loopback only. BENCH_PAGE_SECONDS (300) are measured.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bar, measuredBy } from "./bars.mjs";
import { median } from "./figures.mjs";
import { underLoad } from "./page.mjs";
import { writeSection } from "./section.mjs";
import { build, freePort, start, stopAll } from "./servers.mjs";

const seconds = Number(process.env.BENCH_PAGE_SECONDS ?? 300);
const LEAST_FRAMES = 50;
/** The heap is flat when its last look is at most this much above its first. */
const FLAT = 1.1;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  try {
    const port = freePort();
    await start("consumer", [], { LISTEN: `127.0.0.1:${port}`, DURABILITY: "full" }, port, join(folder, "consumer"));
    writeSection("browser", report(await underLoad(`http://127.0.0.1:${port}`, seconds)));
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report({ frames, before, heaps, after }) {
  const mib = (value) => value.toFixed(1);
  const looks = heaps.length > 0 ? heaps : [before, after];
  const [first, last] = [looks[0], looks.at(-1)];
  const text = `## The dashboard in a browser

${measuredBy("browser")}
Headless Chromium, 1280 × 900, 2,000 events a second for ${seconds} s, \`DURABILITY=full\`, consumer, load and browser on the same machine. Frames a second: median ${median(frames)}, least
${frames[0]}. Heap after a collection, every 30 s: ${looks.map(mib).join(", ")} MiB.

${bar(`at least ${LEAST_FRAMES} frames in every second`, `${frames[0]} at least, median ${median(frames)}`, frames[0] >= LEAST_FRAMES)}
${bar("the heap is flat: the last look at most a tenth above the first", `${mib(first)} → ${mib(last)} MiB`, last <= first * FLAT)}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
