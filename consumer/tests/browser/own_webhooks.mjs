// One person, from making an account to watching webhooks arrive, with the mouse, the keyboard, and the eye of axe on what opens.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { call } from "./accounts.mjs";
import { eventually, open, play, producer, violations } from "./browser.mjs";
import { endpoint } from "./endpoint.mjs";

const folder = new URL("../../../target/screenshots/", import.meta.url).pathname;

await play(async (browser) => {
  mkdirSync(folder, { recursive: true });
  const receiver = await endpoint();
  const { page, problems } = await open(browser, `${producer}/account/webhooks`);
  const user = await joins(page, receiver);
  await signsOutAndIn(page, user);
  const webhook = await offersAnEvent(page);
  await subscribes(page);
  await watchesItArrive(page, user, { webhook, receiver });
  await retriesByKey(page, user, { webhook, receiver });
  await readsOnAPhone(page);
  await recovers(page, receiver);
  await changesKeys(page, user, receiver);
  await deletes(page, user);
  // Refused sign-ins and forms are errors to the browser, too.
  deepEqual(problems.filter((text) => !/status of 40[01]/.test(text)), []);
  receiver.close();
});

function said(page) {
  return page.locator(".said").textContent();
}

async function joins(page, receiver) {
  await page.getByRole("link", { name: "Make one" }).click();
  await page.getByLabel("Username").fill("sarah");
  await page.getByLabel(/^Endpoint/).fill("http://127.0.0.1:9/nobody");
  await page.getByRole("button", { name: "Make the account" }).click();
  match(await page.getByRole("alert").textContent(), /did not prove itself/);
  equal(await page.getByLabel("Username").inputValue(), "sarah", "what was typed stays");
  await page.getByLabel(/^Endpoint/).fill(receiver.url("/hooks"));
  await page.getByRole("button", { name: "Make the account" }).click();
  const user = { username: "sarah", api_key: await page.locator("#api-key").textContent(), secret_key: await page.locator("#secret-key").textContent() };
  match(user.api_key, /^[0-9a-f]{40}$/);
  await page.getByRole("link", { name: "Go on" }).click();
  equal(await page.locator("h1").textContent(), "sarah");
  return user;
}

async function signsOutAndIn(page, user) {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${producer}/account/subscriptions`);
  await page.getByLabel("Username").fill("sarah");
  await page.getByLabel("API key").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  match(await page.getByRole("alert").textContent(), /do not belong together/);
  await page.getByLabel("API key").fill(user.api_key);
  await page.getByRole("button", { name: "Sign in" }).click();
  equal(new URL(page.url()).pathname, "/account/subscriptions", "it leads where one wanted to go");
}

async function offersAnEvent(page) {
  await page.getByRole("link", { name: "Webhooks", exact: true }).click();
  await page.getByLabel(/^Event/).fill("order.paid");
  await page.getByLabel(/^Data, as JSON/).fill("{nonsense");
  await page.getByRole("button", { name: "Register" }).click();
  match(await page.getByRole("alert").textContent(), /Data: this is not JSON/);
  await page.getByLabel(/^Data, as JSON/).fill('{"amount": 100, "note": "<b>bold</b>"}');
  await page.getByRole("button", { name: "Register" }).click();
  match(await said(page), /Registered/);
  return new URL(page.url()).pathname.split("/").at(-1);
}

async function subscribes(page) {
  await page.getByRole("button", { name: "Subscribe" }).click();
  match(await said(page), /Subscribed/);
  await page.getByLabel("Most a minute").fill("quick");
  await page.getByRole("button", { name: "Save the options" }).click();
  match(await page.getByRole("alert").textContent(), /rate_per_minute/);
  await page.getByLabel("Most a minute").fill("6000");
  await page.getByLabel("Only events named").fill("order.*");
  await page.getByRole("button", { name: "Save the options" }).click();
  match(await said(page), /Options saved/);
  equal(await page.getByLabel("Only events named").inputValue(), "order.*");
  for (const language of ["Node", "Ruby", "Go", "Rust", "Python"]) {
    await page.getByRole("button", { name: language, exact: true }).click();
    ok(await page.locator(`#snippet-${language.toLowerCase()}`).isVisible(), `${language} is shown`);
    equal(await page.locator(".snippet:visible").count(), 1);
    await page.locator(".snippet:visible button").click();
    await page.locator(".snippet:visible").getByText("Copied").waitFor();
  }
}

