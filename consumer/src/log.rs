//! The one writer of the log: gathers what is waiting and commits it together; when that is durable, it is published and its senders are answered.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use common::db::Db;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{bus::Bus, devices::Placed, event::NewEvent, feed::Feed, metrics::Metrics, store::append::Appender};

/// Bytes that may wait for their commit.
const MAX_WAITING_KIB: usize = 64 * 1024;
/// Events of one commit; one request is never divided.
const MAX_COMMIT: usize = 2000;
/// Commits that wait until they are durable, beside those that are being flushed.
const MAX_UNTOLD: usize = 1;

/// A commit that takes longer has failed: its senders wait no longer than this.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(20);
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Why events were not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too much is waiting: nothing is stored, come again.
    Full,
    /// The database failed, or did not say in time what became of the commit: come again; only an id tells whether it was stored.
    Failed,
    /// The service is ending.
    Closed,
}

/// The way into the log.
#[derive(Clone, Debug)]
pub struct Log {
    queue: mpsc::Sender<Append>,
    room: Arc<Semaphore>,
    firing: Arc<Notify>,
}

#[derive(Debug)]
struct Append {
    events: Vec<NewEvent>,
    answer: oneshot::Sender<Result<(), Refused>>,
    room: OwnedSemaphorePermit,
}

/// Commits.
pub struct Writer {
    queue: mpsc::Receiver<Append>,
    db: Db,
    appender: Appender,
    committed: mpsc::Sender<Committed>,
}

/// Tells of commits when they are durable.
pub struct Teller {
    committed: mpsc::Receiver<Committed>,
    db: Db,
    feed: Arc<Feed>,
    bus: Bus,
    metrics: Arc<Metrics>,
    firing: Arc<Notify>,
}

struct Committed {
    placed: Placed,
    senders: Vec<Sender>,
    begun: Instant,
}

/// Who waits for an answer, with its room in the queue.
type Sender = (oneshot::Sender<Result<(), Refused>>, OwnedSemaphorePermit);

impl Log {
    /// A log, its writer and its teller; `queue` requests may wait.
    #[must_use]
    pub fn new(queue: usize, db: Db, feed: Arc<Feed>, bus: Bus, metrics: Arc<Metrics>) -> (Self, Writer, Teller) {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let (committed, telling) = mpsc::channel(MAX_UNTOLD);
        let firing = Arc::new(Notify::new());
        let log = Self { queue: sender, room: Arc::new(Semaphore::new(MAX_WAITING_KIB)), firing: firing.clone() };
        let writer = Writer { queue: receiver, db: db.clone(), appender: Appender::new(db.clone()), committed };
        (log, writer, Teller { committed: telling, db, feed, bus, metrics, firing })
    }

    /// Appends the events of one request, all or none, and waits for the commit.
    ///
    /// # Errors
    /// Says why it is not known to be stored.
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<(), Refused> {
        let bytes: usize = events.iter().map(|event| event.body.len() + event.request.len()).sum();
        let room = u32::try_from(bytes / 1024 + 1).map_err(|_| Refused::Full)?;
        let room = self.room.clone().try_acquire_many_owned(room).map_err(|_| Refused::Full)?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Append { events, answer, room }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Closed,
        })?;
        answered.await.unwrap_or(Err(Refused::Closed))
    }

    /// Waits until rules have fired something with an event that was committed here.
    pub async fn fired(&self) {
        self.firing.notified().await;
    }
}

impl Writer {
    /// Writes until `closing`; what was queued by then is still committed.
    pub async fn run(mut self, closing: CancellationToken) {
        let mut waiting = VecDeque::new();
        while !waiting.is_empty() || self.arrival(&mut waiting, &closing).await {
            self.take_what_is_coming(&mut waiting).await;
            self.commit(gather(&mut waiting)).await;
        }
    }

