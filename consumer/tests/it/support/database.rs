//! A fresh database for each test: a SQLite file, or a database of the PostgreSQL server.

use std::{env, process::Command};

use sqlx::{AnyConnection, Connection, Executor};
use tempfile::TempDir;
use uuid::Uuid;

/// The two ways to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// SQLite, news in process.
    Embedded,
    /// PostgreSQL, news through Redis.
    Machines,
}

/// Dropped with everything in it.
pub struct Database {
    pub mode: Mode,
    pub url: String,
    name: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub async fn create(mode: Mode) -> Self {
        let name = format!("hookcast_consumer_{}", Uuid::new_v4().simple());
        if mode == Mode::Embedded {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/log.db", folder.path().display());
            return Self { mode, url, name, _folder: Some(folder) };
        }
        let mut server = connect(&server()).await;
        server.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let url = format!("{}/{name}", server_without_database());
        Self { mode, url, name, _folder: None }
    }

    /// The Redis of the several-machines mode.
    pub fn broker_url(&self) -> Option<String> {
        let redis = || env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
        (self.mode == Mode::Machines).then(redis)
    }

    /// A connection beside the consumer's own.
    pub async fn connection(&self) -> AnyConnection {
        connect(&self.url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.mode == Mode::Machines {
            // By a program: the test's runtime may have ended.
            let command = format!("drop database if exists {} with (force)", self.name);
            let _ = Command::new("psql").args(["-q", &server(), "-c", &command]).status();
        }
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap_or_else(|error| {
        panic!("no database at {url} ({error}): run `make bootstrap`, or set TEST_POSTGRES_URL")
    })
}

fn server() -> String {
    env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| "postgres://hookcast:hookcast@127.0.0.1:5432/postgres".into())
}

fn server_without_database() -> String {
    let server = server();
    server.rsplit_once('/').unwrap().0.to_owned()
}
