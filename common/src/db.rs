//! One SQL text for SQLite and PostgreSQL through `sqlx::Any`: opening, and statements that go together.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, any::AnyPoolOptions, migrate::Migrator};

use crate::{checkpoint::Checkpoint, config::Durability, durable::Durable, marks, outage::Outage, tables};

pub use crate::{
    marks::{fitting, list, marks, step, values},
    script::{Script, bind},
};

/// Which database stands behind the one SQL text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The database: a pool that writes and a pool that reads.
///
/// SQLite has one writer, so `write` is a single connection and `read` never waits for it; with PostgreSQL both are the same pool.
#[derive(Clone, Debug)]
pub struct Db {
    pub write: AnyPool,
    pub read: AnyPool,
    pub kind: Kind,
    /// What commits of [`Db::connect_deferred`] wait for.
    pub durable: Durable,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) outage: Outage,
    /// Bytes that one statement may have on its way to PostgreSQL.
    statement_bytes: usize,
    /// Where a connection outside the pools goes, and what it begins with.
    own: (String, String),
}

/// Opens `url` (`sqlite://PATH` or `postgres://…`), makes the folder and the file when there are none, and brings the tables up to date.
///
/// # Errors
/// When the URL is of another kind, the file cannot be made, the server does not answer within 10 s or a migration fails.
pub async fn open(url: &str, durability: Durability, migrations: &Migrator) -> anyhow::Result<Db> {
    sqlx::any::install_default_drivers();
    let db = match kind(url)? {
        Kind::Sqlite => open_sqlite(url, durability).await?,
        Kind::Postgres => open_postgres(url, durability).await?,
    };
    tables::migrate(&db, migrations).await.context("cannot bring the tables up to date")?;
    Ok(db)
}

fn kind(url: &str) -> anyhow::Result<Kind> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Kind::Sqlite),
        Some("postgres" | "postgresql") => Ok(Kind::Postgres),
        _ => bail!("DATABASE_URL must begin with sqlite:// or postgres://"),
    }
}

/// The file behind a SQLite URL.
#[must_use]
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    Some(PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path)))
}

async fn open_sqlite(url: &str, durability: Durability) -> anyhow::Result<Db> {
    let path = sqlite_path(url).context("DATABASE_URL has no path")?;
    if path.as_os_str() == ":memory:" || path.as_os_str().is_empty() {
        bail!("DATABASE_URL must name a file, such as sqlite://data/hookcast.db: what is only in memory would be lost");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = format!("sqlite://{}?mode=rwc", path.display());
    let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
    let pragmas = format!(
        "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = {synchronous}; \
         pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -16000; pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 67108864"
    );
    let opening = || format!("cannot open {}", path.display());
    let write = pool(1, pragmas.clone()).connect(&file).await.with_context(opening)?;
    let read = pool(4, pragmas.clone()).connect(&file).await.with_context(opening)?;
    let durable = if durability == Durability::Full { Durable::deferred(&path)? } else { Durable::default() };
    let (checkpoint, outage) = (Checkpoint::default(), Outage::default());
    let statement_bytes = usize::MAX;
    Ok(Db { write, read, kind: Kind::Sqlite, durable, checkpoint, outage, statement_bytes, own: (file, pragmas) })
}

async fn open_postgres(url: &str, durability: Durability) -> anyhow::Result<Db> {
    let commit = if durability == Durability::Full { "on" } else { "off" };
    // A node that stands still in the middle of a transaction, or whose machine is gone, holds its locks no longer than this.
    let (url, statement_bytes) = match without_tls_at_home(url) {
        Some(home) => (home, marks::LOOPBACK_BYTES),
        None => (url.to_owned(), marks::RECORD_BYTES),
    };
    let setup = format!(
        "set synchronous_commit = {commit}; set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '5s'; \
         set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set tcp_user_timeout = 15000"
    );
    // A server that restarted left dead connections behind.
    let opening = pool(12, setup.clone()).test_before_acquire(true).connect(&url);
    let pool = opening.await.context("cannot reach the PostgreSQL server of DATABASE_URL")?;
    let (write, read, own) = (pool.clone(), pool, (url, setup));
    let (checkpoint, outage) = (Checkpoint::default(), Outage::default());
    let durable = Durable::default();
    Ok(Db { write, read, kind: Kind::Postgres, durable, checkpoint, outage, statement_bytes, own })
}

/// What stays on this machine is not encrypted unless the URL asks for it: sqlx leaves Nagle's algorithm on, which holds the handshake up twice,
/// 40 ms each time, and every statement would be encrypted and decrypted by the same processors. `None`: as the URL says.
fn without_tls_at_home(url: &str) -> Option<String> {
    let mut parsed = url::Url::parse(url).ok()?;
    let is_home = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let is_said =
        parsed.query_pairs().any(|(name, _)| name == "sslmode" || name == "ssl-mode" || name.starts_with("host"));
    if !is_home || is_said {
        return None;
    }
    parsed.query_pairs_mut().append_pair("sslmode", "disable");
    Some(parsed.into())
}

/// A pool whose connections live for ever and begin with `setup`.
fn pool(size: u32, setup: String) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // SQLite ends a transaction by itself when the disk is full, and sqlx goes on as if it were open: all that follows would be part of one
        // that is never committed.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .after_connect(move |connection, _| {
            let setup = setup.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(setup)).await.map(drop) })
        })
}

