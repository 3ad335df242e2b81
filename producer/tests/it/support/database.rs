//! A database for one test, gone with it.

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
        let name = format!("producer_test_{}", common::key::random_hex(6));
        administer(&format!("create database {name}")).await;
        Self { url: postgres_url(&name), held: Held::Postgres { name } }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Held::Postgres { name } = &self.held else { return };
        let drop = format!("drop database if exists {name} with (force)");
        // A runtime inside a runtime needs a thread of its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(administer(&drop));
        });
        if dropping.join().is_err() {
            eprintln!("a test database was left behind");
        }
    }
}

async fn administer(sql: &str) {
    sqlx::any::install_default_drivers();
    let url = postgres_url("postgres");
    let connecting = AnyConnection::connect(&url).await;
    let mut connection = connecting.unwrap_or_else(|error| {
        panic!("these tests need PostgreSQL at {url} (PGHOST, PGPORT, PGUSER, PGPASSWORD say where); `make bootstrap` starts one: {error}")
    });
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

fn postgres_url(database: &str) -> String {
    let setting = |name: &str, fallback: &str| std::env::var(name).unwrap_or_else(|_| fallback.to_owned());
    let (host, port) = (setting("PGHOST", "127.0.0.1"), setting("PGPORT", "5432"));
    let user = setting("PGUSER", "postgres");
    let password = std::env::var("PGPASSWORD").map_or_else(|_| String::new(), |password| format!(":{password}"));
    format!("postgres://{user}{password}@{host}:{port}/{database}")
}
