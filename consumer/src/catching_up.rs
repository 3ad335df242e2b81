//! The log for sockets that are behind the feed's memory: what one has just read serves all that come after it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::db::Db;
use tokio::{
    sync::{OnceCell, Semaphore},
    time::Instant,
};

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

/// The events of offsets `PIECE * number + 1` to `PIECE * (number + 1)` that are kept; empty until who asked first has read them.
#[derive(Debug)]
struct Piece {
    number: i64,
    asked_at: Instant,
    events: Arc<OnceCell<Events>>,
}

type Events = Arc<[Arc<Event>]>;

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
            let whole = Search { since: last - i64::from(PIECE), before: last + 1, ..Search::default() };
            let events = self.piece(number, async || read(db, whole).await).await?;
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

    /// The piece as it was read of late, or as it is read now, once for all who ask meanwhile.
    async fn piece(
        &self,
        number: i64,
        read: impl AsyncFnOnce() -> sqlx::Result<Vec<Arc<Event>>>,
    ) -> sqlx::Result<Events> {
        let events = self.asked(number);
        let reading = async || {
            let _turn = self.turns.acquire().await;
            read().await.map(Events::from)
        };
        events.get_or_try_init(reading).await.cloned()
    }

    fn asked(&self, number: i64) -> Arc<OnceCell<Events>> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        while pieces.front().is_some_and(|piece| piece.asked_at.elapsed() > FRESH) {
            pieces.pop_front();
        }
        if let Some(known) = pieces.iter().rev().find(|piece| piece.number == number) {
            return Arc::clone(&known.events);
        }
        let mut bytes: usize = pieces.iter().map(Piece::bytes).sum();
        while pieces.len() >= MAX_PIECES || bytes > MAX_BYTES {
            bytes -= pieces.pop_front().map_or(0, |piece| piece.bytes());
        }
        let events = Arc::default();
        pieces.push_back(Piece { number, asked_at: Instant::now(), events: Arc::clone(&events) });
        events
    }
}

impl Piece {
    fn bytes(&self) -> usize {
        self.events.get().map_or(0, |events| events.iter().map(|event| event.size()).sum())
    }
}

async fn read(db: &Db, search: Search) -> sqlx::Result<Vec<Arc<Event>>> {
    let search = Search { limit: PIECE.into(), ..search };
    Ok(events::find(db, &search).await?.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    /// Asks for the piece, and counts when it is really read.
    async fn ask(catching_up: &CatchingUp, number: i64, reads: &AtomicUsize) -> sqlx::Result<Events> {
        let reading = async || {
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Vec::new())
        };
        catching_up.piece(number, reading).await
    }

    #[tokio::test]
    async fn a_crowd_that_is_behind_reads_each_piece_once() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let crowd = (0..1000).map(|who| ask(&catching_up, who % 3, &reads));
        assert!(join_all(crowd).await.iter().all(Result::is_ok));
        assert_eq!(reads.into_inner(), 3);
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_read_by_who_asks_next() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let failing = catching_up.piece(7, async || Err(sqlx::Error::PoolTimedOut));
        let (failed, next) = tokio::join!(failing, ask(&catching_up, 7, &reads));
        assert!(failed.is_err() && next.is_ok());
        assert_eq!(reads.into_inner(), 1);
    }

    #[tokio::test]
    async fn only_so_many_pieces_are_kept() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let pieces = i64::try_from(MAX_PIECES).unwrap();
        for number in (0..=pieces).chain([pieces, 1, 0]) {
            ask(&catching_up, number, &reads).await.unwrap();
        }
        assert_eq!(reads.into_inner(), MAX_PIECES + 2, "the first one had to go");
        assert_eq!(catching_up.pieces.lock().unwrap().len(), MAX_PIECES);
    }
}
