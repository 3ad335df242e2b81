//! The set of all sources, and how it is kept up to date.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use arc_swap::ArcSwap;
use common::{db::Db, seal::Vault};
use tokio::{sync::Mutex, time};
use tokio_util::sync::CancellationToken;

use super::{
    file,
    rejected::Recorder,
    source::{Draft, Origin, Source},
};
use crate::{
    guards::{Guard, Secrets},
    rules::Rules,
    store::{
        rejected::{self, Rejected},
        sources::{self, Row},
    },
};

/// How often the database is asked whether another node changed a source.
const POLL: Duration = Duration::from_secs(2);

/// All sources that are configured.
pub struct Registry {
    pub(super) db: Db,
    pub(super) vault: Vault,
    /// How many may be made on the page.
    pub(super) max: usize,
    pub(super) of_file: Vec<Arc<Source>>,
    known: ArcSwap<Known>,
    /// One reads at a time, so that an older set does not take the place of a newer one.
    reading: Mutex<()>,
    /// What was not let in.
    pub recorder: Recorder,
}

#[derive(Debug, Default)]
struct Known {
    version: i64,
    sources: BTreeMap<Arc<str>, Arc<Source>>,
}

impl Registry {
    /// Reads the sources of the file, if one is given, and those of the database, of which there may be `max`.
    ///
    /// # Errors
    /// When the file is wrong or the database fails.
    pub async fn load(db: Db, vault: Vault, file: Option<&Path>, max: usize) -> anyhow::Result<Self> {
        let of_file = file.map(file::read).transpose().context("SOURCES")?.unwrap_or_default();
        let of_file = of_file.into_iter().map(Arc::new).collect();
        let (known, reading, recorder) = (ArcSwap::default(), Mutex::default(), Recorder::default());
        let registry = Self { db, vault, max, of_file, known, reading, recorder };
        registry.read().await.context("cannot read the sources")?;
        Ok(registry)
    }

    /// Every source that is configured, in the order of their names.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Source>> {
        self.known.load().sources.values().cloned().collect()
    }

    /// The source of this name; `None`: it is not configured.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Source>> {
        self.known.load().sources.get(name).cloned()
    }

    /// The secrets in clear, for the administrator's page; `None`: there is no such source, or they cannot be opened.
    #[must_use]
    pub fn reveal(&self, name: &str) -> Option<Secrets> {
        self.get(name)?.secrets.clone().ok()
    }

    /// The newest requests of a source that were not let in, the newest first; of the name `""` those whose source is not configured.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rejected(&self, source: &str, limit: i64) -> sqlx::Result<Vec<Rejected>> {
        rejected::newest(&self.db, source, limit).await
    }

    /// Reads again what another node changed, and keeps what was not let in, until `stop`.
    pub async fn follow(&self, stop: CancellationToken) {
        tokio::join!(self.recorder.run(&self.db, stop.clone()), self.look(stop));
    }

    async fn look(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = time::sleep(POLL) => {}
            }
            if let Err(error) = self.read_if_changed().await {
                self.db.failed(&error, "cannot read the sources; the present ones stay");
            }
        }
    }

    /// Reads what another node changed a moment ago, for who must not see what was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_if_changed(&self) -> sqlx::Result<()> {
        let version = sources::version(&self.db).await?;
        if version == self.known.load().version { Ok(()) } else { self.read().await }
    }

    pub(super) async fn read(&self) -> sqlx::Result<()> {
        let _one = self.reading.lock().await;
        let (version, rows) = sources::all(&self.db).await?;
        let before = self.known.load_full();
        let stored = rows.into_iter().map(|row| Arc::new(self.open(row, &before)));
        // The file's come last and win.
        let all = stored.chain(self.of_file.iter().cloned()).map(|source| (source.name.clone(), source));
        self.known.store(Arc::new(Known { version, sources: all.collect() }));
        Ok(())
    }

    /// A row as a source. What cannot be read is closed, not open.
    fn open(&self, row: Row, before: &Known) -> Source {
        let guard = serde_json::from_str::<Guard>(&row.guard);
        let secrets = match &guard {
            Ok(_) => self.opened(&row).ok_or(
                "the secrets of this source cannot be opened: SECRET_KEY was changed; set it back, or give the source a new secret",
            ),
            Err(_) => Err("the guard of this source is of another version of the consumer; save the source anew"),
        };
        if let Err(reason) = secrets {
            tracing::error!(source = row.name, reason, "a source lets nobody in");
        }
        let running = before.sources.get(row.name.as_str()).map(|source| &**source);
        let draft = Draft {
            guard: guard.unwrap_or(Guard::Open {}),
            secret: None,
            rules: Some(rules(&row.name, row.rules.as_deref())),
            name: row.name,
            stale_after_s: row.stale_after_s,
            rate_per_minute: row.rate_per_minute,
        };
        let made = Source::new(draft, secrets, running);
        Source { origin: Origin::Page, created_ms: row.created_ms, updated_ms: row.updated_ms, ..made }
    }

    /// The secrets of a row; `None`: they were sealed with another key.
    pub(super) fn opened(&self, row: &Row) -> Option<Secrets> {
        serde_json::from_str(&self.vault.open(&row.secrets, &context(&row.name))?).ok()
    }

    pub(super) fn sealed(&self, secrets: &Secrets, name: &str) -> String {
        let text = serde_json::to_string(secrets).expect("a list of texts is always JSON");
        self.vault.seal(&text, &context(name))
    }
}

/// What a source's secrets are sealed for.
fn context(name: &str) -> String {
    format!("source {name}")
}

/// What cannot be read any more is left out: the built-in rules read the events then.
fn rules(source: &str, stored: Option<&str>) -> Rules {
    let read = stored.map(serde_json::from_str).transpose();
    let read = read.inspect_err(
        |error| tracing::error!(source, %error, "its rules cannot be read; the built-in ones read its events"),
    );
    read.ok().flatten().unwrap_or_default()
}
