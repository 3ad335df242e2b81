//! The delivery worker: claims what is due with a lease, sends it, records it.

pub mod answer;
pub mod attempt;
mod clock;
pub mod follow;
mod handed;
mod made;
pub mod pace;
pub mod paces;
mod plan;
mod probe;
pub mod record;
pub mod retry;
mod sign;
mod spells;
mod sweep;
pub mod tls;
mod unanswered;
mod webhook;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use common::time::now_ms;
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App, ending,
    store::{
        self,
        endpoints::Waiting,
        made::Made,
        queue::{Claimed, Lease, Wanted},
    },
};
use answer::Answer;
use attempt::Sender;
use paces::Paces;
use retry::Schedule;
use spells::Spells;
use sweep::Sweep;

/// A lease is this much longer than an attempt may take: time to record it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// Claims are at least this far apart, so that each takes several deliveries.
const GATHER: Duration = Duration::from_millis(3);
const WAIT_AFTER_ERROR: Duration = Duration::from_secs(1);
/// What is under way when the end is called for may take this long.
const GRACE: Duration = Duration::from_secs(7);
/// Answers that wait for the recorder; past that, attempts keep their places.
const UNRECORDED: usize = 256;
struct Worker {
    app: App,
    sender: Sender,
    paces: Arc<Paces>,
    spells: Spells,
    /// Tells this process's leases from those of others.
    holder: String,
    lease: Duration,
    /// The old profile's.
    pywebhooks: Schedule,
    results: mpsc::Sender<Made>,
    /// As many as may be sent at once.
    places: Semaphore,
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
        spells: Spells::default(),
        holder: common::key::random_hex(8),
        lease: settings.delivery_timeout.max(webhook::PYWEBHOOKS_TIMEOUT) + LEASE_MARGIN,
        pywebhooks: Schedule::pywebhooks(settings.default_retry),
        results,
        places: Semaphore::new(settings.delivery_concurrency),
        freed: Notify::new(),
        abandon: CancellationToken::new(),
        tasks: TaskTracker::new(),
        app,
    });
    let (handing, handed) = mpsc::unbounded_channel();
    worker.app.hand.set(Box::new(worker.taker(handing)));
    worker.tasks.spawn(Arc::clone(&worker).take_handed(handed));
    worker.tasks.spawn(clock::follow(worker.app.clone(), worker.lease));
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
        let mut sweep = Sweep::default();
        let mut claimed_at = Instant::now();
        while !self.app.stop.is_cancelled() {
            let Some(round) = self.app.stop.run_until_cancelled(self.round(&mut sweep)).await else { break };
            let (pause, starved) = match round {
                Ok(next) => next,
                Err(error) => {
                    self.app.store.db.failed(&error, "cannot claim deliveries");
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

    /// Claims once, then looks at what cannot be reached; gives how long to wait if nothing wakes us, and whether room was missing.
    async fn round(self: &Arc<Self>, sweep: &mut Sweep) -> store::Result<(Duration, bool)> {
        let next = self.look(sweep).await?;
        self.probe(sweep).await?;
        Ok(next)
    }

    async fn look(self: &Arc<Self>, sweep: &mut Sweep) -> store::Result<(Duration, bool)> {
        let now_ms = now_ms();
        let rest = sweep.rest();
        if rest.is_none() && sweep.asks_first() {
            let next_ms = self.app.store.next_due_ms().await?;
            if next_ms.is_none_or(|next_ms| next_ms > now_ms) {
                self.paces.caught_up();
                return Ok((sweep.until(next_ms, now_ms), false));
            }
        }
        let (agenda, read_at) = match rest {
            Some(rest) => rest,
            None => self.read(sweep).await?,
        };
        let plan = self.paces.plan(&agenda, now_ms);
        sweep.looked_at(&plan);
        let (rest, agenda) = agenda.into_iter().partition(|line| plan.left.contains(&line.id));
        sweep.keep(rest, read_at);
        let claimed =
            if plan.wanted.is_empty() { 0 } else { self.claim((agenda, read_at), plan.wanted, now_ms).await? };
        Ok(sweep.next(claimed, now_ms))
    }

    /// The next page of lines that something waits for, and when it was read.
    async fn read(&self, sweep: &mut Sweep) -> store::Result<(Vec<Waiting>, Instant)> {
        let read_at = Instant::now();
        let page = self.app.store.agenda(sweep.after(), sweep::PAGE).await?;
        sweep.turn(&page);
        Ok((page, read_at))
    }

    /// Claims what is wanted, as far as the limits let it, and begins to send it; gives how much that is.
    async fn claim(
        self: &Arc<Self>,
        (agenda, read_at): (Vec<Waiting>, Instant),
        mut wanted: Vec<Wanted>,
        now_ms: i64,
    ) -> store::Result<usize> {
        let endpoints: HashMap<String, Arc<Waiting>> =
            agenda.into_iter().map(|endpoint| (endpoint.id.clone(), endpoint.into())).collect();
        self.reserve(&endpoints, &mut wanted, now_ms).await?;
        if wanted.is_empty() {
            return Ok(0);
        }
        let lease = Lease { holder: &self.holder, now_ms, until_ms: now_ms + ms(self.lease) };
        let mut claimed = self.app.store.claim(lease, &wanted).await?;
        claimed.sort_by(|left, right| left.id.cmp(&right.id));
        let count = claimed.len();
        for (line, share) in plan::shares(claimed, &wanted) {
            let Some(endpoint) = endpoints.get(&line) else { continue };
            self.paces.begin(&endpoint.id);
            self.tasks.spawn(Arc::clone(self).deliver((Arc::clone(endpoint), read_at), share));
        }
        Ok(count)
    }

    /// Reserves the slots of what has limits; what gets none is not wanted now.
    async fn reserve(
        &self,
        endpoints: &HashMap<String, Arc<Waiting>>,
        wanted: &mut Vec<Wanted>,
        now_ms: i64,
    ) -> store::Result<()> {
        for place in (0..wanted.len()).rev() {
            let limits = endpoints.get(&wanted[place].line).map_or(&[][..], |endpoint| &endpoint.limits);
            if !limits.is_empty() && !self.app.store.reserve(limits, wanted[place].limit, now_ms * 1000).await? {
                wanted.remove(place);
            }
        }
        Ok(())
    }

    /// Sends what a place was given, one after the other, while its endpoint stays quick; gives the rest back otherwise.
    async fn deliver(self: Arc<Self>, at: (Arc<Waiting>, Instant), share: Vec<Claimed>) {
        // Only what was handed over may have to wait: what is claimed has its place already.
        let place = timeout(handed::PATIENCE, self.places.acquire()).await;
        let mut share = share.into_iter();
        while place.is_ok()
            && let Some(claimed) = share.next()
        {
            let was_made = self.attempt(&at, claimed).await;
            let goes_on = was_made && !self.app.stop.is_cancelled() && self.paces.goes_on(&at.0.id, now_ms());
            if !goes_on {
                break;
            }
        }
        self.give_back(share.map(|claimed| claimed.id).collect()).await;
        self.paces.free(&at.0.id);
        self.freed.notify_one();
    }

    /// Makes one attempt and hands it to the recorder; `false`: it was abandoned.
    async fn attempt(&self, (endpoint, read_at): &(Arc<Waiting>, Instant), claimed: Claimed) -> bool {
        let (began, at_ms) = (Instant::now(), now_ms());
        let answer = if claimed.cancelled {
            Answer::cancelled()
        } else if endpoint.stopped || self.paces.has_gone_since(&endpoint.id, *read_at) {
            Answer::stopped()
        } else {
            tokio::select! {
                answer = self.sender.post(endpoint, &claimed) => answer,
                () = self.abandon.cancelled() => return false,
            }
        };
        self.spells.learn(endpoint, &answer, Instant::now());
        let verdict = self.paces.learn(&endpoint.id, &answer, (began, now_ms()));
        let made = self.made(claimed, answer, verdict, (at_ms, ms(began.elapsed())));
        // The recorder ends after every worker task, so it always takes this. Only then the place is free:
        // what a crash would send again has a bound, however slow the database is.
        let _ = self.results.send(made).await;
        true
    }

    /// Puts back into the queue what was claimed and is not sent now; if that fails, the leases end by themselves.
    async fn give_back(&self, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        match self.app.store.give_back(&self.holder, &ids, now_ms()).await {
            Ok(()) => self.app.work.notify_one(),
            Err(error) => {
                tracing::warn!(%error, deliveries = ids.len(), "cannot give deliveries back; their leases end by themselves");
            }
        }
    }

    /// Waits for what is under way, and gives up on what does not end in time.
    async fn finish(&self) {
        self.tasks.close();
        if timeout(GRACE, self.tasks.wait()).await.is_ok() {
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

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
