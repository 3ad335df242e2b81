//! Commits that are made durable later than they are made, several by one flush of the disk.

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{sync::Mutex, task};

/// What commits of a deferred connection still need before they survive a power cut; a clone is the same.
///
/// SQLite with `synchronous = NORMAL` writes a commit into its write-ahead log and does not flush it; whoever flushes that file has made durable what
/// was committed before: <https://sqlite.org/pragma.html#pragma_synchronous>, <https://sqlite.org/wal.html>. So the next transaction goes on meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Durable(Option<Arc<Deferred>>);

#[derive(Debug)]
struct Deferred {
    log: PathBuf,
    /// Commits under way.
    making: AtomicUsize,
    /// Something was committed since the last flush began.
    pending: AtomicBool,
    flushing: Mutex<()>,
}

impl Durable {
    /// For the database file at `path`.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn deferred(path: &Path) -> io::Result<Self> {
        let mut log = path.canonicalize()?.into_os_string();
        log.push("-wal");
        Ok(Self(Some(Arc::new(Deferred {
            log: log.into(),
            making: AtomicUsize::new(0),
            pending: AtomicBool::new(true),
            flushing: Mutex::default(),
        }))))
    }

    /// Whether commits wait for [`Durable::flush`]; else each is durable when it is made.
    #[must_use]
    pub const fn is_deferred(&self) -> bool {
        self.0.is_some()
    }

    /// To be held while a commit is made.
    #[must_use]
    pub fn promise(&self) -> Promise<'_> {
        if let Some(deferred) = &self.0 {
            deferred.making.fetch_add(1, SeqCst);
        }
        Promise(self)
    }

    /// Waits until all that was committed before this call is durable.
    ///
    /// # Errors
    /// When the disk fails: then nobody knows what of it would survive.
    pub async fn flush(&self) -> io::Result<()> {
        let Some(deferred) = &self.0 else { return Ok(()) };
        // A flush that has begun already may have been too early for what is asked here.
        let _turn = deferred.flushing.lock().await;
        let made = deferred.pending.swap(false, SeqCst);
        if !made && deferred.making.load(SeqCst) == 0 {
            return Ok(());
        }
        let log = deferred.log.clone();
        let flushed = task::spawn_blocking(move || flush(&log)).await.unwrap_or_else(|ended| Err(ended.into()));
        if flushed.is_err() {
            deferred.pending.store(true, SeqCst);
        }
        flushed
    }
}

/// A commit that is to be flushed.
pub struct Promise<'a>(&'a Durable);

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if let Some(deferred) = &self.0.0 {
            deferred.pending.store(true, SeqCst);
            deferred.making.fetch_sub(1, SeqCst);
        }
    }
}

/// The file is opened each time: SQLite may have made it anew, and holds its locks on other files.
fn flush(log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(file) => file.sync_data(),
        // Without a log all of it stands in the database itself, flushed.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flush_is_made_once_for_all_that_was_promised_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        let durable = Durable::deferred(&path).unwrap();
        durable.flush().await.unwrap();
        let log = folder.path().join("a.db-wal");
        // A link to itself cannot be opened.
        std::os::unix::fs::symlink(&log, &log).unwrap();
        durable.flush().await.expect("nothing was promised since");
        let promise = durable.promise();
        durable.flush().await.expect_err("it may be committed by now");
        drop(promise);
        durable.flush().await.unwrap_err();
        durable.flush().await.expect_err("what failed is still to be done");
    }
}
