/* The producer's live pages: the form, the batch that is followed, the recent ones. */
import { badge } from "./badge.ts";
import { type Batch, noun } from "./batch.ts";
import { followDelivery } from "./delivery.ts";
import { coalesced, find, need } from "./dom.ts";
import { Follow } from "./follow.ts";
import { post, produceForm } from "./form.ts";
import { plural } from "./format.ts";
import { LineList } from "./lines.ts";
import { keepTrue } from "./live.ts";
import { showBatch } from "./panel.ts";
import { refreshRecent, showRecent } from "./recent.ts";
import { toast } from "./toast.ts";
import { showTrouble, Trouble } from "./trouble.ts";

class ProducerPage {
  private follow: Follow | null = null;
  private batch: Batch | null = null;
  private trouble = new Trouble();
  private readonly list = new LineList();
  private readonly draw = coalesced(() => {
    if (!this.batch) return;
    showBatch(this.batch);
    this.list.told = showTrouble(this.trouble.of(this.batch));
    showRecent(this.batch);
  });

  constructor() {
    const id = need("#batch").dataset.id;
    if (id) this.watch(id);
    produceForm((batch) => this.started(batch));
    this.button("#cancel", (batch) => `Cancelled: ${plural(batch.cancelled, noun(batch))} will not be sent`);
    this.button("#retry", (batch) => `${plural(batch.pending, noun(batch))} in the queue`);
    addEventListener("popstate", () => location.reload());
    document.addEventListener("visibilitychange", () => this.draw());
    setInterval(() => this.batch && !this.batch.ended_at && void refreshRecent(), 5000);
  }

  private started(batch: Batch): void {
    history.pushState(null, "", `/batches/${encodeURIComponent(batch.id)}`);
    toast(`${plural(batch.total, noun(batch))} in the queue`);
    this.watch(batch.id);
    this.show(batch);
    void refreshRecent();
  }

  private watch(id: string): void {
    this.follow?.close();
    this.list.clear();
    this.trouble = new Trouble();
    for (const node of document.querySelectorAll(".plain-lines")) node.remove();
    need("#live-lines").hidden = false;
    this.follow = new Follow(id, {
      batch: (batch) => this.show(batch),
      line: (line) => {
        this.list.lines.add(line);
        this.trouble.take(line);
        this.list.draw();
        this.draw();
      },
      older: (lines) => {
        for (const line of lines) this.trouble.take(line);
        this.list.addOlder(lines);
        this.draw();
      },
      state: (state) => {
        badge(state);
        // What could not be sent for want of an answer can be now.
        if (state === "live" || state === "ended") find("#produce [data-away]")?.remove();
      },
    });
  }

  private show(batch: Batch): void {
    const ended = this.batch?.id === batch.id && !this.batch.ended_at && batch.ended_at;
    this.batch = batch;
    if (document.hidden) showBatch(batch);
    else this.draw();
    if (ended) void refreshRecent();
  }

  /** A button of the panel, posted by fetch; the page goes on following. */
  private button(selector: string, said: (batch: Batch) => string): void {
    const form = find<HTMLFormElement>(selector);
    form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      const control = need<HTMLButtonElement>("button", form);
      control.disabled = true;
      try {
        const batch = await post<Batch>(form.action);
        toast(said(batch));
        this.watch(batch.id);
        this.show(batch);
      } catch (error) {
        toast((error as Error).message);
      }
      control.disabled = false;
    });
  }
}

if (find("#batch")) new ProducerPage();
else if (find("[data-pretty]")) followDelivery();
else if (find("[data-live]")) keepTrue("/devices/events", () => {});
else if (find("#recent")) setInterval(() => void refreshRecent(), 5000);
