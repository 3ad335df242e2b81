// Loads on `POST /consumetasks`, each beside a run of its yardstick; what is lost is counted, and of the consumer nothing may be.
import { settled, total } from "./figures.mjs";
import { load, watch } from "./load.mjs";

export const CONNECTIONS = 256;

/** Runs every row in turn, each with a run of its yardstick beside it: what else the machine does then slows both. */
export async function inTurn(rows, yardstick, { rounds, seconds }) {
  for (let round = 1; round <= rounds; round += 1) {
    for (const row of rows) {
      const one = row.beside ?? yardstick;
      const reference = await measured(one, seconds);
      const figures = await measured(row, seconds);
      one.runs.push(reference);
      row.runs.push({ ...figures, share: figures.rate / reference.rate });
    }
  }
}

/** One line of a table: a server and how it is followed, by nobody unless said. */
export function row(one, { viewer = null, count = 1, bar = null, beside = null } = {}) {
  return { ...one, viewer, count, bar, beside, runs: [] };
}

async function measured(one, seconds) {
  const before = one.stores ? await total(one.url) : 0;
  const viewers = one.viewer ? await watch(one.viewer, one.url, one.count) : null;
  try {
    const figures = await load(`${one.url}/consumetasks`, { connections: CONNECTIONS, seconds, pid: one.server.pid });
    figures.answered = figures.requests - figures.refused;
    figures.rate = figures.answered / figures.seconds;
    if (viewers) figures.behind = await behind(viewers, figures.answered);
    // What was under way when the load ended is stored too, and seen.
    if (one.stores) figures.stored = (await settled(one.url)) - before;
    if (viewers) Object.assign(figures, await seen(viewers, figures));
    if (one.stores) hold(one, figures);
    console.log(`${one.name} (${one.viewer ? `${one.count} ${one.viewer}` : "none"}): ${Math.round(figures.rate)}/s`, JSON.stringify(figures));
    return figures;
  } finally {
    await viewers?.stop();
  }
}

/** The seconds after the load until each viewer had what was answered. */
async function behind(viewers, answered) {
  const end = performance.now();
  await viewers.caughtUp(answered);
  return (performance.now() - end) / 1000;
}

/** What the viewer that saw least has seen, and what the first one saw twice. A peer has to be at rest before the next one has its turn. */
async function seen(viewers, { stored, answered }) {
  const least = await viewers.caughtUp(stored ?? Number.POSITIVE_INFINITY);
  return { seen: least, wanted: stored ?? answered, twice: (await viewers.examine()).twice };
}

/** Fails when an answered event is not in the log, or a viewer has missed one, or had one twice. */
function hold({ name, viewer }, { answered, stored, seen, twice }) {
  // wrk leaves up to one request a connection under way when its time is up: those may be stored too.
  if (stored < answered || stored > answered + CONNECTIONS) throw new Error(`${name}: ${answered} answered 200, but ${stored} stored`);
  if (viewer && (seen < stored || twice > 0)) throw new Error(`${name}: ${stored} stored, but a viewer saw ${seen}, ${twice} of them twice`);
}
