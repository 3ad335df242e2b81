//! Who else works on the same SQLite file: a lock beside it, which ends with its process, however that ends.

use std::fs::{File, TryLockError};

use anyhow::{Context, bail};
use common::db::sqlite_path;

use super::Store;

/// Held as long as this process may hold leases.
pub type Presence = Option<File>;

impl Store {
    /// Checks that no other process works on the same SQLite file.
    ///
    /// # Errors
    /// When one does.
    pub fn ensure_alone(&self, database_url: &str) -> anyhow::Result<()> {
        let Some(path) = sqlite_path(database_url) else { return Ok(()) };
        let path = format!("{}.lock", path.display());
        let Ok(file) = File::options().create(true).truncate(false).write(true).open(&path) else { return Ok(()) };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("a producer works on this database: stop it first"),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Enters the file's processes. Who finds nobody else gives back what an earlier process held, so that it goes on at once after a crash.
    ///
    /// `None` with PostgreSQL, where leases run out, and where files cannot be locked.
    ///
    /// # Errors
    /// When the lock's file cannot be made, or the database fails.
    pub async fn enter(&self, database_url: &str, now_ms: i64) -> anyhow::Result<Presence> {
        let Some(path) = sqlite_path(database_url) else { return Ok(None) };
        let path = format!("{}.lock", path.display());
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.with_context(|| format!("cannot make {path}"))?;
        if file.try_lock().is_ok() {
            let released = self.release_all(now_ms).await?;
            tracing::debug!(released, "leases of an earlier run were given back");
            file.unlock()?;
        }
        // It waits only while another process gives leases back.
        let entering = tokio::task::spawn_blocking(move || file.lock_shared().map(|()| file));
        let entered = entering.await?;
        if let Err(error) = &entered {
            tracing::warn!(%error, "cannot lock {path}: a process that starts meanwhile may send again what this one is sending");
        }
        Ok(entered.ok())
    }
}
