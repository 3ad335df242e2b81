//! A database that fails in the middle of a transaction, or cannot say that what was committed stays.

use std::{ffi::OsString, fs, os::unix::fs::symlink};

use common::{
    config::Durability,
    db::{self, Db},
};
use sqlx::Executor;

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, tasks,
};

async fn store(db: &Db, name: &str, value: String) -> sqlx::Result<()> {
    let mut tx = db.write.begin().await?;
    let sql = "insert into settings (name, value) values ($1, $2)";
    sqlx::query(sql).bind(name.to_owned()).bind(value).execute(&mut *tx).await?;
    tx.commit().await
}

/// SQLite ends a transaction by itself when there is no room, which sqlx does not see.
#[tokio::test]
async fn a_transaction_that_a_full_database_ended_takes_no_later_one_with_it() {
    let database = Database::create(Mode::Embedded).await;
    let db = db::open(&database.url, Durability::Normal, &sqlx::migrate!()).await.unwrap();
    db.write.execute("pragma max_page_count = 1").await.unwrap();
    let full = store(&db, "large", "x".repeat(1_000_000)).await.unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    db.write.execute("pragma max_page_count = 100000").await.unwrap();
    let mut given_up = db.write.begin().await.unwrap();
    given_up.execute("insert into settings (name, value) values ('given up', '')").await.unwrap();
    drop(given_up);
    store(&db, "kept", String::new()).await.unwrap();
    let sql = "select name from settings where name in ('given up', 'kept')";
    let names: Vec<String> = sqlx::query_scalar(sql).fetch_all(&db.read).await.unwrap();
    assert_eq!(names, ["kept"]);
}

/// An event that is committed is in SQLite's write-ahead log; whether it stays there after a power cut, only a flush of that file tells.
#[tokio::test]
async fn an_event_that_is_not_flushed_to_the_disk_is_neither_answered_200_nor_told() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--durability", "full"]).await;
    app.take(tasks("before", 1)).await;
    let log = OsString::from(format!("{}-wal", db::sqlite_path(&database.url).unwrap().display()));
    let away = OsString::from(format!("{}.away", log.display()));
    fs::rename(&log, &away).unwrap();
    // A link to itself cannot be opened.
    symlink(&log, &log).unwrap();
    let send = async || app.post("/consumetasks", &[("webhook-id", "once")], r#"{"priority":"Low"}"#).await;
    let refused = send().await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    for told in ["/api/events", "/api/counts", "/api/sources"] {
        assert_eq!(app.get(told).await.status(), 503, "{told}");
    }
    fs::rename(&away, &log).unwrap();
    eventually("it is stored", async || (send().await.status() == 200).then_some(())).await;
    eventually("it is told, once", async || (app.total().await == 2).then_some(())).await;
    assert_eq!(app.events().await.len(), 2);
    app.end().await;
}
