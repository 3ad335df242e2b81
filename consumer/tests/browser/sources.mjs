// An operator makes a guarded source, watches its first request arrive, finds out why another was turned away, changes the secret, and says
// what its events mean. A device that can only GET, one that posts a form, and the guarded sender are all seen on the open dashboard.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { consumer, eventually, json, open, play, violations } from "./browser.mjs";
import { showsExactly } from "./dashboard.mjs";

const folder = new URL("../../../target/screenshots/", import.meta.url).pathname;

await play(async (browser) => {
  mkdirSync(folder, { recursive: true });
  const dashboard = await open(browser, consumer);
  const { page, problems } = await open(browser, `${consumer}/sources`);
  const secret = await makesIt(page);
  await watchesTheFirstRequest(page, secret);
  await findsOutWhatIsWrong(page);
  const newer = await rotates(page, secret);
  await saysWhatEventsMean(page, newer);
  await theDashboardShowsAll(dashboard.page);
  await removesIt(page);
  // Refused forms are errors to the browser, too.
  deepEqual(problems.filter((text) => !/status of 400/.test(text)), []);
  deepEqual(dashboard.problems, []);
});

function said(page) {
  return page.locator(".said").textContent();
}

/** Signed as the Standard Webhooks specification says. */
async function send(secret, body, id = `msg_${Math.random()}`) {
  const [text, now] = [JSON.stringify(body), Math.floor(Date.now() / 1000)];
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${now}.${text}`).digest("base64");
  const headers = { "webhook-id": id, "webhook-timestamp": String(now), "webhook-signature": `v1,${mac}` };
  return (await fetch(`${consumer}/consumetasks/shop`, { method: "POST", headers, body: text })).status;
}

async function makesIt(page) {
  await page.getByText("Nothing was sent here yet").waitFor();
  await page.getByRole("link", { name: "New source" }).first().click();
  await page.getByRole("link", { name: /^Standard Webhooks/ }).click();
  await page.getByLabel(/^Name/).fill("shop");
  await page.getByLabel(/^Seconds a time stamp/).fill("0");
  await page.getByRole("button", { name: "Make the source" }).click();
  match(await page.getByRole("alert").first().textContent(), /1 to 86400 seconds/);
  equal(await page.getByLabel(/^Name/).inputValue(), "shop", "what was typed stays");
  await page.getByLabel(/^Seconds a time stamp/).fill("300");
  await page.getByRole("button", { name: "Make the source" }).click();
  match(await said(page), /Made/);
  await page.getByText("Waiting for the first request…").waitFor();
  ok(!(await page.locator("#secret").isVisible()), "the secret is masked");
  await page.getByRole("button", { name: "Reveal" }).click();
  const secret = await page.locator("#secret").textContent();
  match(secret, /^whsec_/);
  deepEqual(await violations(page), []);
  await page.screenshot({ path: `${folder}source-waiting-1280-light.png`, fullPage: true });
  return secret;
}

async function watchesTheFirstRequest(page, secret) {
  equal(await send(secret, { owner: "Norma Fisher", priority: "Major" }), 200);
  await page.locator("[data-live=arrived] a.row").getByText("Norma Fisher").waitFor();
  equal(await page.getByText("Waiting for the first request…").count(), 0);
}

async function findsOutWhatIsWrong(page) {
  equal(await send("whsec_bm90IHRoZSBzZWNyZXQgb2Ygc2hvcA==", { owner: "Mallory" }), 401);
  const row = page.locator("#rejected summary").first();
  await row.getByText(/No signature in it is made with|no signature/i).waitFor();
  await row.click();
  await page.locator("#rejected").getByText("webhook-signature").first().waitFor();
  ok((await page.locator("#rejected").textContent()).includes("Mallory"), "its body is there to look at");
  await page.screenshot({ path: `${folder}source-rejected-1280-light.png`, fullPage: true });
}

/** Both secrets are good until the rotation is finished. */
async function rotates(page, old) {
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  match(await said(page), /good as well/);
  await page.getByRole("button", { name: "Reveal" }).click();
  const newer = await page.locator("#secret").textContent();
  ok(newer !== old);
  equal(await send(old, { owner: "Old secret", priority: "Low" }), 200);
  equal(await send(newer, { owner: "New secret", priority: "Low" }), 200);
  await page.getByRole("button", { name: "Finish the rotation" }).click();
  match(await said(page), /Only the newest/);
  equal(await send(old, { owner: "Too late", priority: "Low" }), 401);
  return newer;
}

async function saysWhatEventsMean(page, secret) {
  equal(await send(secret, { alarm: { level: 7 }, zone: "hall 2" }), 200);
  await page.getByRole("link", { name: "Rules" }).click();
  await page.getByLabel(/^YAML or JSON/).fill("- when: [{pointer: alarm, greater: 5}]\n  priority: Critical");
  await page.getByRole("button", { name: "Save" }).click();
  match(await page.getByRole("alert").first().textContent(), /rule 1.*JSON pointer/s);
  const rule = '- when: [{pointer: /alarm/level, greater: 5}]\n  priority: Critical\n  title: "Alarm {/alarm/level} in {/zone}"';
  await page.getByLabel(/^YAML or JSON/).fill(rule);
  await page.getByLabel(/^A body/).fill('{"alarm": {"level": 9}, "zone": "cellar"}');
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.locator(".outcome").getByText("Alarm 9 in cellar").waitFor();
  match(await page.locator(".outcome").textContent(), /Critical.*Rule 1 matches/s);
  deepEqual(await violations(page), []);
  await page.screenshot({ path: `${folder}source-rules-tried-1280-light.png`, fullPage: true });
  await page.getByRole("button", { name: "Save" }).click();
  match(await said(page), /Rules saved/);
  await page.locator("a.row.received").first().click();
  await page.locator(".outcome").getByText("Alarm 7 in hall 2").waitFor();
  const before = await json(`${consumer}/api/counts`);
  await page.getByRole("button", { name: /Read .* again/ }).click();
  await page.locator("[data-live=reread]").getByText(/Done: 4 events read, 1 changed/).waitFor();
  const after = await json(`${consumer}/api/counts`);
  deepEqual([after.other, after.Critical], [before.other - 1, before.Critical + 1]);
}

/** Four events of the guarded source; then a GET without a body, and JSON that says it is a form, as old devices send them. */
async function theDashboardShowsAll(page) {
  await showsExactly(page, 4);
  equal((await fetch(`${consumer}/consumetasks/door?state=open`)).status, 200);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const body = '[{"dev":"relay","relay_type":"digital","circuit":"1_03","value":1,"alias":"al_pump"}]';
  equal((await fetch(`${consumer}/consumetasks/boiler`, { method: "POST", headers: form, body })).status, 200);
  await showsExactly(page, 6);
  const list = page.locator(".virtual");
  for (const title of [/changed/, /al_pump/, /Alarm 7 in hall 2/, /New secret/]) await list.getByText(title).first().waitFor();
  await eventually("each is of its source", async () => {
    const text = await list.innerText();
    return ["door", "boiler", "shop"].every((source) => text.includes(source));
  });
}

async function removesIt(page) {
  await page.goto(`${consumer}/sources/shop`);
  await page.getByText("Remove this source…").click();
  const button = page.getByRole("button", { name: "Remove the source" });
  ok(await button.isDisabled(), "nothing is removed before the name is typed");
  await page.getByLabel(/^Type/).fill("shop");
  await button.click();
  match(await said(page), /Removed/);
  await page.getByRole("link", { name: /^shop.*Not set up.*4 events/ }).waitFor();
}
