// What the browser scripts share: Debian's Chromium, pages that remember what went wrong on them, and words with the test.
//   node SCRIPT.mjs PRODUCER_URL CONSUMER_URL
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const [producer, consumer] = process.argv.slice(2);
/** How long a page may take to show something; generous, because two cores do everything here. */
export const PATIENCE = 30_000;

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
args.push("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage");

/** Runs a scenario in a fresh browser, and ends the program. */
export async function play(scenario) {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: run \`make bootstrap\``);
  const browser = await chromium.launch({ executablePath, args, chromiumSandbox: process.getuid?.() !== 0 });
  try {
    await scenario(browser);
  } finally {
    await browser.close();
  }
  process.exit(0);
}

/** A page of its own, with the errors, dialogs and refusals that happened on it. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  await page.goto(url);
  return { page, problems };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds on the page as it is. */
export async function violations(page) {
  // Evaluated by the debugger, which the page's content security policy does not concern.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `axe ${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).slice(0, 4).join(", ")}`);
}

/** Waits until `check` gives something that counts as true, and gives it. */
export async function eventually(what, check) {
  let last;
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    last = await check().catch((error) => error);
    if (last && !(last instanceof Error)) return last;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${PATIENCE} ms: ${what} (last: ${last})`);
}

export async function json(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export function postJson(url, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Starts a batch and waits until it has the wanted state. */
export async function batch(options, wanted = (told) => told.state === "done") {
  const { id } = await (await postJson(`${producer}/producetasks`, options)).json();
  await eventually("the batch gets where it should", async () => wanted(await json(`${producer}/api/batches/${id}`)));
  return id;
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test to do or tell something about the programs, and waits for the answer. */
export async function ask(request) {
  console.log(`@${request}`);
  return (await answers.next()).value;
}
