// The tables of the intake: medians of all rounds, and whether each bar is met.
import { median, percent, verdict, whole } from "./figures.mjs";

const VIEWERS = {
  hooks: ["a socket.io page, `msg` per task", "socket.io pages, `msg` per task"],
  live: ["a dashboard", "dashboards"],
  events: ["a WebSocket, a message per task", "WebSockets, a message per task"],
};

/** `of` names what the share is of, `late` adds how long the viewers took after the load. */
export function table(rows, { of = "of bare", late = false } = {}) {
  const columns = ["server", "viewers", "events/s", of, "bar", "p50 ms", "p99 ms", "server CPU µs/event", "refused", "each viewer saw"];
  if (late) columns.push("all seen after, s");
  const lines = rows.map((row) => [...cells(row), ...(late ? [lateness(row)] : [])]);
  return [columns, columns.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cells({ name, viewer, count, bar, runs }) {
  const of = (figure) => median(runs.map((run) => run[figure]));
  const rates = runs.map(({ rate }) => rate);
  const spread = `${many(of("rate"))} (${many(Math.min(...rates))}–${many(Math.max(...rates))})`;
  const share = runs[0].share === undefined ? "" : shown(of("share"));
  const demand = bar ? verdict(`≥ ${percent(bar)}`, of("share") >= bar) : "";
  const seen = viewer ? percent(Math.min(1, sum(runs, "seen") / sum(runs, "wanted"))) : "";
  const figures = [of("p50_ms").toFixed(1), of("p99_ms").toFixed(1), of("cpu_us").toFixed(1), whole(sum(runs, "refused"))];
  return [name, audience(viewer, count), spread, share, demand, ...figures, seen];
}

function audience(viewer, count) {
  if (!viewer) return "none";
  const [one, many] = VIEWERS[viewer];
  return count === 1 ? one : `${count} ${many}`;
}

const many = (rate) => (rate < 10 ? rate.toFixed(1) : whole(rate));

/** Flask's share is less than half a percent. */
const shown = (share) => (share < 0.1 ? `${(share * 100).toPrecision(2)} %` : percent(share));

function lateness({ viewer, runs }) {
  if (!viewer) return "";
  return sum(runs, "seen") < sum(runs, "wanted") ? "never" : median(runs.map((run) => run.behind)).toFixed(1);
}

const sum = (runs, name) => runs.reduce((all, run) => all + run[name], 0);
