//! A database that fails in the middle of a transaction.

use common::{
    config::Durability,
    db::{self, Db},
};
use sqlx::Executor;

use crate::support::database::{Database, Mode};

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
