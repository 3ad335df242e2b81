//! SQLite's write-ahead log, copied into the database beside the writer and not in the middle of its commits.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use sqlx::{AnyConnection, Executor};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::{Db, Kind};

/// Bytes of rows after which the log is long enough.
const ENOUGH: usize = 8 * 1024 * 1024;

/// What was written since the log was copied last; a clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    written: AtomicUsize,
    due: Notify,
}

impl Db {
    /// To be told by who writes over [`Db::connect_deferred`]: about so many bytes were committed.
    pub fn wrote(&self, bytes: usize) {
        let Checkpoint(inner) = &self.checkpoint;
        if inner.written.fetch_add(bytes, Relaxed) + bytes >= ENOUGH {
            inner.due.notify_one();
        }
    }

    /// Copies the log of [`Db::connect_deferred`] into the database whenever it is long enough, until `stop`.
    pub async fn keep_log_short(self, stop: CancellationToken) {
        if self.kind == Kind::Postgres {
            return;
        }
        let mut connection = None;
        while stop.run_until_cancelled(self.checkpoint.0.due.notified()).await.is_some() {
            self.checkpoint.0.written.store(0, Relaxed);
            if let Err(error) = self.copy_log(&mut connection).await {
                connection = None;
                self.failed(&error, "cannot copy the write-ahead log into the database; it grows");
            }
        }
    }

    /// The most of it is copied while the writer goes on; then the writer waits for the rest, so that it begins the log from its start again:
    /// <https://sqlite.org/pragma.html#pragma_wal_checkpoint>. Whoever reads for long is not waited for: the next time will do.
    async fn copy_log(&self, slot: &mut Option<AnyConnection>) -> sqlx::Result<()> {
        if slot.is_none() {
            slot.insert(self.connect().await?).execute("pragma busy_timeout = 50").await?;
        }
        let Some(connection) = slot else { return Ok(()) };
        connection.execute("pragma wal_checkpoint(passive)").await?;
        connection.execute("pragma wal_checkpoint(restart)").await.map(drop)
    }
}
