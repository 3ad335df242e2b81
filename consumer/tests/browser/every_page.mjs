// Every page, in light and dark, wide and narrow: axe finds nothing, nothing is cut off, and a screenshot is taken.
import { mkdirSync } from "node:fs";
import { administrator, call, company, signedIn } from "./accounts.mjs";
import { batch, consumer, json, open, play, postJson, producer, violations } from "./browser.mjs";

const folder = new URL("../../../target/screenshots/", import.meta.url).pathname;
const SIZES = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

await play(async (browser) => {
  mkdirSync(folder, { recursive: true });
  const found = [];
  // Empty first: a page that has nothing to show says what would fill it.
  const empty = { producer: `${producer}/`, batches: `${producer}/batches`, devices: `${producer}/devices`, dashboard: `${consumer}/`, events: `${consumer}/events` };
  for (const [name, url] of Object.entries(empty)) found.push(...(await looked(browser, `empty-${name}`, url)));
  for (const [name, url] of Object.entries(await filled())) found.push(...(await looked(browser, name, url)));
  found.push(...(await accounts(browser)));
  if (found.length > 0) throw new Error(`\n${found.join("\n")}`);
});

/** Fills both programs with what pages have to show, and gives the address of every page. */
async function filled() {
  const done = await batch({ count: 120, wait: 0, weights: "4,3,2,1" });
  // Nobody listens on port 9: one attempt was made, and more will be.
  const retried = await batch({ count: 3, wait: 0, to: "http://127.0.0.1:9/" }, (told) => told.retrying > 0);
  await postJson(`${consumer}/consumetasks/github`, { action: "push", commits: [{ message: "Fix the <b>roof</b>" }] });
  const { deliveries } = await json(`${producer}/api/deliveries?batch=${retried}&limit=1`);
  return {
    producer: `${producer}/`,
    batches: `${producer}/batches`,
    "batch-done": `${producer}/batches/${done}`,
    "batch-retrying": `${producer}/batches/${retried}`,
    deliveries: `${producer}/deliveries`,
    delivery: `${producer}/deliveries/${deliveries[0].id}`,
    "producer-not-found": `${producer}/nowhere`,
    dashboard: `${consumer}/`,
    events: `${consumer}/events`,
    event: `${consumer}/events/@121`,
    "consumer-not-found": `${consumer}/nowhere`,
  };
}

/** The pages of accounts: of one that is new, of one with everything, and of the administrator. */
async function accounts(browser) {
  const found = [];
  const look = async (user, pages) => {
    const options = user ? { storageState: await signedIn(browser, user) } : {};
    for (const [name, path] of Object.entries(pages)) {
      found.push(...(await looked(browser, `account-${name}`, `${producer}/account${path}`, options)));
    }
  };
  await look(null, { login: "/login", new: "/new" });
  const { sarah, shop, paid, own, subscription, noisy } = await company();
  await look(shop, { "empty-subscriptions": "/subscriptions", "empty-deliveries": "/deliveries" });
  const { deliveries } = await call(sarah, "GET", "/webhook/deliveries?status=waiting");
  await look(sarah, {
    home: "",
    webhooks: "/webhooks",
    "webhooks-all": "/webhooks?show=all",
    webhook: `/webhooks/${own}`,
    "webhook-of-another": `/webhooks/${paid}`,
    subscriptions: "/subscriptions",
    subscription: `/subscriptions/${subscription}?recover=24h`,
    "subscription-with-options": `/subscriptions/${noisy}`,
    deliveries: "/deliveries",
    "deliveries-none": "/deliveries?status=held",
    delivery: `/deliveries/${deliveries[0].id}`,
    "not-found": "/deliveries/nowhere",
  });
  await look(await administrator(), { admin: "/admin", "admin-deliveries": "/deliveries" });
  return found;
}

/** What is wrong with one page in any of its four looks. */
async function looked(browser, name, url, options = {}) {
  const found = [];
  for (const viewport of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const look = `${name}-${viewport.width}-${colorScheme}`;
      const { page, problems } = await open(browser, url, { viewport, colorScheme, ...options });
      await settled(page);
      await page.screenshot({ path: `${folder}${look}.png`, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${look}: ${wide} px wider than the screen`);
      found.push(...(await violations(page)).map((text) => `${look}: ${text}`));
      // The answer to a page that does not exist is an error to the browser, too.
      found.push(...problems.filter((text) => !/status of 404/.test(text)).map((text) => `${look}: ${text}`));
      await page.context().close();
    }
  }
  return found;
}

/** Waits until the page has its data and its charts have been drawn: three animation frames after the network is quiet. */
async function settled(page) {
  await page.waitForLoadState("load");
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true], .skeleton"));
  await page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  });
}
