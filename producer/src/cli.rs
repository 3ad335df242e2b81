//! `producer produce`: one batch from the command line, followed to its end.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use common::{serve, time::now_ms};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{sync::watch, time::sleep};
use url::Url;

use crate::{
    App,
    config::{Produce, Settings},
    delivery::{self, attempt::Sender},
    ending,
    progress::{Batch, Line},
    receiver::{HARDWARE, below},
    sources::{
        devices::{self, hardware},
        fake::{self, Order},
    },
    trigger,
};

/// Lines that are read at once.
const CHUNK: i64 = 500;
/// Behind every wake-up: a service on the same database may deliver the batch.
const SLOW_POLL: Duration = Duration::from_millis(500);

/// `producer devices check`: connects to each source of the file once and prints what it sees.
///
/// # Errors
/// When the file is wrong; the error names the line and the column.
pub async fn check_devices(file: &Path) -> anyhow::Result<ExitCode> {
    devices::check::check(file, &Settings::defaults().webhook_receiver_url).await
}

/// Queues a batch, delivers it (with whatever else is due in the same database), prints a line per attempt and a summary.
///
/// Exit code 1 when a task was not delivered; Ctrl-C leaves the rest in the queue.
///
/// # Errors
/// When a setting is wrong or the database fails.
pub async fn produce(args: Produce) -> anyhow::Result<ExitCode> {
    let stop = serve::stop_on_signals()?;
    let app = App::open(args.settings.clone(), args.settings.listen, stop.clone()).await?;
    let sender = Sender::new(&app.settings, Arc::clone(&app.policy), Arc::clone(&app.vault))?;
    let batch = queue(&app, &args).await?;
    let delivering = ending::supervised(&stop, delivery::run(app.clone(), sender));
    let mut printer = Printer::new(args.json, batch.total);
    let ended = ending::in_time(&stop, async {
        let followed = follow(&app, &batch.id, &mut printer).await;
        stop.cancel();
        delivering.await??;
        followed?;
        // What was under way when the end was called for has ended, too.
        let ended = loop {
            let (batch, all_told) = printer.tell(&app, &batch.id).await?;
            if all_told {
                break batch;
            }
        };
        app.store.db.close().await;
        Ok(ended)
    })
    .await?;
    printer.summary(&ended)?;
    Ok(if ended.delivered == ended.total { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn queue(app: &App, args: &Produce) -> anyhow::Result<trigger::Batch> {
    let usual = app.settings.webhook_receiver_url.clone();
    let usual = if args.hardware { below(&usual, HARDWARE) } else { usual };
    let to = args.to.clone().unwrap_or(usual);
    app.policy.check(&to)?;
    if !args.hardware {
        return Ok(fake::produce(app, order(app, args, to)?).await?);
    }
    hardware::name(app, &app.settings.devices()?);
    let wait = args.wait.unwrap_or_default();
    let batch = hardware::produce(app, hardware::Order { wait, to }).await?;
    batch.context("no device can be read: look at device_mask in the file of DEVICES")
}

fn order(app: &App, args: &Produce, to: Url) -> anyhow::Result<Order> {
    let settings = &app.settings;
    let range = settings.min_nbr_tasks..=settings.max_nbr_tasks;
    let count = args.count.unwrap_or_else(|| fake::draw_count(settings.seed, range));
    anyhow::ensure!((1..=settings.max_batch).contains(&count), "--count must be between 1 and {}", settings.max_batch);
    Ok(Order {
        count,
        wait: args.wait.unwrap_or(settings.wait_time),
        seed: settings.seed.unwrap_or(0),
        to,
        weights: args.weights.unwrap_or_default(),
    })
}

/// Prints until the batch ends or the user does.
async fn follow(app: &App, id: &str, printer: &mut Printer) -> anyhow::Result<()> {
    let mut wake = app.progress.follow(id);
    while !app.stop.is_cancelled() {
        wake.borrow_and_update();
        let (batch, all_told) = printer.tell(app, id).await?;
        if batch.ended() && all_told {
            return Ok(());
        }
        if all_told {
            wait(app, &mut wake).await;
        }
    }
    Ok(())
}

async fn wait(app: &App, wake: &mut watch::Receiver<()>) {
    tokio::select! {
        _ = wake.changed() => {}
        () = app.stop.cancelled() => {}
        () = sleep(SLOW_POLL) => {}
    }
}

/// Lines on standard output; a bar on standard error when that is a terminal.
struct Printer {
    json: bool,
    colours: bool,
    bar: ProgressBar,
    /// The place in the event log up to which it has printed.
    after: i64,
}

impl Printer {
    fn new(json: bool, total: i64) -> Self {
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or(0));
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {pos}/{len} {msg}");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if !io::stderr().is_terminal() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        Self { json, colours: io::stdout().is_terminal(), bar, after: 0 }
    }

    /// Prints what is new; gives how far the batch is, and whether that was all.
    async fn tell(&mut self, app: &App, id: &str) -> anyhow::Result<(Batch, bool)> {
        let attempts_max = app.settings.retry_schedule.attempts();
        let entries = app.store.entries(id, self.after, CHUNK).await?;
        let stored = app.store.batch(id).await?.ok_or_else(|| anyhow::anyhow!("the batch is gone"))?;
        let batch = Batch::of(&stored, now_ms());
        for entry in entries {
            self.after = entry.seq;
            self.line(&Line::of(entry, batch.total, attempts_max))?;
        }
        self.progress(&batch);
        Ok((batch, self.after >= stored.seq))
    }

    fn line(&self, line: &Line) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(line)? } else { words(line, self.colours) };
        self.bar.suspend(|| writeln!(io::stdout(), "{text}"))?;
        Ok(())
    }

    fn progress(&self, batch: &Batch) {
        self.bar.set_position(u64::try_from(batch.total - batch.pending).unwrap_or(0));
        let left = batch.eta_s.map_or_else(String::new, |seconds| format!(", {seconds} s left"));
        self.bar.set_message(format!(
            "{} failed, {} will be retried, {} / s{left}",
            batch.failed, batch.retrying, batch.rate
        ));
    }

    fn summary(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let mut out = io::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::json!({ "summary": batch }))?;
            return Ok(());
        }
        let Batch { delivered, total, failed, cancelled, pending, rate, id, .. } = batch;
        writeln!(out, "{delivered} of {total} delivered, {failed} failed, {cancelled} cancelled; {rate} a second")?;
        if *pending > 0 {
            writeln!(out, "{pending} stay in the queue: `producer serve` delivers them (batch {id})")?;
        }
        Ok(())
    }
}

