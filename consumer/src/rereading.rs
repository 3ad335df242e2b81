//! Reading the kept events of a source anew, by other rules than those it had: in the background, a little at a time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::db::Db;
use serde::Serialize;
use sqlx::Connection;
use tokio::time;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa::ToSchema;

use crate::{
    event::Shown,
    feed::Feed,
    rules::{
        Rules,
        input::{Input, KeptHeaders},
    },
    store::{
        events,
        rereading::{self, Change, Kept},
    },
};

/// Events of one commit, and the pause after it: appending goes first.
const STEP: i64 = 100;
const PAUSE: Duration = Duration::from_millis(20);
/// Places of the log that are looked through at once for events of the source.
const WINDOW: i64 = 5000;
/// After so long every node reads events by the new rules, and what was on its way into the log is in it.
const SETTLED: Duration = Duration::from_secs(4);

/// How far a reading has come, or came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Outcome {
    /// Events that were looked at.
    pub read: u64,
    /// Those whose priority, title or owner is another now.
    pub changed: u64,
}

/// Where a reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Done,
    /// The service ended, or newer rules came.
    Stopped,
}

/// What is told of a source's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub state: State,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The readings of this node: one a source, the newest.
#[derive(Debug)]
pub struct Rereadings {
    db: Db,
    feed: Arc<Feed>,
    tasks: TaskTracker,
    stop: CancellationToken,
    newest: Mutex<BTreeMap<String, Reading>>,
}

#[derive(Clone, Debug)]
struct Reading {
    progress: Arc<Mutex<Progress>>,
    stop: CancellationToken,
}

impl Rereadings {
    #[must_use]
    pub fn new(db: Db, feed: Arc<Feed>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { db, feed, tasks, stop, newest: Mutex::default() }
    }

    /// Begins in the background, in place of an older reading of the same source; after a failure it goes on trying until it is done.
    pub fn begin(&self, source: &str, rules: Rules) {
        let begun = Progress { state: State::Running, outcome: Outcome::default() };
        let reading = Reading { progress: Arc::new(Mutex::new(begun)), stop: self.stop.child_token() };
        let older = locked(&self.newest).insert(source.to_owned(), reading.clone());
        if let Some(older) = older {
            older.stop.cancel();
        }
        let (db, feed, source) = (self.db.clone(), self.feed.clone(), source.to_owned());
        self.tasks.spawn(async move { keep_trying((&db, &feed), &source, &rules, &reading).await });
    }

    /// Of the newest reading of the source that began on this node; `None`: none did.
    #[must_use]
    pub fn progress(&self, source: &str) -> Option<Progress> {
        locked(&self.newest).get(source).map(|reading| *locked(&reading.progress))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_trying((db, feed): (&Db, &Feed), source: &str, rules: &Rules, reading: &Reading) {
    let told = |outcome| locked(&reading.progress).outcome = outcome;
    let (mut course, mut is_last) = (Course::default(), false);
    while !reading.stop.is_cancelled() {
        match follow((db, feed), source, rules, (&mut course, &told, &reading.stop)).await {
            Ok(()) if is_last => {
                let Outcome { read, changed } = course.outcome;
                tracing::info!(source, read, changed, "read kept events anew");
                break;
            }
            Ok(()) => is_last = true,
            Err(error) => db.failed(&error, "cannot read kept events anew"),
        }
        tokio::select! {
            () = reading.stop.cancelled() => {}
            () = time::sleep(SETTLED) => {}
        }
    }
    let state = if reading.stop.is_cancelled() { State::Stopped } else { State::Done };
    locked(&reading.progress).state = state;
}

/// Reads the kept events of a source anew until it has come to the newest, or until `stop`. What it did stays, whenever it ends, and another
/// run finds nothing left to do there. The feed of this node is told at the end, those of others see it by themselves.
///
/// # Errors
/// When the database fails.
pub async fn run(db: &Db, feed: &Feed, source: &str, rules: &Rules, stop: &CancellationToken) -> sqlx::Result<Outcome> {
    let mut course = Course::default();
    follow((db, feed), source, rules, (&mut course, &|_| {}, stop)).await?;
    Ok(course.outcome)
}

/// How far it has come in the log, and what it did there.
#[derive(Debug, Default)]
struct Course {
    reached: i64,
    outcome: Outcome,
}

type Going<'a> = (&'a mut Course, &'a (dyn Fn(Outcome) + Sync), &'a CancellationToken);

/// Goes on where the course has come to.
async fn follow(
    (db, feed): (&Db, &Feed),
    source: &str,
    rules: &Rules,
    (course, told, stop): Going<'_>,
) -> sqlx::Result<()> {
    let mut connection = db.connect().await?;
    let mut reached = course.reached;
    while let Some(kept) = next(db, source, &mut reached).await?.filter(|_| !stop.is_cancelled()) {
        let changes: Vec<Change> = kept.iter().filter_map(|kept| anew(kept, rules)).collect();
        if !changes.is_empty() {
            let made = rereading::change(&mut connection, db.kind, source, &changes).await?;
            course.outcome.changed += made as u64;
            time::sleep(PAUSE).await;
        }
        course.outcome.read += kept.len() as u64;
        course.reached = reached;
        told(course.outcome);
    }
    feed.nudge();
    connection.close().await?;
    Ok(())
}

/// Events of the source after `reached`, which moves on, and perhaps there are none so near; `None`: there is nothing any more.
async fn next(db: &Db, source: &str, reached: &mut i64) -> sqlx::Result<Option<Vec<Kept>>> {
    let (tail, head) = events::span(db).await?;
    *reached = (tail - 1).max(*reached);
    if *reached >= head {
        return Ok(None);
    }
    let end = head.min(reached.saturating_add(WINDOW));
    let kept = rereading::read(db, source, (*reached, end), STEP).await?;
    let is_full = i64::try_from(kept.len()).is_ok_and(|count| count >= STEP);
    *reached = kept.last().map(|last| last.offset).filter(|_| is_full).unwrap_or(end);
    Ok(Some(kept))
}

/// What the rules make of the event now; `None`: what it is already.
fn anew<'a>(kept: &'a Kept, rules: &Rules) -> Option<Change<'a>> {
    let headers = KeptHeaders::of(&kept.request);
    let reading = rules.read(&Input { body: &kept.body, headers: &|name| headers.get(name) });
    // What a device said first is no alarm; what changed since is one.
    let is_first = kept.shown.snapshot && kept.device == Some(kept.offset);
    let rank = if is_first { reading.rank.calm() } else { reading.rank };
    let shown = Shown { title: reading.title, owner: reading.owner, ..kept.shown.clone() };
    (rank != kept.rank || shown != kept.shown).then_some(Change { kept, rank, shown })
}
