// `make bench`: what the dashboard weighs on the wire, and whether a browser paints it before any script has come; writes its section of docs/benchmarks.md.
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bar, measuredBy, whole } from "./bars.mjs";
import { browsing } from "./page.mjs";
import { writeSection } from "./section.mjs";
import { build, freePort, start, stopAll } from "./servers.mjs";

const MOST_BYTES = 100_000;
const EVENTS = 200;
const folder = mkdtempSync(join(tmpdir(), "hookcast-bench-"));

async function main() {
  build();
  try {
    const port = freePort();
    await start("consumer", [], { LISTEN: `127.0.0.1:${port}` }, port, join(folder, "consumer"));
    const url = `http://127.0.0.1:${port}`;
    // A page with its lists full weighs more than an empty one.
    await fetch(`${url}/consumetasks`, { method: "POST", body: JSON.stringify(tasks()) });
    const seen = await painted(url);
    const parts = [];
    for (const path of ["/", ...seen.assets]) parts.push(await weighed(url, path));
    writeSection("weight", report(parts, seen));
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tasks() {
  const priorities = ["Low", "Moderate", "Major", "Critical"];
  return Array.from({ length: EVENTS }, (_, id) => ({ batchid: crypto.randomUUID(), id, owner: `Owner ${id}`, priority: priorities[id % 4] }));
}

/** What a browser loads for the page, and whether it painted the totals and the newest events while every script was held back. */
async function painted(url) {
  const browser = await browsing();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const assets = new Set();
    let release;
    const released = new Promise((done) => {
      release = done;
    });
    page.on("request", (asked) => asked.url().startsWith(`${url}/assets/`) && assets.add(new URL(asked.url()).pathname));
    await page.route(isDeferred, async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(url, { waitUntil: "commit" });
    const first = await page.waitForFunction(firstPaint, null, { timeout: 5000, polling: 50 }).catch(() => null);
    const withoutScripts = first !== null;
    release();
    await page.waitForFunction(firstPaint, null, { timeout: 10_000, polling: 50 });
    await page.waitForLoadState("load");
    // A headless browser has no tab to show the icon in.
    assets.add(await page.getAttribute("link[rel=icon]", "href"));
    return { assets: [...assets].sort(), withoutScripts, ...(await unscripted(browser, url)) };
  } finally {
    await browser.close();
  }
}

/** The theme's few bytes are meant to come before the first paint: a page must not flash in the other one. Everything else is deferred. */
function isDeferred(url) {
  return /\/assets\/.*\.js$/.test(url.pathname) && !/\/theme-\w+\.js$/.test(url.pathname);
}

/** Runs in the page. */
function firstPaint() {
  return performance.getEntriesByName("first-contentful-paint").length > 0;
}

/** What the page shows with JavaScript off. */
async function unscripted(browser, url) {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(url);
  const text = await page.locator("main").innerText();
  return { hasContent: text.includes(String(EVENTS)) && text.includes(`Owner ${EVENTS - 1}`) };
}

/** The bytes of the answer's body as they are on the wire. */
function weighed(url, path) {
  return new Promise((done, failed) => {
    const asking = request(url + path, { headers: { "accept-encoding": "br" } }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk) => {
        bytes += chunk.length;
      });
      answer.on("end", () => done({ path, bytes, encoding: answer.headers["content-encoding"] ?? "none" }));
    });
    asking.on("error", failed).end();
  });
}

function report(parts, { withoutScripts, hasContent }) {
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = parts.map(({ path, bytes, encoding }) => `| \`${path.replace(/-\w+\./, ".")}\` | ${encoding} | ${whole(bytes)} |`);
  const text = `## The dashboard's weight

${measuredBy("weight")}
Bytes of the bodies as they are on the wire with \`accept-encoding: br\`, of the page with full lists and everything a browser loads for it.

| what | encoding | bytes |
| --- | --- | --- |
${rows.join("\n")}
| in all | | ${whole(all)} |

${bar(`at most ${whole(MOST_BYTES)} bytes in all`, whole(all), all <= MOST_BYTES)}
${bar("first paint before JavaScript: with every script but the theme's held back the browser has painted", withoutScripts ? "painted" : "nothing was painted", withoutScripts)}
${bar("with JavaScript off the page has its totals and newest events", hasContent ? "they are there" : "they are missing", hasContent)}
`;
  console.log(`\n${text}`);
  return text;
}

await main();