fn words(line: &Line, colours: bool) -> String {
    let Line { n, total, owner, .. } = line;
    let status = line.status.map(|status| status.to_string());
    let status = status.or_else(|| line.reason.clone()).unwrap_or_default();
    let status = if colours { coloured(&status, &line.outcome) } else { status };
    let priority = line.priority.map_or("", common::task::Priority::as_str);
    let why = line.text.as_ref().map_or_else(String::new, |text| format!(" — {text}"));
    let next = line.next_at.as_ref().map_or_else(String::new, |at| format!(" — retry at {at}"));
    format!("{n} out of {total} — {status} — {owner}, {priority}{why}{next}")
}

/// Blue when delivered, amber while it will be tried again, red when it failed.
fn coloured(text: &str, outcome: &str) -> String {
    let code = match outcome {
        "delivered" => 34,
        "retrying" => 33,
        _ => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_like_the_tutorials() {
        let line = Line {
            seq: 9,
            n: 7,
            total: 42,
            outcome: "delivered".into(),
            status: Some(200),
            reason: None,
            text: None,
            duration_ms: 3,
            owner: "Norma Fisher".into(),
            priority: Some(common::task::Priority::Major),
            attempt: 1,
            attempts_max: 10,
            next_at: None,
            delivery: "d".into(),
            at: String::new(),
        };
        assert_eq!(words(&line, false), "7 out of 42 — 200 — Norma Fisher, Major");
    }
}
