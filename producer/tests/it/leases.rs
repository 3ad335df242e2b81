//! Results that come after their lease was lost, as they do when the database was away for long.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::support::{Answer, Database, Producer, Receiver};

/// Does it to every delivery.
async fn change(database: &Database, what: &'static str) {
    let sql = AssertSqlSafe(format!("update deliveries set {what}"));
    sqlx::query(sql).execute(&mut database.connection().await).await.unwrap();
}

on_both! {
    async fn what_was_delivered_late_is_delivered_and_not_sent_again(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(200).after(Duration::from_millis(500)));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=3&wait=0").await;
        receiver.arrived(3).await;
        change(&database, "lease = 'another', due_ms = due_ms + 3600000").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["retrying"], &batch["seq"]), (&3.into(), &0.into(), &3.into()));
        assert_eq!(receiver.hooks().len(), 3);
    }

    async fn what_failed_late_waits_for_who_holds_the_lease_and_is_counted_once(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500).after(Duration::from_millis(500)));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=3&wait=0").await;
        receiver.arrived(3).await;
        change(&database, "lease = 'another', due_ms = due_ms + 3600000").await;
        let batch = producer.until(&id, "the attempts are recorded", |batch| batch["seq"] == 3).await;
        assert_eq!((&batch["pending"], &batch["retrying"]), (&3.into(), &3.into()));
        receiver.always(Answer::status(200));
        change(&database, "lease = null, due_ms = 0").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["retrying"], &batch["failed"]), (&3.into(), &0.into(), &0.into()));
    }
}

#[tokio::test]
async fn a_database_that_blocks_does_not_hold_up_the_end() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_millis(500)));
    let producer = Producer::start(&database, &receiver).await;
    producer.produce("count=1").await;
    receiver.arrived(1).await;
    let mut blocking = database.connection().await;
    sqlx::query("begin immediate").execute(&mut blocking).await.unwrap();
    assert!(producer.end().await.is_err(), "what it could not record is told");
}
