//! A PostgreSQL database of the test's own, and a Redis server of the test's own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};

use super::process::{Process, free_port};

/// A fresh database, dropped with this value.
pub struct Database {
    name: String,
    pub url: String,
}

impl Database {
    pub async fn create(purpose: &str) -> Self {
        let name = format!("hookcast_e2e_{purpose}_{}", uuid::Uuid::new_v4().simple());
        let server = server();
        let mut connection = PgConnection::connect(&server).await.unwrap_or_else(|error| {
            panic!("PostgreSQL does not answer on {server} ({error}): run `make bootstrap`, or set TEST_POSTGRES_URL")
        });
        connection.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Self { name, url }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // From a plain program: a test's runtime may be gone already when its values are dropped.
        let command = format!("drop database if exists {} with (force)", self.name);
        let _ = Command::new("psql").args(["-q", &server(), "-c", &command]).status();
    }
}

fn server() -> String {
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

    pub fn kill(&mut self) {
        self.process.kill();
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
