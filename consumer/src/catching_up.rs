//! The log for sockets that are behind the feed's memory: what one has just read serves all that come after it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::db::Db;
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    event::Event,
    store::events::{self, Search},
};

/// Offsets of one piece.
const PIECE: u8 = 128;
/// Who reads the log at a time, so that a crowd that comes back leaves the pages their share.
const TURNS: usize = 2;
const MAX_PIECES: usize = 64;
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What the log no longer keeps is not told much longer.
const FRESH: Duration = Duration::from_secs(10);

/// Pieces of the log that were read of late, and turns for reading others.
#[derive(Debug)]
pub struct CatchingUp {
    turns: Semaphore,
    pieces: Mutex<VecDeque<Piece>>,
}

/// The events of offsets `PIECE * number + 1` to `PIECE * (number + 1)` that are kept.
#[derive(Clone, Debug)]
struct Piece {
    number: i64,
    events: Arc<[Arc<Event>]>,
    bytes: usize,
    read_at: Instant,
}

impl Default for CatchingUp {
    fn default() -> Self {
        Self { turns: Semaphore::new(TURNS), pieces: Mutex::default() }
    }
}

impl CatchingUp {
    /// What of a piece follows the offset, and the last offset that this tells of; `before` is an offset of the feed's memory. Of one source, if it is
    /// said, else of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(
        &self,
        db: &Db,
        offset: i64,
        before: i64,
        source: Option<String>,
    ) -> sqlx::Result<(Vec<Arc<Event>>, i64)> {
        let number = offset / i64::from(PIECE);
        let last = (number + 1) * i64::from(PIECE);
        if source.is_none() && last < before {
            let events = self.piece(db, number).await?;
            let next = events.partition_point(|event| event.offset <= offset);
            return Ok((events[next..].to_vec(), last));
        }
        // Few follow one source, and the piece next to the memory is read by few.
        let _turn = self.turns.acquire().await;
        let events = read(db, Search { since: offset, before, source, ..Search::default() }).await?;
        let is_all = events.len() < usize::from(PIECE);
        let told = events.last().filter(|_| !is_all).map_or(before - 1, |event| event.offset);
        Ok((events, told))
    }

    async fn piece(&self, db: &Db, number: i64) -> sqlx::Result<Arc<[Arc<Event>]>> {
        if let Some(events) = self.known(number) {
            return Ok(events);
        }
        let _turn = self.turns.acquire().await;
        // Somebody may have read it meanwhile.
        if let Some(events) = self.known(number) {
            return Ok(events);
        }
        let since = number * i64::from(PIECE);
        let before = since + i64::from(PIECE) + 1;
        let events = read(db, Search { since, before, ..Search::default() }).await?.into();
        self.keep(number, &events);
        Ok(events)
    }

    fn pieces(&self) -> MutexGuard<'_, VecDeque<Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, number: i64) -> Option<Arc<[Arc<Event>]>> {
        let mut pieces = self.pieces();
        while pieces.front().is_some_and(|piece| piece.read_at.elapsed() > FRESH) {
            pieces.pop_front();
        }
        pieces.iter().rev().find(|piece| piece.number == number).map(|piece| piece.events.clone())
    }

    fn keep(&self, number: i64, events: &Arc<[Arc<Event>]>) {
        let bytes = events.iter().map(|event| event.size()).sum();
        let mut pieces = self.pieces();
        pieces.push_back(Piece { number, events: events.clone(), bytes, read_at: Instant::now() });
        let mut all: usize = pieces.iter().map(|piece| piece.bytes).sum();
        while pieces.len() > MAX_PIECES || all > MAX_BYTES {
            all -= pieces.pop_front().map_or(0, |piece| piece.bytes);
        }
    }
}

async fn read(db: &Db, search: Search) -> sqlx::Result<Vec<Arc<Event>>> {
    let search = Search { limit: PIECE.into(), ..search };
    Ok(events::find(db, &search).await?.into_iter().map(Arc::new).collect())
}
