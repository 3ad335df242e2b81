//! What a page, a script or the command line is told while its batch is delivered, and how it is woken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use common::{
    task::{Priority, Task},
    time::rfc3339,
};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::store::{attempts::Entry, batches};

/// A batch and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Batch {
    pub id: String,
    pub created_at: String,
    pub ended_at: Option<String>,
    pub total: i64,
    pub delivered: i64,
    /// Dead letters: nothing tries them again by itself.
    pub failed: i64,
    /// Part of `pending`: attempted at least once, and will be tried again.
    pub retrying: i64,
    pub cancelled: i64,
    /// Neither delivered nor failed nor cancelled yet.
    pub pending: i64,
    /// `running`, `done` or `cancelled`.
    pub state: &'static str,
    /// `tasks` that were made up, or readings of `hardware`.
    pub source: String,
    pub seed: u64,
    pub wait_ms: i64,
    pub to: String,
    /// Delivered a second, over the batch's life so far.
    pub rate: f64,
    /// Seconds until the rest is delivered at this pace; `null` when nothing tells.
    pub eta_s: Option<i64>,
    /// The last position in the event log.
    pub seq: i64,
}

impl Batch {
    pub fn of(stored: &batches::Batch, now_ms: i64) -> Self {
        let pending = stored.total - stored.delivered - stored.failed - stored.cancelled;
        let rate = rate(stored, now_ms);
        Self {
            id: stored.id.clone(),
            created_at: rfc3339(stored.created_ms),
            ended_at: stored.ended_ms.map(rfc3339),
            total: stored.total,
            delivered: stored.delivered,
            failed: stored.failed,
            retrying: stored.retrying,
            cancelled: stored.cancelled,
            pending,
            state: state(stored),
            source: stored.source.clone(),
            seed: stored.seed,
            wait_ms: stored.wait_ms,
            to: stored.url.clone(),
            rate,
            eta_s: if stored.ended_ms.is_none() { eta_s(stored, pending, rate, now_ms) } else { None },
            seq: stored.seq,
        }
    }

    pub fn ended(&self) -> bool {
        self.ended_at.is_some()
    }
}

fn state(stored: &batches::Batch) -> &'static str {
    match (stored.cancelled_ms, stored.ended_ms) {
        (Some(_), _) => "cancelled",
        (None, Some(_)) => "done",
        (None, None) => "running",
    }
}

/// Rounded to a tenth: it is for reading.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds are far below 2^52")]
fn rate(stored: &batches::Batch, now_ms: i64) -> f64 {
    let elapsed_ms = (stored.ended_ms.unwrap_or(now_ms) - stored.created_ms).max(1);
    let rate = stored.delivered as f64 * 1000.0 / elapsed_ms as f64;
    (rate * 10.0).round() / 10.0
}

/// What was not attempted yet comes at the pace of the batch, or at the rate so far when there is none or it is late; when a retry comes is not known here.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "seconds until an end are far below 2^52"
)]
fn eta_s(stored: &batches::Batch, pending: i64, rate: f64, now_ms: i64) -> Option<i64> {
    if pending == stored.retrying {
        return None;
    }
    if stored.wait_ms > 0 {
        let last_due_ms = stored.created_ms.saturating_add((stored.total - 1).saturating_mul(stored.wait_ms));
        if last_due_ms > now_ms {
            return Some((last_due_ms - now_ms) / 1000 + 1);
        }
    }
    (rate > 0.0).then(|| ((pending - stored.retrying) as f64 / rate).ceil() as i64)
}

/// One attempt of a batch as its page shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Line {
    /// Place in the batch's event log: 1, 2, 3 …
    pub seq: i64,
    /// Place of the task in the batch, from 1.
    pub n: i64,
    pub total: i64,
    /// `delivered`, `retrying` or `failed`.
    pub outcome: String,
    /// HTTP status; `null` when there was no answer.
    pub status: Option<i64>,
    /// One word for programs: `refused`, `timeout`, `dns`, `status` …
    pub reason: Option<String>,
    /// What happened and what to do, in words.
    pub text: Option<String>,
    pub duration_ms: i64,
    pub owner: String,
    pub priority: Option<Priority>,
    pub attempt: i64,
    pub attempts_max: usize,
    /// When it is tried again.
    pub next_at: Option<String>,
    pub delivery: String,
    pub at: String,
}

impl Line {
    pub fn of(entry: Entry, total: i64, attempts_max: usize) -> Self {
        let task: Option<Task> = serde_json::from_str(&entry.body).ok();
        Self {
            seq: entry.seq,
            n: entry.position,
            total,
            outcome: entry.outcome,
            status: entry.status,
            reason: entry.reason,
            text: entry.detail,
            duration_ms: entry.duration_ms,
            priority: task.as_ref().map(|task| task.priority),
            owner: task.map(|task| task.owner).unwrap_or_default(),
            attempt: entry.step,
            attempts_max,
            next_at: entry.next_ms.map(rfc3339),
            delivery: entry.delivery_id,
            at: rfc3339(entry.at_ms),
        }
    }
}

/// Whoever follows this is woken by every account.
pub const EVERY_ACCOUNT: &str = "accounts";

/// Wakes whoever follows a batch, a delivery or an account in this process. It carries no news itself: the woken one reads the store.
#[derive(Clone, Default)]
pub struct Wake {
    followers: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

impl Wake {
    /// A receiver that changes each time the batch moved.
    pub fn follow(&self, batch: &str) -> watch::Receiver<()> {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|_, sender| sender.receiver_count() > 0);
        followers.entry(batch.to_owned()).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    pub fn moved(&self, batch: &str) {
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let every = batch.starts_with("account:").then_some(EVERY_ACCOUNT);
        for sender in [Some(batch), every].into_iter().flatten().filter_map(|name| followers.get(name)) {
            sender.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> batches::Batch {
        batches::Batch {
            id: "b".into(),
            created_ms: 0,
            ended_ms: None,
            cancelled_ms: None,
            url: "http://localhost:5001/consumetasks".into(),
            source: "tasks".into(),
            seed: 0,
            wait_ms: 0,
            total: 100,
            delivered: 40,
            failed: 1,
            retrying: 9,
            cancelled: 0,
            seq: 50,
        }
    }

    #[test]
    fn rate_and_time_left_come_from_what_was_delivered() {
        let batch = Batch::of(&stored(), 4000);
        assert_eq!((batch.pending, batch.eta_s, batch.state), (59, Some(5), "running"));
        assert!((batch.rate - 10.0).abs() < 0.01);
    }

    #[test]
    fn a_paced_batch_takes_as_long_as_its_pace_says_and_retries_have_no_known_end() {
        let paced = batches::Batch { wait_ms: 1000, ..stored() };
        assert_eq!(Batch::of(&paced, 49_500).eta_s, Some(50));
        assert_eq!(Batch::of(&paced, 100_000).eta_s, Some(125), "late: 50 at 0.4 a second");
        let waiting = batches::Batch { retrying: 59, ..stored() };
        assert_eq!(Batch::of(&waiting, 4000).eta_s, None);
    }

    #[tokio::test]
    async fn a_follower_is_woken_by_its_own_batch_only() {
        let wake = Wake::default();
        let mut follower = wake.follow("a");
        wake.moved("b");
        assert!(!follower.has_changed().unwrap());
        wake.moved("a");
        follower.changed().await.unwrap();
        let mut admin = wake.follow(EVERY_ACCOUNT);
        wake.moved("account:1");
        admin.changed().await.unwrap();
    }
}
