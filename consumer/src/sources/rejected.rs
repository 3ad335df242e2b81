//! Keeps what was not let in, without letting a flood of it write to the disk each time: a few a second of each source, and the number of the rest.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::db::Db;
use tokio::{
    sync::{Notify, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use crate::store::rejected::{self, Rejected, Total};

/// Between two commits.
const INTERVAL: Duration = Duration::from_secs(1);
/// Kept in one commit of one source, and of all.
const MAX_OF_ONE: i64 = 10;
const MAX_OF_ALL: usize = 100;

/// What is to be kept with the next commit.
#[derive(Debug, Default)]
pub struct Recorder {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    committed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    kept: Vec<Rejected>,
    /// Of each source: how many there were, and how many of them are kept.
    tally: BTreeMap<String, (Total, i64)>,
}

impl Recorder {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request of this source that was not let in; `describe` is only asked when it is to be kept.
    pub fn record(&self, source: &str, at_ms: i64, describe: impl FnOnce() -> Rejected) {
        let mut waiting = self.waiting();
        let has_room = waiting.kept.len() < MAX_OF_ALL;
        if !waiting.tally.contains_key(source) {
            waiting.tally.insert(source.to_owned(), Default::default());
        }
        let Some((total, kept)) = waiting.tally.get_mut(source) else { return };
        total.total += 1;
        total.last_ms = at_ms;
        if has_room && *kept < MAX_OF_ONE {
            *kept += 1;
            waiting.kept.push(describe());
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// What waits, each source's newest with the number of those that are not kept.
    fn take(&self) -> (Vec<Rejected>, BTreeMap<String, Total>) {
        let Waiting { mut kept, tally } = std::mem::take(&mut *self.waiting());
        for (source, (total, of_it)) in &tally {
            if let Some(last) = kept.iter_mut().rfind(|rejected| rejected.source == *source) {
                last.more = total.total - of_it;
            }
        }
        (kept, tally.into_iter().map(|(source, (total, _))| (source, total)).collect())
    }

    /// Commits what waits until `stop`, and then what is left.
    pub async fn run(&self, db: &Db, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.arrived.notified() => {}
            }
            self.commit(db).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = time::sleep(INTERVAL) => {}
            }
        }
        self.commit(db).await;
    }

    /// Tells of each commit on this node.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    async fn commit(&self, db: &Db) {
        let (kept, totals) = self.take();
        if totals.is_empty() {
            return;
        }
        if let Err(error) = rejected::add(db, kept, &totals).await {
            db.failed(&error, "cannot keep what was not let in");
        }
        self.committed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(source: &str) -> Rejected {
        Rejected {
            source: source.into(),
            at_ms: 7,
            status: 401,
            kind: "missing".into(),
            reason: String::new(),
            request: "{}".into(),
            body: String::new(),
            size: 0,
            more: 0,
        }
    }

    #[test]
    fn of_a_flood_a_few_are_kept_and_the_rest_is_counted() {
        let recorder = Recorder::default();
        let mut described = 0;
        for at_ms in 0..5000 {
            recorder.record("loud", at_ms, || {
                described += 1;
                rejected("loud")
            });
        }
        recorder.record("quiet", 1, || rejected("quiet"));
        let (kept, totals) = recorder.take();
        assert_eq!((described, kept.len()), (10, 11));
        assert_eq!(kept.iter().map(|row| row.more).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 4990, 0]);
        assert_eq!(totals["loud"], Total { total: 5000, last_ms: 4999 });
        assert!(recorder.take().1.is_empty());
    }

    #[test]
    fn many_sources_share_the_room_and_are_all_counted() {
        let recorder = Recorder::default();
        for at in 0..300 {
            let name = at.to_string();
            recorder.record(&name, 0, || rejected(&name));
        }
        let (kept, totals) = recorder.take();
        assert_eq!((kept.len(), totals.len()), (100, 300));
    }
}
