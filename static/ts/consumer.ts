/* The dashboard: frames come in, the page follows; hidden or paused it only keeps count. */
import { badge } from "./badge.ts";
import { Controls } from "./controls.ts";
import { coalesced, find, need, setText, typing } from "./dom.ts";
import { Feed } from "./feed.ts";
import { grouped } from "./format.ts";
import { Graphs } from "./graphs.ts";
import { enhanceEventPage, Inspector } from "./inspector.ts";
import { renderedCounts, showCounts, showRate, showTitle } from "./kpis.ts";
import { EventList } from "./list.ts";
import { followReadings } from "./readings.ts";
import type { Counts, Frame } from "./wire.ts";

class Dashboard {
  private readonly controls = new Controls();
  private readonly graphs = new Graphs();
  private readonly list = new EventList();
  private readonly inspector = new Inspector();
  private readonly feed: Feed;
  private readonly pauseButton = need("#pause");
  private readonly draw = coalesced(() => this.render());
  private counts: Counts = renderedCounts();
  private rate = 0;
  private lastAt: string | null = find("[data-last-at]")?.dataset.lastAt ?? null;
  private paused = false;
  private pausedAt = 0;
  private seenHead: number | null = null;

  constructor() {
    const { controls } = this;
    this.feed = new Feed(
      {
        frame: (frame, whole) => this.take(frame, whole),
        gap: (from, to) => this.gap(from, to),
      },
      controls.choice.source || null,
    );
    controls.onFilter = () => this.list.filter(controls.choice);
    controls.onWindow = () => this.readRates();
    controls.onSource = () => {
      this.graphs.series.reset();
      this.feed.follow(controls.choice.source || null);
    };
    this.list.onOpen = (event) => void this.inspector.open(event);
    this.inspector.onStep = (by) => this.step(by);
    this.inspector.onClose = () => this.list.release();
    this.pauseButton.addEventListener("click", () => this.pause());
    addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => this.seen());
    setInterval(() => this.tick(), 1000);
    this.list.filter(controls.choice);
    this.readRates();
    this.graphs.draw(this.counts, 0);
    this.tick();
  }

  private take(frame: Frame, whole: boolean): void {
    const previous = this.counts.total;
    [this.counts, this.rate] = [frame.counts, frame.rate];
    const newest = frame.events[0];
    if (newest || this.controls.choice.source) this.lastAt = newest?.received_at ?? (whole ? null : this.lastAt);
    for (const event of frame.events) this.controls.addSource(event.source);
    if (whole) this.graphs.series.reset();
    this.graphs.take(frame);
    this.list.take(frame, whole);
    if (whole && !this.paused) this.readRates();
    if (document.hidden) this.unread();
    else if (!this.paused || (previous === 0 && frame.counts.total > 0)) this.draw();
    this.showState();
  }

  private readRates(): void {
    const { window: seconds, source } = this.controls.choice;
    void this.graphs.read(seconds, source);
  }

  private gap(from: number, to: number | null): void {
    this.graphs.gap(from, to);
    if (to !== null && !this.paused) this.readRates();
    this.showState();
  }

  private render(): void {
    if (this.paused || document.hidden) return;
    const empty = this.counts.total === 0 && !this.controls.choice.source;
    need("#empty").hidden = !empty;
    need("#charts").hidden = empty;
    need("#stream").hidden = empty;
    showCounts(this.counts);
    showRate(this.rate, this.lastAt);
    this.graphs.draw(this.counts, this.rate);
    this.list.render();
  }

  /** Once a second: ages, the badge, the axis that moves on. */
  private tick(): void {
    this.showState();
    if (document.hidden || this.paused) return;
    void this.graphs.keepTrue();
    this.draw();
  }

  private showState(): void {
    const { state, age } = this.feed.state();
    badge(this.paused && state === "live" ? "paused" : state, age);
    const missed = this.paused ? (this.feed.head ?? 0) - this.pausedAt : 0;
    const resume = missed > 0 ? `▶ Resume · ${grouped(missed)} new` : "▶ Resume";
    setText(this.pauseButton, this.paused ? resume : "❚❚ Pause");
  }

  private pause(): void {
    this.paused = !this.paused;
    this.list.frozen = this.paused;
    this.pauseButton.setAttribute("aria-pressed", String(this.paused));
    this.pausedAt = this.feed.head ?? 0;
    this.showState();
    if (this.paused) return;
    this.readRates();
    this.draw();
  }

  private unread(): void {
    this.seenHead ??= this.feed.head;
    showTitle((this.feed.head ?? 0) - (this.seenHead ?? 0));
  }

  private seen(): void {
    if (document.hidden) {
      this.seenHead = this.feed.head;
      return;
    }
    this.seenHead = null;
    showTitle(0);
    this.draw();
  }

  private step(by: number): void {
    const event = this.list.move(by);
    if (event && this.inspector.opened) void this.inspector.open(event);
    this.bringList();
  }

  /** Whoever walks by keys sees where: the list may stand below the fold. */
  private bringList(): void {
    need("#stream").scrollIntoView({ block: "nearest" });
  }

  private key(event: KeyboardEvent): void {
    if (find("#keys[open]") || typing(event)) return;
    const inList = !(event.target as Element).closest("button, a, summary");
    if (event.key === "j" || (event.key === "ArrowDown" && this.onList(event))) this.step(1);
    else if (event.key === "k" || (event.key === "ArrowUp" && this.onList(event))) this.step(-1);
    else if (event.key === "Enter" && inList && !this.inspector.opened) {
      this.list.openSelected();
      this.bringList();
    } else if (event.key === "Escape" && this.inspector.opened) this.inspector.close();
    else if (event.key === "p") this.pause();
    else if (event.key === "Home" && this.onList(event)) this.list.toTop();
    else return;
    event.preventDefault();
  }

  private onList(event: KeyboardEvent): boolean {
    return !!(event.target as Element).closest(".virtual");
  }
}

if (find("#matrix")) {
  const plain = document.querySelectorAll(".plain-list, .plain-chart");
  for (const node of plain) node.remove();
  for (const node of document.querySelectorAll<HTMLElement>("[data-live-part]")) node.hidden = false;
  new Dashboard();
} else if (find("[data-readings], #history")) followReadings();
else enhanceEventPage();
