// An administrator makes a key and an action, generates a link, opens it while a device obeys, tests it, and reads what happened.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { io } from "socket.io-client";
import { consumer, eventually, open, play, postJson } from "./browser.mjs";

await play(async (browser) => {
  const device = await obeying("lobby-1");
  const { page, problems } = await open(browser, `${consumer}/actions`, { permissions: ["clipboard-read", "clipboard-write"] });
  const key = await makesAKey(page);
  await makesAnAction(page);
  await opensTheLink(page, device);
  await tests(page, device);
  await readsTheAudit(page);
  await revealsCopiesAndDeletes(page, key);
  device.socket.close();
  // Refused forms are errors to the browser, too.
  deepEqual(problems.filter((text) => !/status of 400/.test(text)), []);
});

/** A device that does what it is told, as docs/actions.md describes it, and notes it. */
async function obeying(name) {
  const { key } = await (await postJson(`${consumer}/api/action-devices`, { name, groups: ["lobby"], tags: [] })).json();
  const [did, socket] = [[], io(`${consumer}/devices`, { auth: { key, last: 0 }, transports: ["websocket"] })];
  socket.on("command", async (order) => {
    const { execute } = await socket.emitWithAck("ack", { id: order.id });
    if (!execute) return;
    did.push(order);
    await socket.emitWithAck("done", { id: order.id, text: "as told" });
  });
  await new Promise((connected) => socket.once("connect", connected));
  return { did, socket };
}

async function makesAKey(page) {
  await page.getByText("No action yet").waitFor();
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByRole("link", { name: "New key" }).first().click();
  await page.getByLabel("Name").fill("alarm system");
  await page.getByLabel(/^Expires/).fill("soon");
  await page.getByRole("button", { name: "Make the key" }).click();
  match(await page.getByRole("alert").textContent(), /Expiry is a length of time/);
  equal(await page.getByLabel("Name").inputValue(), "alarm system", "what was typed stays");
  await page.getByLabel(/^Expires/).fill("30d");
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await page.locator("#secret").textContent();
  match(key, /^[0-9a-f]{48}$/);
  match(page.url(), /\/actions\/keys\/[0-9a-f-]{36}$/, "the page can be read again");
  return key;
}

async function makesAnAction(page) {
  await page.goto(`${consumer}/actions`);
  await page.getByRole("link", { name: "New action" }).first().click();
  await page.getByRole("button", { name: /^Enable emergency/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("Leave the building");
  await page.getByLabel(/^Event id/).fill("evacuate");
  await page.getByLabel(/^Message/).fill("Leave now");
  await page.getByLabel(/^Colour/).fill("red");
  await page.getByText("Groups", { exact: true }).click();
  await page.getByLabel("lobby", { exact: true }).check();
  await page.getByRole("button", { name: "Make the action" }).click();
  match(await page.getByRole("alert").textContent(), /color is written like/);
  ok(await page.getByLabel("lobby", { exact: true }).isChecked(), "what was chosen stays");
  await page.getByLabel(/^Colour/).fill("#b00020");
  await page.getByRole("button", { name: "Make the action" }).click();
  match(await page.locator(".said").textContent(), /Made/);
  match(await page.locator("[data-live=reach]").textContent(), /1 device: 1 connected, 0 away/);
}

async function opensTheLink(page, device) {
  await page.getByText(/^For a person/).click();
  await page.getByRole("button", { name: "Generate URL" }).click();
  await page.locator("#way-link").waitFor();
  match(await page.locator("#links").textContent(), /The key is in it.*Good for 1 use, until 2/s);
  const link = await page.locator("#way-link").textContent();
  await page.getByRole("button", { name: "Node.js" }).click();
  match(await page.locator("#way-node").textContent(), /await fetch\("http/);
  const answer = await (await fetch(link)).json();
  deepEqual([answer.message, answer.reached], ["success", 1]);
  await eventually("the device did it", async () => device.did.length === 1);
  equal(device.did[0].parameters.text, "Leave now");
  const again = await fetch(link);
  equal(again.status, 403, "the link was good for one use");
}

async function tests(page, device) {
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.waitForURL(/\/actions\/executions\//);
  await page.locator(".row.command .pill").getByText("done").waitFor();
  match(await page.locator(".row.command").textContent(), /lobby-1.*acknowledged.*ended.*ms.*as told/s);
  await eventually("the device did it again", async () => device.did.length === 2);
  await page.getByRole("link", { name: "Executions" }).click();
  await page.locator("a.row.execution").nth(1).waitFor();
}

async function readsTheAudit(page) {
  await page.getByRole("link", { name: "Audit" }).click();
  await page.locator(".row.audited").getByText("1 done").first().waitFor();
  await page.getByLabel("Only refused").check();
  await page.getByRole("button", { name: "Filter" }).click();
  equal(await page.locator(".row.audited").count(), 1);
  match(await page.locator(".row.audited").textContent(), /403.*used up/s);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  equal(lines.length, 2, "a head, and the one refusal");
  match(lines[1], /"403"/);
}

async function revealsCopiesAndDeletes(page, key) {
  await page.goto(`${consumer}/actions/keys`);
  const row = page.locator(".row.api-key", { hasText: "alarm system" });
  ok(!(await page.content()).includes(key), "no key is in the page");
  await row.getByRole("button", { name: /^Show/ }).click();
  await row.getByText(key).waitFor();
  await row.getByRole("button", { name: /^Show/ }).click();
  await row.getByText(key).waitFor({ state: "detached" });
  await row.getByRole("button", { name: /^Copy/ }).click();
  await row.getByText("Copied").waitFor();
  equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await row.getByRole("link", { name: /^Delete/ }).click();
  const button = page.getByRole("button", { name: "Delete the key" });
  ok(await button.isDisabled(), "nothing is deleted before the name is typed");
  await page.getByLabel(/^Type/).fill("alarm system");
  await button.click();
  match(await page.locator(".said").textContent(), /told 401/);
  equal(await page.locator(".row.api-key", { hasText: "alarm system" }).count(), 0);
}
