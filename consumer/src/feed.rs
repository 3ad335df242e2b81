//! The newest part of the log in memory, in order and without holes, whichever node committed it.
//!
//! Sockets and pages follow the feed; what is older than its memory they read from the log.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{
    db::Db,
    time::{now_ms, rfc3339},
};
use tokio::{
    sync::{Notify, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use crate::{
    event::{Event, Repeated},
    store::{
        counts::{self, Tally},
        events, rereading,
    },
};

const MAX_EVENTS: usize = 16_384;
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Seconds whose counts are kept for the rate and for live frames.
const SECONDS: i64 = 15;
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(500);
/// Events of one reading of the log.
const PAGE: i64 = 1000;

/// The feed; one a node.
#[derive(Debug)]
pub struct Feed {
    memory: Mutex<Memory>,
    head: watch::Sender<i64>,
    behind: Notify,
}

#[derive(Debug, Default)]
struct Memory {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    head: i64,
    tail: i64,
    totals: BTreeMap<Arc<str>, Tally>,
    seconds: BTreeMap<(i64, Arc<str>), Tally>,
    /// Of what was changed in the log when this was read.
    version: Option<String>,
    repeated: Arc<[Repeated]>,
}

/// What the feed says of itself at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub head: i64,
    pub tail: i64,
    pub at: String,
    pub totals: Tally,
    /// Events a second over the last five whole seconds.
    pub rate: f64,
    /// The last seconds in which something arrived: Unix time and counts.
    pub seconds: Vec<(i64, Tally)>,
    /// Newest first.
    pub events: Vec<Arc<Event>>,
    /// Another one when kept events were changed: what was told of them before is old.
    pub version: Option<String>,
    /// Of the newest events of all sources those that were repeated, as often as they were of late.
    pub repeated: Arc<[Repeated]>,
}

/// What follows an offset.
pub enum Next {
    Events(Vec<Arc<Event>>),
    /// The memory begins only at this offset: read the log.
    Older(i64),
}

impl Feed {
    /// Begins where the log stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(db: &Db) -> sqlx::Result<Arc<Self>> {
        let memory = Memory::load(db).await?;
        let head = watch::Sender::new(memory.head);
        Ok(Arc::new(Self { memory: Mutex::new(memory), head, behind: Notify::new() }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes committed events, in order; those it has are passed over, and a hole before them is filled from the log soon.
    pub fn offer(&self, events: &[Arc<Event>]) {
        let mut memory = self.memory();
        for event in events {
            if event.offset > memory.head + 1 {
                self.behind.notify_one();
                break;
            }
            memory.push(event);
        }
        self.tell(&memory);
    }

    /// Under the memory's lock, so that the head that is told never goes back.
    fn tell(&self, memory: &Memory) {
        self.head.send_if_modified(|known| {
            let moved = memory.head > *known;
            *known = memory.head.max(*known);
            moved
        });
    }

    /// Says that news may have been missed.
    pub fn nudge(&self) {
        self.behind.notify_one();
    }

    /// Keeps the feed whole until `stop`: reads the log when a hole is seen, and every `poll`, for a head that moved without news.
    pub async fn keep_whole(&self, db: &Db, poll: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.behind.notified() => {}
                () = time::sleep(poll) => {}
            }
            let caught_up = tokio::select! {
                () = stop.cancelled() => return,
                caught_up = self.catch_up(db) => caught_up,
            };
            if let Err(error) = caught_up {
                db.failed(&error, "cannot read the log");
                time::sleep(WAIT_AFTER_ERROR).await;
            }
        }
    }

    async fn catch_up(&self, db: &Db) -> sqlx::Result<()> {
        if rereading::version(db).await? != self.memory().version {
            self.begin_anew(db).await?;
        }
        loop {
            let reached = self.head();
            let events = events::since(db, reached, PAGE).await?;
            let first = match events.first() {
                Some(first) => first.offset,
                None => events::span(db).await?.0,
            };
            if first > reached + 1 {
                self.begin_anew(db).await?;
                if self.head() == reached {
                    return Ok(());
                }
            } else if events.is_empty() {
                return Ok(());
            }
            self.offer(&events.into_iter().map(Arc::new).collect::<Vec<_>>());
        }
    }

    /// Reads the memory again: what follows it was forgotten before it was read, so that nobody can tell it any more, or what it holds is no
    /// longer what the log says. What came in meanwhile stays.
    async fn begin_anew(&self, db: &Db) -> sqlx::Result<()> {
        let mut fresh = Memory::load(db).await?;
        let mut memory = self.memory();
        memory.events.iter().for_each(|event| fresh.push(event));
        fresh.tail = fresh.tail.max(memory.tail);
        fresh.repeated = memory.repeated.clone();
        // More came in than is in memory: the next look will be quicker.
        if fresh.head >= memory.head {
            *memory = fresh;
        }
        self.tell(&memory);
        Ok(())
    }

    /// Tells of each move of the head.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// The offset of the newest event.
    #[must_use]
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// Says that everything before `tail` is no longer kept.
    pub fn set_tail(&self, tail: i64) {
        self.memory().tail = tail;
    }

    /// Says which of the newest events were repeated, and how often.
    pub fn set_repeated(&self, repeated: Vec<Repeated>) {
        self.memory().repeated = repeated.into();
    }

    /// Whether everything after the offset is still kept, and the offset is one of this log.
    #[must_use]
    pub fn reaches_back_to(&self, offset: i64) -> bool {
        let memory = self.memory();
        offset.saturating_add(1) >= memory.tail && offset <= memory.head
    }

    /// At most `limit` events after the offset; none when there is nothing newer.
    #[must_use]
    pub fn after(&self, offset: i64, limit: usize) -> Next {
        let memory = self.memory();
        if offset >= memory.head {
            return Next::Events(Vec::new());
        }
        let first = memory.events.front().map_or(memory.head + 1, |event| event.offset);
        let Ok(skip) = usize::try_from(offset.saturating_add(1) - first) else { return Next::Older(first) };
        Next::Events(memory.events.range(skip..).take(limit).cloned().collect())
    }

    /// What a page is told: totals and rate, of one source or of all, and the newest events after `since`, at most `limit`.
    #[must_use]
    pub fn snapshot(&self, source: Option<&str>, since: i64, limit: usize) -> Snapshot {
        let memory = self.memory();
        let is_asked = |name: &str| source.is_none_or(|asked| asked == name);
        let newest = memory.events.iter().rev().take_while(|event| event.offset > since);
        let events = newest.filter(|event| is_asked(&event.source)).take(limit).cloned().collect();
        let mut seconds = BTreeMap::<i64, Tally>::new();
        for ((second, name), tally) in &memory.seconds {
            if is_asked(name) {
                add(seconds.entry(*second).or_default(), tally);
            }
        }
        let now_s = now_ms() / 1000;
        let recent: i64 = seconds.range(now_s - 5..now_s).flat_map(|(_, tally)| tally).sum();
        let mut totals = Tally::default();
        memory.totals.iter().filter(|(name, _)| is_asked(name)).for_each(|(_, tally)| add(&mut totals, tally));
        #[expect(clippy::cast_precision_loss, reason = "a rate to one decimal")]
        let rate = recent as f64 / 5.0;
        let seconds = seconds.into_iter().collect();
        let (head, tail) = (memory.head, memory.tail);
        let (version, repeated) = (memory.version.clone(), memory.repeated.clone());
        Snapshot { head, tail, at: rfc3339(now_ms()), totals, rate, seconds, events, version, repeated }
    }
}

impl Memory {
    async fn load(db: &Db) -> sqlx::Result<Self> {
        // Asked first: what changes from now on is seen at the next look.
        let version = rereading::version(db).await?;
        let (totals, seconds) = counts::state(db, now_ms() / 1000 - SECONDS).await?;
        let head = totals.values().flatten().sum();
        let tail = events::span(db).await?.0.min(head + 1);
        let newest = events::Search { before: head + 1, newest_first: true, limit: PAGE, ..events::Search::default() };
        let mut events: VecDeque<_> = events::find(db, &newest).await?.into_iter().map(Arc::new).collect();
        events.make_contiguous().reverse();
        let bytes = events.iter().map(|event| event.size()).sum();
        Ok(Self { events, bytes, head, tail, totals, seconds, version, ..Self::default() })
    }

    /// Takes the event if it is the next one.
    fn push(&mut self, event: &Arc<Event>) {
        if event.offset != self.head + 1 {
            return;
        }
        self.head = event.offset;
        self.bytes += event.size();
        self.events.push_back(event.clone());
        self.totals.entry(event.source.clone()).or_default()[event.rank.index()] += 1;
        let second = event.received_ms / 1000;
        self.seconds.entry((second, event.source.clone())).or_default()[event.rank.index()] += 1;
        self.forget(second);
    }

    fn forget(&mut self, now_s: i64) {
        while self.events.len() > MAX_EVENTS || (self.bytes > MAX_BYTES && self.events.len() > 1) {
            self.bytes -= self.events.pop_front().map_or(0, |event| event.size());
        }
        while self.seconds.first_key_value().is_some_and(|((second, _), _)| *second < now_s - SECONDS) {
            self.seconds.pop_first();
        }
        // Of a clock that was set back since.
        while self.seconds.last_key_value().is_some_and(|((second, _), _)| *second > now_s + SECONDS) {
            self.seconds.pop_last();
        }
    }
}

fn add(sum: &mut Tally, more: &Tally) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}