/** The list is open when something is triggered elsewhere; nobody reloads it. */
async function watchesItArrive(page, user, { webhook, receiver }) {
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await page.getByText("Nothing was sent yet.").waitFor();
  for (const amount of [1, 2, 3]) await call(user, "POST", `/webhook/triggered/${webhook}`, { event_data: { amount } });
  await eventually("three deliveries are shown as delivered", async () => (await page.getByText("Delivered 200").count()) === 3);
  equal(await page.locator("[data-live=count]").textContent(), "3 deliveries");
  equal(receiver.calls.length, 3);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const panel = page.locator("#inspector");
  await panel.getByText("Attempts (1)").waitFor();
  match(await panel.locator("pre.body").last().textContent(), /"amount": 3/);
  await page.keyboard.press("j");
  await eventually("j moves to the one before", async () => /"amount": 2/.test(await panel.locator("pre.body").last().textContent()));
  await page.keyboard.press("k");
  await eventually("k moves back", async () => /"amount": 3/.test(await panel.locator("pre.body").last().textContent()));
  await page.screenshot({ path: `${folder}account-explorer-1280-light.png`, fullPage: true });
  deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await panel.getByText("Choose a delivery").waitFor();
}

async function retriesByKey(page, user, { webhook, receiver }) {
  receiver.answer("/hooks", 500);
  await call(user, "POST", `/webhook/triggered/${webhook}`, { event_data: { amount: 500 } });
  const row = page.locator("a.row.logged").first();
  await eventually("its failure is shown", async () => /Retry in/.test(await row.textContent()));
  await row.click();
  const panel = page.locator("#inspector");
  await panel.getByText("500 Internal Server Error").waitFor();
  receiver.answer("/hooks", 200);
  await page.keyboard.press("r");
  await page.locator(".toast").getByText("In the queue again").waitFor();
  await eventually("the list tells that it was delivered", async () => /Delivered 200/.test(await row.textContent()));
  await eventually("and so does the panel", async () => /Attempts \(2\)/.test(await panel.textContent()));
}

async function readsOnAPhone(page) {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await page.locator("a.row.logged").first().click();
  const sheet = page.locator("dialog#sheet[open]");
  await sheet.getByText("Attempts (2)").waitFor();
  await page.screenshot({ path: `${folder}account-explorer-390-light.png` });
  deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** A test event fails for good; it is counted, then sent again. */
async function recovers(page, receiver) {
  receiver.answer("/hooks", 500);
  await page.getByRole("link", { name: "Subscriptions", exact: true }).click();
  await page.locator("a.row.subscription").click();
  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByText("Failed: 500").waitFor();
  await page.getByRole("link", { name: "Subscriptions", exact: true }).click();
  await page.locator("a.row.subscription").click();
  await page.getByRole("button", { name: "Count" }).click();
  receiver.answer("/hooks", 200);
  await page.getByRole("button", { name: "Send 1 failed event again" }).click();
  match(await said(page), /1 event in the queue again/);
}

async function changesKeys(page, user, receiver) {
  await page.getByRole("link", { name: "Account", exact: true }).click();
  ok(!(await page.locator("#secret-key").isVisible()), "the secret key is masked");
  await page.getByText("Reveal").click();
  equal(await page.locator("#secret-key").textContent(), user.secret_key);
  await page.getByRole("button", { name: "Rotate the secret key" }).click();
  match(await said(page), /New secret key/);
  ok((await page.locator("#secret-key").textContent()) !== user.secret_key);
  await page.getByLabel(/^Where your events/).fill(receiver.url("/moved"));
  await page.getByRole("button", { name: "Save the endpoint" }).click();
  match(await said(page), /Endpoint moved/);
  await page.getByRole("button", { name: "Make a new API key" }).click();
  const api_key = await page.locator("#api-key").textContent();
  ok(api_key !== user.api_key);
  user.api_key = api_key;
  await call(user, "GET", "/account/health");
}

async function deletes(page, user) {
  await page.getByRole("link", { name: "Go on" }).click();
  await page.getByText("Delete this account…").click();
  const button = page.getByRole("button", { name: "Delete the account" });
  ok(await button.isDisabled(), "nothing is deleted before the name is typed");
  await page.getByLabel(/^Type/).fill(user.username);
  await button.click();
  await page.getByRole("heading", { name: "Sign in to your webhooks" }).waitFor();
}
