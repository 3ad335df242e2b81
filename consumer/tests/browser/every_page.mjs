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
  const empty = { producer: `${producer}/`, batches: `${producer}/batches`, devices: `${producer}/devices`, dashboard: `${consumer}/`, events: `${consumer}/events`, readings: `${consumer}/devices`, sources: `${consumer}/sources` };
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
  const guarded = await guardedSource();
  const readings = await batch({ source: "hardware" });
  const { deliveries } = await json(`${producer}/api/deliveries?batch=${retried}&limit=1`);
  const { sensor, door, broken } = await devices();
  return {
    producer: `${producer}/`,
    batches: `${producer}/batches`,
    "batch-done": `${producer}/batches/${done}`,
    "batch-retrying": `${producer}/batches/${retried}`,
    "batch-readings": `${producer}/batches/${readings}`,
    deliveries: `${producer}/deliveries`,
    delivery: `${producer}/deliveries/${deliveries[0].id}`,
    "producer-not-found": `${producer}/nowhere`,
    dashboard: `${consumer}/`,
    events: `${consumer}/events`,
    event: `${consumer}/events/@121`,
    sources: `${consumer}/sources`,
    "source-new": `${consumer}/sources/new?kind=hmac`,
    source: `${consumer}/sources/${guarded}`,
    "source-edit": `${consumer}/sources/${guarded}/edit`,
    "source-open": `${consumer}/sources/github`,
    "source-rules": `${consumer}/sources/${guarded}/rules`,
    "event-repeated": `${consumer}/events/@${broken.offset}`,
    readings: `${consumer}/devices`,
    "readings-none": `${consumer}/devices?q=nothing`,
    reading: `${consumer}/devices/${sensor.id}`,
    "reading-digital": `${consumer}/devices/${door.id}`,
    "reading-not-a-number": `${consumer}/devices/${broken.id}?window=all`,
    "consumer-not-found": `${consumer}/nowhere`,
  };
}

/** A source with a secret and rules, from which one request came in and two did not. */
async function guardedSource() {
  const form = (path, fields) => fetch(`${consumer}${path}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  const source = "gate";
  await form("/sources/new", { kind: "token", source, in: "query", name: "token", secret: "a-token-of-the-gate", rate: "600" });
  const rules = '- when: [{pointer: /alarm/level, greater: 5}]\n  priority: Critical\n  title: "Alarm {/alarm/level} in {/zone}"';
  await form(`/sources/${source}/rules`, { rules, do: "save" });
  const alarm = { alarm: { level: 7 }, zone: "hall 2" };
  await postJson(`${consumer}/consumetasks/${source}?token=a-token-of-the-gate`, alarm);
  for (const token of ["", "?token=a-guess"]) await postJson(`${consumer}/consumetasks/${source}${token}`, alarm);
  return source;
}

/** Devices of two sources: what they say at first, a sensor that moves, a door, and an input that is not a number. */
async function devices() {
  const send = (source, readings) => postJson(`${consumer}/consumetasks/${source}`, readings);
  const door = (value) => ({ dev: "di", circuit: "1_01", value, alias: "Door of the boiler room, the one towards the yard" });
  const broken = { dev: "ai", circuit: "2_01", value: "NaN", unit: "V", mode: "Voltage" };
  const flow = (value) => ({ dev: "temp", circuit: "2867C6697351FF68", value, unit: "°C", type: "DS18B20", name: "Flow" });
  await send("boiler", [door(0), broken, flow(47), { dev: "ro", circuit: "2_04", value: 1 }, { dev: "ao", circuit: "1_01", value: 8.301, unit: "V" }]);
  for (let at = 0; at < 60; at += 1) await send("boiler", flow(Math.round(4700 + 900 * Math.sin(at / 6) + (at % 7) * 20) / 100));
  for (const value of [1, 0, 1]) await send("boiler", door(value));
  for (let times = 0; times < 12; times += 1) await send("boiler", broken);
  await send("house", [{ dev: "data_point", circuit: "IAQ_18", value: 812.5, name: "CO2", unit: "ppm" }, { dev: "meter", circuit: "m1", value: 1234567, unit: "Wh" }]);
  const { devices } = await json(`${consumer}/api/devices`);
  const of = (dev) => devices.find((device) => device.dev === dev);
  return { sensor: of("temp"), door: of("di"), broken: of("ai") };
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
