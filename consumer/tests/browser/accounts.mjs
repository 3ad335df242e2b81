// Accounts with something to look at, made through the API, and browsers that are signed in as one of them.
import { ask, eventually, producer } from "./browser.mjs";
import { endpoint } from "./endpoint.mjs";

/** A call of the accounts API; anything but success ends the test. */
export async function call(user, method, path, body) {
  const headers = { "content-type": "application/json" };
  if (user) Object.assign(headers, { username: user.username, "api-key": user.api_key });
  const answer = await fetch(`${producer}/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

export function join(username, url) {
  return call(null, "POST", "/account", { username, endpoint: url });
}

export async function offer(user, event, event_data, description = `Whenever ${event} happens`) {
  return (await call(user, "POST", "/webhook/registration", { event, description, event_data })).id;
}

export async function subscribe(user, webhook) {
  return (await call(user, "POST", `/webhook/subscription/${webhook}`)).id;
}

/** Triggers, and waits until each delivery of it has been tried. */
export async function trigger(owner, webhook, watcher, event_data) {
  await call(owner, "POST", `/webhook/triggered/${webhook}`, event_data && { event_data });
  await eventually("what was triggered was tried", async () => {
    const { deliveries } = await call(watcher, "GET", "/webhook/deliveries?limit=5");
    return deliveries.every((delivery) => delivery.attempts_made > 0 || delivery.status === "held");
  });
}

/** What a browser keeps of being signed in. */
export async function signedIn(browser, user) {
  const context = await browser.newContext();
  const answer = await context.request.post(`${producer}/account/login`, {
    form: { username: user.username, api_key: user.api_key },
  });
  if (!answer.ok()) throw new Error(`${user.username} cannot sign in: ${answer.status()}`);
  const state = await context.storageState();
  await context.close();
  return state;
}

/** The administrator, whose keys the producer printed. */
export async function administrator() {
  return { username: "admin", ...JSON.parse((await ask("admin keys")).replaceAll("'", '"')) };
}

/** A small company: two that offer, one that listens, with deliveries of every kind. */
export async function company() {
  const receiver = await endpoint();
  const shop = await join("orchard-shop", receiver.url("/shop"));
  const plant = await join("plant-12", receiver.url("/plant"));
  const sarah = await join("sarah", receiver.url("/hooks/orders"));
  const paid = await offer(shop, "order.paid", { order: 4711, amount: 129.9, currency: "EUR", items: [{ sku: "A-1", quantity: 2 }] });
  const refunded = await offer(shop, "order.refunded", { order: 4711, amount: 129.9 });
  const alarm = await offer(plant, "device.alarm", { circuit: "1_03", value: 1, note: "<b>not bold</b>" }, "A <i>door</i> was opened");
  const own = await offer(sarah, "report.ready", { url: "https://example.com/report.pdf" });
  const subscription = await subscribe(sarah, paid);
  const noisy = await subscribe(sarah, alarm);
  await subscribe(sarah, refunded);
  await call(sarah, "PATCH", `/webhook/subscription/${noisy}/options`, { fifo: true, rate_per_minute: 6000, filter: { events: ["device.*"] }, headers: { "X-Team": "ops" } });
  for (let number = 0; number < 12; number += 1) await trigger(shop, paid, sarah, { order: 4700 + number, amount: 10 * number });
  receiver.answer("/hooks/orders", 503);
  await trigger(shop, paid, sarah, { order: 4713, amount: 5 });
  await call(sarah, "POST", `/webhook/subscription/${noisy}/ping`);
  receiver.answer("/hooks/orders", 200);
  for (let number = 0; number < 5; number += 1) await trigger(plant, alarm, sarah);
  return { receiver, shop, plant, sarah, paid, alarm, own, subscription, noisy };
}
