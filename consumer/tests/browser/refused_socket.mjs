// The server takes the dashboard's connection and turns it away, twice: the page comes back by itself, and is exact.
import { deepEqual, equal } from "node:assert/strict";
import { batch, consumer, eventually, open, play } from "./browser.mjs";
import { badge, showsExactly } from "./dashboard.mjs";

const OPENED = `0${JSON.stringify({ sid: "s", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 65_536 })}`;
const REFUSED = `44/live,${JSON.stringify({ message: "As many sockets are connected as this service takes." })}`;

await play(async (browser) => {
  const { page, problems } = await open(browser, "about:blank");
  let refusals = 0;
  await page.routeWebSocket(/\/socket\.io\//, (socket) => {
    if (refusals === 2) return void socket.connectToServer();
    refusals += 1;
    socket.onMessage((packet) => packet.startsWith("40/live") && socket.send(REFUSED));
    socket.send(OPENED);
  });
  await page.goto(consumer);
  await batch({ count: 30, wait: 0 });
  await eventually("the badge says Live", async () => /live/i.test(await badge(page)));
  equal(refusals, 2);
  await showsExactly(page, 30);
  deepEqual(problems, []);
});
