/* The panel of one batch: bar, counts, rate, time left, buttons. */
import { type Batch, done, noun } from "./batch.ts";
import { find, need, setAttribute, setText } from "./dom.ts";
import { duration, grouped, plural, rate, took } from "./format.ts";

const panel = () => need("#batch");

export function shortId(id: string): string {
  return id.slice(0, 6);
}

export function showBatch(batch: Batch): void {
  const node = panel();
  node.hidden = false;
  setText(find("[data-name]", node), `Batch ${shortId(batch.id)} · ${plural(batch.total, noun(batch))}`);
  setAttribute(find("[data-name]", node), "title", batch.id);
  bar(batch);
  const waiting = batch.pending - batch.retrying;
  count("percent", true, `${done(batch)} %`);
  count("delivered", true, `${grouped(batch.delivered)} delivered`);
  count("retrying", batch.retrying > 0, `${grouped(batch.retrying)} will be retried`);
  count("failed", batch.failed > 0, `${grouped(batch.failed)} failed`);
  count("waiting", waiting > 0, `${grouped(waiting)} waiting`);
  count("cancelled", batch.cancelled > 0, `${grouped(batch.cancelled)} cancelled`);
  setText(find("#pace", node), pace(batch));
  const cancel = need<HTMLFormElement>("#cancel", node);
  cancel.hidden = batch.ended_at !== null;
  cancel.action = `/batches/${batch.id}/cancel`;
  const retry = need<HTMLFormElement>("#retry", node);
  const again = batch.failed + batch.retrying;
  retry.hidden = again === 0;
  retry.action = `/batches/${batch.id}/retry`;
  setText(find("button", retry), retryLabel(batch));
  find("#all-deliveries", node)?.setAttribute("href", `/deliveries?batch=${encodeURIComponent(batch.id)}`);
  title(batch);
}

function retryLabel(batch: Batch): string {
  if (batch.failed === 0) return `Retry ${grouped(batch.retrying)} now`;
  return `Retry ${grouped(batch.failed)} failed`;
}

function count(name: string, shown: boolean, text: string): void {
  const node = need(`[data-count=${name}]`, panel());
  node.hidden = !shown;
  setText(node, text);
}

/** The three parts of the bar, in thousandths of the whole. */
function segments(batch: Batch): { name: string; x: number; width: number }[] {
  let x = 0;
  return (["delivered", "retrying", "failed"] as const).map((name) => {
    const width = batch.total > 0 ? (batch[name] / batch.total) * 1000 : 0;
    const part = { name, x, width };
    x += width;
    return part;
  });
}

function bar(batch: Batch): void {
  const track = need(".bar-track", panel());
  for (const { name, x, width } of segments(batch)) {
    const part = find<SVGRectElement>(`.${name}`, track);
    setAttribute(part, "x", x.toFixed(1));
    setAttribute(part, "width", width.toFixed(1));
  }
  setAttribute(track, "aria-valuenow", String(done(batch)));
  const said = `${grouped(batch.delivered)} delivered, ${grouped(batch.failed)} failed, ${grouped(batch.pending)} to go`;
  setAttribute(track, "aria-valuetext", `${done(batch)} percent: ${said}`);
}

function pace(batch: Batch): string {
  if (batch.ended_at) {
    const seconds = (Date.parse(batch.ended_at) - Date.parse(batch.created_at)) / 1000;
    return `${batch.state === "cancelled" ? "cancelled after" : "took"} ${took(seconds)} · ${rate(batch.rate)} / s`;
  }
  const left = batch.eta_s === null ? "" : ` · ${duration(batch.eta_s)} left`;
  return `${rate(batch.rate)} / s${left}`;
}

function title(batch: Batch): void {
  const name = `Batch ${shortId(batch.id)} · Hookcast`;
  const ended = batch.failed > 0 ? "✕" : batch.state === "cancelled" ? "⊘" : "✓";
  document.title = batch.ended_at ? `${ended} ${name}` : `${done(batch)} % · ${name}`;
}
