// What a page says changes while it is open, counts included; a form in which somebody types stays as it is until that is sent or taken back.
import { deepEqual, equal } from "node:assert/strict";
import { consumer, open, play, postJson } from "./browser.mjs";

await play(async (browser) => {
  const action = (name) => made("/api/actions", { name, event_id: name, function: "wake", target: "all" });
  const key = (name) => made("/api/keys", { name });
  await counts(browser, "/actions", action, ["1 action of 1 event id", "2 actions of 2 event ids"]);
  await counts(browser, "/actions/keys", key, ["1 key", "2 keys"]);
  await counts(browser, "/sources", sends, ["1 source", "2 sources"]);
  await keepsWhatIsTyped(browser);
});

async function made(path, what) {
  const answer = await postJson(`${consumer}${path}`, what);
  equal(answer.status, path.startsWith("/screen-api") ? 200 : 201, await answer.clone().text());
}

async function sends(name) {
  equal((await postJson(`${consumer}/consumetasks/${name}`, {})).status, 200);
}

/** The count beside the title follows what is made elsewhere. */
async function counts(browser, path, make, words) {
  const { page, problems } = await open(browser, `${consumer}${path}`);
  for (const [at, said] of words.entries()) {
    await make(`number-${at}`);
    await page.locator(".head").getByText(said, { exact: true }).waitFor();
  }
  deepEqual(problems, []);
  await page.context().close();
}

async function keepsWhatIsTyped(browser) {
  const asks = (name, digit) => made("/screen-api/pairing", { name, key: digit.repeat(64) });
  const device = (name) => made("/api/action-devices", { name, groups: [], tags: [] });
  await asks("lobby-1", "a");
  const { page, problems } = await open(browser, `${consumer}/screens`);
  const groups = page.getByRole("listitem").filter({ hasText: "lobby-1" }).getByLabel("Groups");
  const second = page.getByText("lobby-2");
  await groups.pressSequentially("sou");
  await asks("lobby-2", "b");
  await device("robot-1");
  await page.locator(".head").getByText("1 device, 0 online", { exact: true }).waitFor();
  await groups.pressSequentially("th");
  equal(await groups.inputValue(), "south", "what is beside it was drawn anew meanwhile");
  equal(await second.count(), 0, "who types is not moved");
  // The same for who looks at something else before it is sent.
  await page.getByRole("link", { name: "Sources" }).focus();
  await device("robot-2");
  await page.locator(".head").getByText("2 devices, 0 online", { exact: true }).waitFor();
  deepEqual([await groups.inputValue(), await second.count()], ["south", 0]);
  await groups.fill("");
  await page.getByRole("link", { name: "Sources" }).focus();
  await second.waitFor();
  deepEqual(problems, []);
}
