//! The delivery worker: claims what is due with a lease, sends it, records it.

pub mod allow;
pub mod answer;
pub mod attempt;
pub mod guard;
pub mod pace;
pub mod paces;
pub mod record;
pub mod retry;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use common::time::now_ms;
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App, ending,
    store::{
        self,
        endpoints::Waiting,
        queue::{Claimed, Lease},
        record::{Made, Outcome},
    },
};
use answer::{Answer, Meaning};
use attempt::Sender;
use pace::Verdict;
use paces::{Paces, Plan};

/// A lease is this much longer than an attempt may take: time to record it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// Claims are at least this far apart, so that each takes several deliveries.
const GATHER: Duration = Duration::from_millis(3);
/// Behind every wake-up: other processes put work in the same queue, and clocks differ.
const SLOW_POLL: Duration = Duration::from_secs(1);
const WAIT_AFTER_ERROR: Duration = Duration::from_secs(1);
/// What is under way when the end is called for may take this long.
const GRACE: Duration = Duration::from_secs(7);
const AGENDA: i64 = 256;
/// Answers that wait for the recorder; past that, attempts keep their places.
const UNRECORDED: usize = 64;
/// Busy answers in all that cost a delivery no place in the schedule.
const FREE_TRIES: i64 = 10;
/// By so much each of these makes the delivery's next wait longer.
const BUSY_STEP: Duration = Duration::from_secs(1);

struct Worker {
    app: App,
    sender: Sender,
    paces: Arc<Paces>,
    /// Tells this process's leases from those of others.
    holder: String,
    results: mpsc::Sender<Made>,
    /// Something ended: there is room again.
    freed: Notify,
    /// Attempts under way that must end now, unfinished.
    abandon: CancellationToken,
    tasks: TaskTracker,
}

/// Delivers until the app stops, then finishes and records what is under way.
///
/// # Errors
/// When the recorder died.
pub async fn run(app: App, sender: Sender) -> anyhow::Result<()> {
    let (results, recorder) = mpsc::channel(UNRECORDED);
    let settings = Arc::clone(&app.settings);
    let paces = Paces::new(settings.endpoint_concurrency, settings.delivery_concurrency, settings.probe_interval);
    let paces = Arc::new(paces);
    let recording = ending::supervised(&app.stop, record::run(app.clone(), recorder, Arc::clone(&paces)));
    let worker = Arc::new(Worker {
        sender,
        paces,
        holder: common::key::random_hex(8),
        results,
        freed: Notify::new(),
        abandon: CancellationToken::new(),
        tasks: TaskTracker::new(),
        app,
    });
    worker.claim_until_stopped().await;
    worker.finish().await;
    let (store, holder) = (worker.app.store.clone(), worker.holder.clone());
    drop(worker);
    recording.await.context("the recorder ended badly")?;
    if let Err(error) = store.release(&holder, now_ms()).await {
        tracing::warn!(%error, "cannot give leases back; they end by themselves");
    }
    Ok(())
}