    /// Waits for the next request; false when none will come.
    async fn arrival(&mut self, waiting: &mut VecDeque<Append>, closing: &CancellationToken) -> bool {
        let first = tokio::select! {
            first = self.queue.recv() => first,
            () = closing.cancelled() => {
                self.queue.close();
                self.queue.recv().await
            }
        };
        first.map(|first| waiting.push_back(first)).is_some()
    }

    /// Lets those who are about to hand in theirs do it first: a larger commit costs hardly more than a small one.
    async fn take_what_is_coming(&mut self, waiting: &mut VecDeque<Append>) {
        let mut before = 0;
        while waiting.len() > before && waiting.len() < MAX_COMMIT {
            before = waiting.len();
            tokio::task::yield_now().await;
            while let Ok(request) = self.queue.try_recv() {
                waiting.push_back(request);
            }
        }
    }

    async fn commit(&mut self, requests: Vec<Append>) {
        let begun = Instant::now();
        let mut events = Vec::with_capacity(requests.len());
        let mut senders = Vec::with_capacity(requests.len());
        for request in requests {
            events.push(request.events);
            senders.push((request.answer, request.room));
        }
        let appended = time::timeout(COMMIT_TIMEOUT, self.appender.append(events)).await;
        match appended.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into()))) {
            // Nobody listens any more only when the teller failed, and then the service ends.
            Ok(placed) => drop(self.committed.send(Committed { placed, senders, begun }).await),
            Err(error) => {
                self.db.failed(&error, "cannot commit; the senders are told to come again");
                time::sleep(WAIT_AFTER_ERROR).await;
                answer(senders, Err(Refused::Failed));
            }
        }
    }
}

impl Teller {
    /// Tells of what is committed, in order, until the writer has ended.
    pub async fn run(mut self) {
        let mut some = Vec::with_capacity(MAX_UNTOLD);
        while self.committed.recv_many(&mut some, MAX_UNTOLD).await > 0 {
            let flushed = time::timeout(COMMIT_TIMEOUT, self.db.durable.flush()).await;
            if let Err(error) = flushed.unwrap_or_else(|elapsed| Err(elapsed.into())) {
                self.db.failed(
                    &sqlx::Error::Io(error),
                    "cannot flush the log to the disk; the senders are told to come again",
                );
                some.drain(..).for_each(|committed| answer(committed.senders, Err(Refused::Failed)));
                // They are in the log all the same.
                self.feed.nudge();
                continue;
            }
            for committed in some.drain(..) {
                self.publish(&committed);
                answer(committed.senders, Ok(()));
            }
        }
    }

    fn publish(&self, Committed { placed, begun, .. }: &Committed) {
        self.metrics.committed(&placed.events, begun.elapsed());
        self.db.wrote(placed.events.iter().map(|event| event.stored_bytes()).sum());
        self.feed.offer(&placed.events);
        self.bus.publish(&placed.events);
        if !placed.firings.is_empty() {
            self.firing.notify_one();
        }
    }
}

fn answer(senders: Vec<Sender>, outcome: Result<(), Refused>) {
    for (sender, _) in senders {
        // A sender that has gone away is no failure: its events are stored, and a repeat is known by its id.
        let _ = sender.send(outcome);
    }
}

/// Whole requests from the front, up to [`MAX_COMMIT`] events.
///
/// The number of events is a round one where it can be: each number is a statement of its own to prepare. Who stays behind is in the next commit.
fn gather(waiting: &mut VecDeque<Append>) -> Vec<Append> {
    let (mut events, mut round, mut all) = (0, 0, 0);
    for (place, request) in waiting.iter().enumerate() {
        events += request.events.len();
        if events > MAX_COMMIT && all > 0 {
            break;
        }
        all = place + 1;
        if is_round(events) {
            round = all;
        }
    }
    let taken = if round * 2 >= all { round } else { all };
    waiting.drain(..taken).collect()
}

/// 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
const fn is_round(number: usize) -> bool {
    number.is_power_of_two() || (number.is_multiple_of(3) && (number / 3).is_power_of_two())
}
