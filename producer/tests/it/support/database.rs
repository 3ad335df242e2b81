//! A database for one test, gone with it.

use std::{env, process::Command};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

pub struct Database {
    pub url: String,
    held: Held,
}

enum Held {
    Folder(#[expect(dead_code, reason = "it is removed when it is dropped")] TempDir),
    Postgres { name: String },
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("producer.db").display());
        Self { url, held: Held::Folder(folder) }
    }

    pub async fn postgres() -> Self {
        let name = format!("hookcast_producer_{}", common::key::random_hex(8));
        let mut server = connect(&server()).await;
        server.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let url = format!("{}/{name}", server_without_database());
        Self { url, held: Held::Postgres { name } }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.held, Held::Postgres { .. })
    }

    /// A connection beside the producer's own.
    pub async fn connection(&self) -> AnyConnection {
        connect(&self.url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Held::Postgres { name } = &self.held {
            // By a program: the test's runtime may have ended.
            let command = format!("drop database if exists {name} with (force)");
            let _ = Command::new("psql").args(["-q", &server(), "-c", &command]).status();
        }
    }
}

/// The Redis that the tests share.
pub fn redis_url() -> String {
    env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into())
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
    server().rsplit_once('/').unwrap().0.to_owned()
}
