//! Clocks that were ahead when something was put off: it waits as long as was meant, and not until that time comes again.

use crate::support::{Answer, Database, Producer, Receiver};

on_both! {
    async fn what_waits_by_a_clock_that_was_an_hour_ahead_goes_on_after_a_start(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,1h,1h".parse().unwrap();
        let producer = Producer::run(settings.clone()).await;
        let id = producer.produce("count=3&wait=0").await;
        producer.until(&id, "the attempts are recorded", |batch| batch["seq"] == 3).await;
        producer.end().await.unwrap();
        // Two were to be tried again at once, the receiver asked for patience, and one is in the hands of a producer that died.
        let ahead = "update deliveries set updated_ms = updated_ms + 3600000, due_ms = updated_ms + 3600000";
        sqlx::query(ahead).execute(&mut database.connection().await).await.unwrap();
        let leased = "update deliveries set lease = 'another', due_ms = due_ms + 10000 where position = 3";
        sqlx::query(leased).execute(&mut database.connection().await).await.unwrap();
        let paused = "update endpoints set not_before_ms = (select max(due_ms) from deliveries)";
        sqlx::query(paused).execute(&mut database.connection().await).await.unwrap();

        receiver.always(Answer::status(200));
        let producer = Producer::run(settings).await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], receiver.hooks().len()), (&3.into(), 6));
    }
}
