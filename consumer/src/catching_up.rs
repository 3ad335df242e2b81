//! The log for sockets that are behind the feed's memory: what one has just read serves all that come after it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    pieces: Mutex<Vec<Piece>>,
}

/// The events of offsets `PIECE * number + 1` to `PIECE * (number + 1)` that are kept; empty while who asked first reads them.
#[derive(Debug)]
struct Piece {
    number: i64,
    read: Arc<OnceCell<Read>>,
}

#[derive(Clone, Debug)]
struct Read {
    events: Arc<[Arc<Event>]>,
    bytes: usize,
    at: Instant,
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
            let whole = Search { since: last - i64::from(PIECE), before: last + 1, ..Search::default() };
            let events = self.piece(number, async || read(db, whole).await).await?.events;
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
    ) -> sqlx::Result<Read> {
        let piece = self.asked(number);
        let (known, reading) = (piece.initialized(), async || {
            let _turn = self.turns.acquire().await;
            read().await.map(Read::from)
        });
        let read = piece.get_or_try_init(reading).await.cloned();
        if !known {
            make_room(&mut self.pieces());
        }
        read
    }

    fn asked(&self, number: i64) -> Arc<OnceCell<Read>> {
        let mut pieces = self.pieces();
        // What nobody waits for any more could not be read.
        pieces.retain(|piece| {
            piece.read.get().map_or(Arc::strong_count(&piece.read) > 1, |read| read.at.elapsed() <= FRESH)
        });
        if let Some(known) = pieces.iter().find(|piece| piece.number == number) {
            return Arc::clone(&known.read);
        }
        let read = Arc::default();
        pieces.push(Piece { number, read: Arc::clone(&read) });
        read
    }

    fn pieces(&self) -> MutexGuard<'_, Vec<Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Vec<Arc<Event>>> for Read {
    fn from(events: Vec<Arc<Event>>) -> Self {
        let bytes = events.iter().map(|event| event.size()).sum();
        Self { events: events.into(), bytes, at: Instant::now() }
    }
}

/// Lets the oldest pieces go that are too much; who asked for them has them.
fn make_room(pieces: &mut Vec<Piece>) {
    let read = pieces.iter().filter_map(|piece| piece.read.get());
    let (mut count, mut bytes) = read.fold((0, 0), |(count, bytes), read| (count + 1, bytes + read.bytes));
    pieces.retain(|piece| {
        // One that is read in this moment is left for the next time.
        let Some(read) = piece.read.get().filter(|_| count > MAX_PIECES || bytes > MAX_BYTES) else { return true };
        (count, bytes) = (count.saturating_sub(1), bytes.saturating_sub(read.bytes));
        false
    });
}

async fn read(db: &Db, search: Search) -> sqlx::Result<Vec<Arc<Event>>> {
    let search = Search { limit: PIECE.into(), ..search };
    Ok(events::find(db, &search).await?.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use serde_json::json;

    use super::*;
    use crate::event::Record;

    /// Asks for the piece, and counts when it is really read.
    async fn ask(catching_up: &CatchingUp, number: i64, reads: &AtomicUsize) -> sqlx::Result<Read> {
        ask_for(catching_up, number, reads, &[]).await
    }

    async fn ask_for(
        catching_up: &CatchingUp,
        number: i64,
        reads: &AtomicUsize,
        events: &[Arc<Event>],
    ) -> sqlx::Result<Read> {
        let reading = async || {
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(events.to_vec())
        };
        catching_up.piece(number, reading).await
    }

    fn event(body_bytes: usize) -> Arc<Event> {
        let record = json!({"offset": 1, "id": "", "source": "", "rank": 4, "received_ms": 0, "request": "", "body": "x".repeat(body_bytes)});
        Arc::new(serde_json::from_value::<Record>(record).unwrap().into())
    }

    #[tokio::test]
    async fn a_crowd_that_is_behind_reads_each_piece_once() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let pieces = 2 * i64::try_from(MAX_PIECES).unwrap();
        let crowd = (0..1000).map(|who| ask(&catching_up, who % pieces, &reads));
        assert!(join_all(crowd).await.iter().all(Result::is_ok));
        assert_eq!(reads.into_inner(), 2 * MAX_PIECES);
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_read_by_who_asks_next() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let failing = catching_up.piece(7, async || Err(sqlx::Error::PoolTimedOut));
        let (failed, next) = tokio::join!(failing, ask(&catching_up, 7, &reads));
        assert!(failed.is_err() && next.is_ok());
        assert_eq!(reads.into_inner(), 1);
        catching_up.piece(8, async || Err(sqlx::Error::PoolTimedOut)).await.unwrap_err();
        catching_up.asked(7);
        assert_eq!(catching_up.pieces().len(), 1, "what failed takes no room");
    }

    #[tokio::test]
    async fn only_so_many_pieces_are_kept() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let pieces = i64::try_from(MAX_PIECES).unwrap();
        for number in (0..=pieces).chain([pieces, 1, 0]) {
            ask(&catching_up, number, &reads).await.unwrap();
        }
        assert_eq!(reads.into_inner(), MAX_PIECES + 2, "the first one had to go");
        assert_eq!(catching_up.pieces().len(), MAX_PIECES);
    }

    #[tokio::test]
    async fn only_so_many_bytes_are_kept() {
        let (catching_up, reads) = (CatchingUp::default(), AtomicUsize::new(0));
        let half = [event(MAX_BYTES / 4), event(1)];
        for number in [1, 2] {
            assert_eq!(ask_for(&catching_up, number, &reads, &half).await.unwrap().events.len(), 2);
        }
        let kept: Vec<_> = catching_up.pieces().iter().map(|piece| piece.number).collect();
        assert_eq!(kept, [2]);
        ask_for(&catching_up, 3, &reads, &[event(MAX_BYTES)]).await.unwrap();
        assert!(catching_up.pieces().is_empty(), "what is larger than all is given, and not kept");
    }
}
