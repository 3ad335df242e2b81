//! Cancelling a batch while some of it is being sent.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Answer, Database, Producer, Receiver};

/// A producer that sends two at a time, with both under way and the batch cancelled.
async fn cancelled(database: &Database, receiver: &Receiver) -> (Producer, String) {
    let mut settings = Producer::settings(database, &receiver.url());
    settings.endpoint_concurrency = 2;
    settings.delivery_timeout = Duration::from_secs(2);
    let producer = Producer::run(settings).await;
    let id = producer.produce("count=10&wait=0").await;
    receiver.arrived(2).await;
    producer.post(&format!("/batches/{id}/cancel"), "").await;
    (producer, id)
}

on_both! {
    async fn an_attempt_under_way_that_fails_is_the_last_one_and_says_so(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500).after(Duration::from_millis(500)));
        let (producer, id) = cancelled(&database, &receiver).await;
        assert_eq!(producer.done(&id).await["cancelled"], 10);
        let lines = producer.lines(&id).await;
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert_eq!((&line["outcome"], &line["next_at"]), (&"failed".into(), &Value::Null));
        }
    }

    async fn retrying_one_delivery_leaves_the_others_cancelled(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| match number {
            0 | 1 => Answer::status(500).after(Duration::from_millis(500)),
            _ => Answer::status(200),
        });
        let (producer, id) = cancelled(&database, &receiver).await;
        let one = producer.deliveries(&id).await[6]["id"].as_str().unwrap().to_owned();
        assert_eq!(producer.post(&format!("/api/deliveries/{one}/retry"), "").await.status, 202);
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["cancelled"], &batch["retrying"]), (&1.into(), &9.into(), &0.into()));
        assert_eq!(receiver.hooks().len(), 3);
    }

    async fn nothing_of_it_is_sent_again_after_a_kill(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(200).after(Duration::from_mins(1)));
        let (producer, id) = cancelled(&database, &receiver).await;
        producer.kill();
        receiver.always(Answer::status(200));
        let producer = Producer::start(&database, &receiver).await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["cancelled"], &batch["retrying"], receiver.hooks().len()), (&10.into(), &0.into(), 2));
    }
}
