//! What a start finds: a database of before the accounts, whose deliveries are kept, or none, with others that make it at the same time.

use std::path::Path;

use futures_util::future::join_all;
use sqlx::{AnyConnection, AssertSqlSafe, migrate::Migrator};

use crate::support::{Database, Producer, Receiver, eventually};

/// The last migration before the accounts.
const BEFORE: i64 = 3;

/// Makes the tables as they were, with one delivery that has failed once and waits.
async fn former(database: &Database, url: &str) {
    if let Some(file) = common::db::sqlite_path(&database.url) {
        std::fs::File::create(file).unwrap();
    }
    let mut connection = database.connection().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut migrator = Migrator::new(folder).await.unwrap();
    migrator.migrations = migrator.migrations.iter().filter(|step| step.version <= BEFORE).cloned().collect();
    migrator.run(&mut connection).await.unwrap();
    for sql in [
        &format!("insert into endpoints (id, url, created_ms) values ('e', '{url}', 1)"),
        &format!(
            "insert into batches (id, created_ms, url, seed, wait_ms, total, retrying, seq) values ('b', 1, '{url}', '0', 0, 1, 1, 1)"
        ),
        "insert into messages (id, kind, body, created_ms) values ('m', 'task', '{}', 1)",
        "insert into deliveries (id, message_id, endpoint_id, batch_id, position, due_ms, attempts, step, created_ms, updated_ms) \
         values ('d', 'm', 'e', 'b', 1, 1, 1, 1, 1, 1)",
        "insert into attempts (delivery_id, number, step, batch_id, batch_seq, at_ms, duration_ms, outcome, status) \
         values ('d', 1, 1, 'b', 1, 1, 5, 'retrying', 500)",
    ] {
        run(&mut connection, sql).await;
    }
}

async fn run(connection: &mut AnyConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

on_both! {
    async fn programs_that_start_at_once_on_a_new_database_all_start(database: Database) {
        let receiver = Receiver::start().await;
        let settings = Producer::settings(&database, &receiver.url());
        let started = join_all((0..6).map(|_| Producer::run(settings.clone()))).await;
        let id = started[0].produce("count=3&wait=0").await;
        assert_eq!(started[5].done(&id).await["delivered"], 3);
    }

    async fn what_was_queued_before_the_accounts_came_is_delivered_after(database: Database) {
        let receiver = Receiver::start().await;
        former(&database, &receiver.url()).await;
        let producer = Producer::start(&database, &receiver).await;
        let hook = receiver.arrived(1).await.remove(0);
        assert_eq!(hook.id(), "m", "the webhook-id stays");
        assert_eq!(producer.done("b").await["delivered"], 1);
        let delivery = eventually("both attempts are told", || async {
            let delivery = producer.get("/api/deliveries/d").await.json;
            Some(delivery).filter(|delivery| delivery["attempts"].as_array().is_some_and(|attempts| attempts.len() == 2))
        });
        assert_eq!(delivery.await["attempts"][0]["status"], 500);
    }
}