impl Db {
    /// A connection outside the pools, for who writes all the time: a pool asks each connection that comes back whether it still lives.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(&self) -> sqlx::Result<AnyConnection> {
        let (url, setup) = &self.own;
        let mut connection = AnyConnection::connect(url).await?;
        connection.execute(AssertSqlSafe(setup.clone())).await?;
        Ok(connection)
    }

    /// Like [`Db::connect`], but a commit survives a power cut only after a [`Durable::flush`] of `durable` where that is deferred; each is to be
    /// promised there first. What was written is to be told by [`Db::wrote`]: this connection copies SQLite's write-ahead log only when nobody else did
    /// for long.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect_deferred(&self) -> sqlx::Result<AnyConnection> {
        let mut connection = self.connect().await?;
        if self.durable.is_deferred() {
            connection.execute("pragma synchronous = normal").await?;
        }
        if self.kind == Kind::Sqlite {
            connection.execute("pragma wal_autocheckpoint = 40000").await?;
        }
        Ok(connection)
    }

    /// How many of the first rows one insert takes, of those that are about so large each.
    pub fn fitting<T>(&self, rows: &[T], size_bytes: impl Fn(&T) -> usize) -> usize {
        marks::fitting_in(self.statement_bytes, rows, size_bytes)
    }

    /// Ends every connection; what is under way is finished first.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// A value of the table `settings(name, value)`: the stored one, or `fresh` which is stored then. Whoever comes first decides.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, name: &str, fresh: &str) -> sqlx::Result<String> {
        sqlx::query("insert into settings (name, value) values ($1, $2) on conflict (name) do nothing")
            .bind(name.to_owned())
            .bind(fresh.to_owned())
            .execute(&self.write)
            .await?;
        sqlx::query_scalar("select value from settings where name = $1")
            .bind(name.to_owned())
            .fetch_one(&self.write)
            .await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        self.read.execute("select 1").await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_this_machine_is_not_encrypted_unless_the_url_asks_for_it() {
        let table = [
            ("postgres://a:b@127.0.0.1:5432/c", "postgres://a:b@127.0.0.1:5432/c?sslmode=disable"),
            ("postgres://localhost/c?application_name=d", "postgres://localhost/c?application_name=d&sslmode=disable"),
        ];
        for (url, expected) in table {
            assert_eq!(without_tls_at_home(url).as_deref(), Some(expected));
        }
        let as_said = [
            "postgres://localhost/c?sslmode=require",
            "postgres://10.0.0.1/c",
            "postgres://localhost/c?host=db.example",
            "postgres://localhost/c?hostaddr=10.0.0.1",
        ];
        assert!(as_said.iter().all(|url| without_tls_at_home(url).is_none()));
    }

    #[test]
    fn the_file_of_a_url_is_found() {
        assert_eq!(sqlite_path("sqlite://data/a.db?mode=rwc"), Some(PathBuf::from("data/a.db")));
        assert_eq!(sqlite_path("sqlite:///var/a.db"), Some(PathBuf::from("/var/a.db")));
        assert_eq!(sqlite_path("postgres://localhost/a"), None);
    }
}
