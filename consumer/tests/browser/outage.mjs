// The consumer is killed while its page is open: the page says so, comes back by itself, and is exact.
import { deepEqual } from "node:assert/strict";
import { ask, batch, consumer, eventually, open, play } from "./browser.mjs";
import { badge, showsExactly } from "./dashboard.mjs";

await play(async (browser) => {
  const { page, problems } = await open(browser, consumer);
  await eventually("the badge says Live", async () => /live/i.test(await badge(page)));
  await batch({ count: 100, wait: 0 });
  await showsExactly(page, 100);

  await ask("kill consumer");
  await eventually("the badge says Reconnecting", async () => /reconnecting/i.test(await badge(page)));
  // These wait in the producer's queue until the consumer is back.
  const waiting = batch({ count: 150, wait: 0 });
  await ask("start consumer");
  await waiting;
  await eventually("the badge says Live again", async () => /live/i.test(await badge(page)));
  await showsExactly(page, 250);
  // The browser reports each refused connection of the outage; nothing else may have gone wrong.
  deepEqual(problems.filter((problem) => !/net::ERR_|WebSocket/.test(problem)), []);
});
