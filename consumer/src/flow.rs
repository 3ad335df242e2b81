//! The way of the log's events into one socket, at the pace of that socket.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socketioxide::{SendError, SocketError, extract::SocketRef};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{App, event::Event, feed::Next};

/// Events sent without a pause in between, which the socket writes together.
const CHUNK: u16 = 128;
/// How long to leave a socket alone whose buffer is full; longer each time.
const SHORT_PAUSE: Duration = Duration::from_millis(2);
const LONG_PAUSE: Duration = Duration::from_millis(128);
const WAIT_AFTER_ERROR: Duration = Duration::from_secs(1);
/// Sources that one socket follows by name.
const MAX_SOURCES: usize = 32;

/// What a socket wants to hear.
#[derive(Clone, Debug)]
pub enum Room {
    All,
    Sources(HashSet<String>),
}

impl Room {
    #[must_use]
    pub fn new(source: Option<String>) -> Self {
        source.map_or(Self::All, |source| Self::Sources(HashSet::from([source])))
    }

    /// Adds a source, or all; false when there are too many.
    pub fn widen(&mut self, source: Option<String>) -> bool {
        match (self, source) {
            (Self::All, _) => true,
            (Self::Sources(sources), Some(source)) => {
                let fits = sources.len() < MAX_SOURCES || sources.contains(&source);
                if fits {
                    sources.insert(source);
                }
                fits
            }
            (room, None) => {
                *room = Self::All;
                true
            }
        }
    }

    fn has(&self, source: &str) -> bool {
        match self {
            Self::All => true,
            Self::Sources(sources) => sources.contains(source),
        }
    }

    /// The one source, if it is only one.
    fn only(&self) -> Option<String> {
        match self {
            Self::Sources(sources) if sources.len() == 1 => sources.iter().next().cloned(),
            _ => None,
        }
    }
}

/// A room that may still be widened while events flow.
pub type SharedRoom = Arc<Mutex<Option<Room>>>;

/// The way into one socket.
pub struct Flow {
    pub socket: SocketRef,
    pub room: SharedRoom,
    /// The last offset that was sent or passed over.
    pub cursor: i64,
    /// Whether the client asked for offsets.
    pub with_offset: bool,
}

impl Flow {
    /// Sends what follows the cursor, and then what comes, until the socket is gone.
    pub async fn run(mut self, app: App, gone: CancellationToken) {
        gone.run_until_cancelled(self.follow(&app)).await;
    }

    async fn follow(&mut self, app: &App) {
        let mut head = app.feed.watch();
        loop {
            head.mark_unchanged();
            let room = self.room.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(Room::All);
            match self.next(app, &room).await {
                Err(error) => {
                    app.db.failed(&error, "a socket waits for the log");
                    time::sleep(WAIT_AFTER_ERROR).await;
                }
                Ok(Some(events)) => {
                    if !self.send(&events, &room).await {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
                Ok(None) => {
                    if head.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// What follows the cursor; `None`: nothing yet.
    async fn next(&mut self, app: &App, room: &Room) -> sqlx::Result<Option<Vec<Arc<Event>>>> {
        let first = match app.feed.after(self.cursor, CHUNK.into()) {
            Next::Events(events) => return Ok(Some(events).filter(|events| !events.is_empty())),
            Next::Older(first) => first,
        };
        // In a place of its own: a thousand sockets wait for news, and few for the log.
        let older = Box::pin(app.catching_up.after(&app.db, self.cursor, first, room.only()));
        let (events, told) = older.await?;
        if events.is_empty() {
            self.cursor = told;
        }
        Ok(Some(events))
    }

    /// False when the socket is gone.
    async fn send(&mut self, events: &[Arc<Event>], room: &Room) -> bool {
        for event in events {
            if room.has(&event.source) && !self.emit(event).await {
                return false;
            }
            self.cursor = event.offset;
        }
        true
    }

    /// Waits as long as the socket's buffer is full; false when the socket is gone.
    async fn emit(&self, event: &Event) -> bool {
        let mut pause = SHORT_PAUSE;
        loop {
            let sent = if self.with_offset {
                self.socket.emit("msg", &(event.quoted(), event.offset))
            } else {
                self.socket.emit("msg", event.quoted())
            };
            match sent {
                Ok(()) => return true,
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {}
                Err(error) => {
                    tracing::debug!(%error, "socket gone");
                    return false;
                }
            }
            time::sleep(pause).await;
            pause = (pause * 2).min(LONG_PAUSE);
        }
    }
}