impl Worker {
    async fn claim_until_stopped(self: &Arc<Self>) {
        let mut cursor = String::new();
        let mut claimed_at = Instant::now();
        while !self.app.stop.is_cancelled() {
            let Some(round) = self.app.stop.run_until_cancelled(self.round(&mut cursor)).await else { break };
            let (pause, starved) = match round {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "cannot claim deliveries");
                    (WAIT_AFTER_ERROR, false)
                }
            };
            tokio::select! {
                () = self.app.stop.cancelled() => break,
                () = self.app.work.notified() => {}
                () = self.freed.notified(), if starved => {}
                () = sleep(pause) => {}
            }
            sleep(GATHER.saturating_sub(claimed_at.elapsed())).await;
            claimed_at = Instant::now();
        }
    }

    /// Claims once; gives how long to wait if nothing wakes us, and whether room was missing.
    async fn round(self: &Arc<Self>, cursor: &mut String) -> store::Result<(Duration, bool)> {
        let (read_at, now_ms) = (Instant::now(), now_ms());
        let agenda = self.app.store.agenda(cursor, AGENDA).await?;
        let full = agenda.len() >= usize::try_from(AGENDA).unwrap_or(usize::MAX);
        *cursor = agenda.last().filter(|_| full).map(|last| last.id.clone()).unwrap_or_default();
        self.probe(&agenda);
        let plan = self.paces.plan(&agenda, now_ms);
        if plan.wanted.is_empty() {
            return Ok((pause(&plan, full, now_ms), plan.starved));
        }
        self.claim((agenda, read_at), &plan, now_ms).await?;
        // What was claimed is gone from the agenda; whether more is due only the next look shows.
        Ok((GATHER, true))
    }

    async fn claim(
        self: &Arc<Self>,
        (agenda, read_at): (Vec<Waiting>, Instant),
        plan: &Plan,
        now_ms: i64,
    ) -> store::Result<()> {
        let lease = self.app.settings.delivery_timeout + LEASE_MARGIN;
        let lease = Lease { holder: &self.holder, now_ms, until_ms: now_ms + ms(lease) };
        let mut claimed = self.app.store.claim(lease, &plan.wanted).await?;
        claimed.sort_by(|left, right| left.id.cmp(&right.id));
        let endpoints: HashMap<String, Arc<Waiting>> =
            agenda.into_iter().map(|endpoint| (endpoint.id.clone(), endpoint.into())).collect();
        for delivery in claimed {
            let Some(endpoint) = endpoints.get(&delivery.endpoint_id) else { continue };
            self.paces.begin(&endpoint.id);
            self.tasks.spawn(Arc::clone(self).deliver((Arc::clone(endpoint), read_at), delivery));
        }
        Ok(())
    }

    async fn deliver(self: Arc<Self>, (endpoint, read_at): (Arc<Waiting>, Instant), claimed: Claimed) {
        let (began, at_ms) = (Instant::now(), now_ms());
        let answer = if claimed.cancelled {
            Answer::cancelled()
        } else if endpoint.stopped || self.paces.has_gone_since(&endpoint.id, read_at) {
            Answer::stopped()
        } else {
            tokio::select! {
                answer = self.sender.post(&endpoint.url, &claimed) => answer,
                () = self.abandon.cancelled() => return self.paces.free(&endpoint.id),
            }
        };
        let verdict = self.paces.learn(&endpoint.id, &answer, (began, now_ms()));
        let made = self.made(claimed, answer, verdict, (at_ms, ms(began.elapsed())));
        // The recorder ends after every worker task, so it always takes this. Only then the place is free:
        // what a crash would send again has a bound, however slow the database is.
        let _ = self.results.send(made).await;
        self.paces.free(&endpoint.id);
        self.freed.notify_one();
    }

    fn made(&self, claimed: Claimed, answer: Answer, verdict: Verdict, (at_ms, duration_ms): (i64, i64)) -> Made {
        let free_pause = verdict.free_pause.filter(|_| claimed.busy < FREE_TRIES);
        let (outcome, next_ms) = match (answer.meaning, free_pause) {
            (Meaning::Delivered, _) => (Outcome::Delivered, None),
            (Meaning::Never | Meaning::Gone, _) => (Outcome::Failed, None),
            (_, Some(pause)) => (Outcome::Retrying, Some(self.after_busy(&claimed, pause))),
            (_, None) => self.next_try(&claimed, answer.retry_after),
        };
        Made {
            claimed,
            holder: self.holder.clone(),
            at_ms,
            duration_ms,
            outcome,
            next_ms,
            status: answer.status,
            reason: answer.reason,
            detail: answer.detail,
            response: answer.response,
            endpoint: verdict.change,
            free: free_pause.is_some(),
        }
    }

    /// When a delivery that met a busy endpoint is tried again: after the endpoint's pause, later each time.
    fn after_busy(&self, claimed: &Claimed, pause: Duration) -> i64 {
        let longer = BUSY_STEP * u32::try_from(claimed.busy).unwrap_or_default();
        now_ms() + ms(pause + retry::jittered(longer, self.app.settings.retry_jitter, rand::random()))
    }

    fn next_try(&self, claimed: &Claimed, retry_after: Option<Duration>) -> (Outcome, Option<i64>) {
        let made = usize::try_from(claimed.step).unwrap_or(usize::MAX).saturating_add(1);
        let settings = &self.app.settings;
        let Some(wait) = settings.retry_schedule.wait_after(made) else { return (Outcome::Failed, None) };
        let wait = retry::jittered(wait, settings.retry_jitter, rand::random());
        (Outcome::Retrying, Some(now_ms() + ms(retry::obeying(wait, retry_after))))
    }

    /// Looks whether endpoints that refuse connections listen again, so that a consumer that was away is caught up at once.
    fn probe(self: &Arc<Self>, agenda: &[Waiting]) {
        let now = Instant::now();
        for endpoint in agenda.iter().filter(|endpoint| endpoint.down.is_some() && !endpoint.stopped) {
            if self.paces.time_to_probe(&endpoint.id, now) {
                let (worker, endpoint) = (Arc::clone(self), endpoint.clone());
                self.tasks.spawn(async move {
                    let stopping = worker.app.stop.clone();
                    if stopping.run_until_cancelled(worker.sender.listens(&endpoint.url)).await == Some(true) {
                        worker.is_up(&endpoint.id).await;
                    }
                });
            }
        }
    }

    async fn is_up(&self, endpoint: &str) {
        match self.app.store.endpoint_is_up(endpoint, now_ms()).await {
            Ok(pulled) => {
                tracing::debug!(endpoint.id = endpoint, pulled, "it listens again");
                self.app.work.notify_one();
            }
            Err(error) => tracing::warn!(%error, "cannot pull retries forward"),
        }
    }

    /// Waits for what is under way, and gives up on what does not end in time.
    async fn finish(&self) {
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(
            attempts = self.paces.in_flight(),
            "gave up on receivers that do not answer; their deliveries stay in the queue"
        );
        self.abandon.cancel();
        self.tasks.wait().await;
    }
}

fn pause(plan: &Plan, more: bool, now_ms: i64) -> Duration {
    if more {
        return GATHER;
    }
    let until_due =
        plan.next_ms.map_or(SLOW_POLL, |next_ms| Duration::from_millis(u64::try_from(next_ms - now_ms).unwrap_or(0)));
    until_due.min(SLOW_POLL)
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
