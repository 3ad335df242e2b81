/* The recent batches, kept up to date while the page is open. */
import { type Batch, noun, retrying } from "./batch.ts";
import { since } from "./clock.ts";
import { el, find, getJson, setText } from "./dom.ts";
import { absolute, grouped, plural, rate, took } from "./format.ts";
import { shortId } from "./panel.ts";

export async function refreshRecent(): Promise<void> {
  const list = find("#recent");
  // Somebody may be walking along the rows.
  if (!list || document.hidden || list.contains(document.activeElement)) return;
  const limit = list.dataset.limit ?? "8";
  const answer = await getJson<{ batches: Batch[] }>(`/api/batches?limit=${limit}`).catch(() => null);
  if (!answer) return;
  list.replaceChildren(...answer.batches.map((batch) => el("li", {}, row(batch))));
  const empty = find("#no-batches");
  if (empty) empty.hidden = answer.batches.length > 0;
}

/** Redraws the row of one batch, when it is in the list. */
export function showRecent(batch: Batch): void {
  const link = find(`#recent a[href="/batches/${encodeURIComponent(batch.id)}"]`);
  if (link && link !== document.activeElement) link.replaceWith(row(batch));
}

function row(batch: Batch): HTMLElement {
  const [colour, symbol, word] = mood(batch);
  const when = el("time", { datetime: batch.created_at, "data-rel": true, title: absolute(batch.created_at) });
  setText(when, since(batch.created_at));
  return el(
    "a",
    { class: "row batch", href: `/batches/${encodeURIComponent(batch.id)}` },
    el("span", { class: "when" }, when),
    el("span", { class: `pill ${colour}` }, el("span", { "aria-hidden": "true" }, symbol), word),
    el("span", { class: "what cut" }, summary(batch)),
    el("span", { class: "from cut" }, batch.source === "hardware" ? "hardware" : `seed ${batch.seed}`),
    el("span", { class: "id" }, shortId(batch.id)),
  );
}

/** Colour, symbol and word of a batch's pill. */
function mood(batch: Batch): [string, string, string] {
  if (retrying(batch)) return ["major", "↻", "Retrying"];
  if (batch.state === "running") return ["moderate", "◌", "Running"];
  if (batch.failed > 0) return ["critical", "✕", `${grouped(batch.failed)} failed`];
  return batch.state === "cancelled" ? ["other", "⊘", "Cancelled"] : ["low", "✓", "Delivered"];
}

export function summary(batch: Batch): string {
  const tasks = plural(batch.total, noun(batch));
  const delivered = `${grouped(batch.delivered)} delivered`;
  if (!batch.ended_at && batch.retrying > 0)
    return `${tasks} · ${delivered} · ${grouped(batch.retrying)} will be retried`;
  if (!batch.ended_at) return `${tasks} · ${delivered} · ${rate(batch.rate)} / s`;
  if (batch.delivered < batch.total) return `${tasks} · ${delivered}`;
  const seconds = (Date.parse(batch.ended_at) - Date.parse(batch.created_at)) / 1000;
  return `${tasks} in ${took(seconds)}`;
}
