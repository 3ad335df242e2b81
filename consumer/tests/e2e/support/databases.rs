//! A PostgreSQL database of the test's own, and a Redis server of the test's own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};

use super::process::{Process, free_port};

/// A fresh database, dropped with this value.
pub struct Database {
    name: String,
    server: String,
    pub url: String,
}

impl Database {
    /// On this server, which is named by the address of one of its databases.
    pub async fn create(server: &str, purpose: &str) -> Self {
        let name = format!("hookcast_e2e_{purpose}_{}", uuid::Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(server).await.unwrap_or_else(|error| {
            panic!("PostgreSQL does not answer on {server} ({error}): run `make bootstrap`, or set TEST_POSTGRES_URL")
        });
        connection.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Self { name, server: server.to_owned(), url }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // From a plain program: a test's runtime may be gone already when its values are dropped.
        let command = format!("drop database if exists {} with (force)", self.name);
        let _ = Command::new("psql").args(["-q", &self.server, "-c", &command]).status();
    }
}

/// The server that all tests share.
pub fn server() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://hookcast:hookcast@127.0.0.1:5432/postgres".to_owned())
}

/// A `redis-server` that a test may kill.
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    pub async fn start(folder: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(folder);
        let redis = Self { process: Process::start("redis-server", command, &folder.join("redis.log")), port };
        redis.answers().await;
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// `STOP` makes it hang, with all its connections open; `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Changes a setting of the running server.
    pub fn configure(&self, setting: &str, value: &str) {
        let port = self.port.to_string();
        let done = Command::new("redis-cli").args(["-p", &port, "config", "set", setting, value]).output().unwrap();
        assert_eq!(done.stdout, b"OK\n", "redis-cli: {done:?}; run `make bootstrap`");
    }

    pub async fn start_again(&mut self) {
        self.process.start_again();
        self.answers().await;
    }

    async fn answers(&self) {
        super::eventually("redis-server listens", Duration::from_secs(10), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.ok()
        })
        .await;
    }
}
