//! When it is tried again, and when no more.

use std::{collections::HashSet, time::Duration};

use crate::support::{Answer, Database, Hook, Producer, Receiver, eventually};

on_both! {
    async fn a_failing_delivery_is_tried_on_schedule_then_is_a_dead_letter_and_can_be_retried(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=3&wait=0").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["failed"], &batch["retrying"], &batch["state"]), (&3.into(), &0.into(), &"done".into()));
        assert_eq!(receiver.hooks().len(), 9, "three attempts each");
        let ids: HashSet<String> = receiver.hooks().iter().map(Hook::id).collect();
        assert_eq!(ids.len(), 3, "a webhook-id stays the same over retries");

        receiver.always(Answer::status(204));
        let reply = producer.post(&format!("/batches/{id}/retry"), "").await;
        assert_eq!((reply.status, &reply.json["retrying"], &reply.json["failed"]), (202, &3.into(), &0.into()));
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["failed"], &batch["retrying"]), (&3.into(), &0.into(), &0.into()));
        let again: HashSet<String> = receiver.hooks().iter().map(Hook::id).collect();
        assert_eq!(ids, again);
    }

    async fn the_lines_of_a_retry_say_what_happened_and_when_it_is_tried_again(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| Answer::status(if number == 0 { 500 } else { 200 }));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=1").await;
        producer.done(&id).await;
        let lines = producer.lines(&id).await;
        assert_eq!(lines.len(), 2);
        let (first, second) = (&lines[0], &lines[1]);
        assert_eq!((&first["outcome"], &first["status"], &first["reason"]), (&"retrying".into(), &500.into(), &"status".into()));
        assert!(first["text"].as_str().unwrap().contains("500 Internal Server Error"));
        assert!(first["next_at"].is_string());
        assert_eq!((&first["attempt"], &first["attempts_max"], &first["seq"]), (&1.into(), &3.into(), &1.into()));
        assert_eq!((&second["outcome"], &second["attempt"], &second["seq"]), (&"delivered".into(), &2.into(), &2.into()));
        assert!(second["next_at"].is_null() && second["text"].is_null());
    }

    async fn one_dead_letter_is_retried_alone(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=2&wait=0").await;
        producer.done(&id).await;
        receiver.always(Answer::status(200));
        let delivery = producer.deliveries(&id).await[1]["id"].as_str().unwrap().to_owned();
        let reply = producer.post(&format!("/api/deliveries/{delivery}/retry"), "").await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["failed"]), (&1.into(), &1.into()));
        let detail = producer.get(&format!("/api/deliveries/{delivery}")).await.json;
        assert_eq!(detail["state"], "delivered");
        let attempts = detail["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 4);
        assert_eq!((&attempts[3]["number"], &attempts[3]["response"]), (&4.into(), &"answered\n".into()));
        assert_eq!(producer.post(&format!("/api/deliveries/{delivery}/retry"), "").await.status, 409);
    }

    async fn retry_after_is_obeyed(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| match number {
            0 => Answer::status(503).with("retry-after", "1"),
            _ => Answer::status(200),
        });
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=1").await;
        producer.done(&id).await;
        let hooks = receiver.hooks();
        assert_eq!(hooks.len(), 2);
        assert!(hooks[1].at - hooks[0].at >= Duration::from_millis(950), "{:?}", hooks[1].at - hooks[0].at);
    }

    async fn retrying_a_batch_makes_what_waits_for_its_schedule_due_at_once(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,1h".parse().unwrap();
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=5&wait=0").await;
        producer.until(&id, "all wait for a retry", |batch| batch["retrying"] == 5).await;
        receiver.always(Answer::status(200));
        producer.post(&format!("/batches/{id}/retry"), "").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["retrying"]), (&5.into(), &0.into()));
    }

    async fn cancelling_ends_what_waits_for_a_retry(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,1h".parse().unwrap();
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=2&wait=0").await;
        producer.until(&id, "both wait for a retry", |batch| batch["retrying"] == 2).await;
        let batch = producer.post(&format!("/batches/{id}/cancel"), "").await.json;
        assert_eq!((&batch["cancelled"], &batch["retrying"], &batch["pending"]), (&2.into(), &0.into(), &0.into()));
        assert!(batch["ended_at"].is_string());
        let delivery = producer.deliveries(&id).await[0]["id"].as_str().unwrap().to_owned();
        receiver.always(Answer::status(200));
        assert_eq!(producer.post(&format!("/api/deliveries/{delivery}/retry"), "").await.status, 202);
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["cancelled"], &batch["retrying"]), (&1.into(), &1.into(), &0.into()));
    }

    async fn a_consumer_that_was_away_is_caught_up_as_soon_as_it_listens(database: Database) {
        let address = Receiver::nobody().await;
        let mut settings = Producer::settings(&database, &format!("http://{address}/hooks"));
        settings.retry_schedule = "0,1h".parse().unwrap();
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=40&wait=0").await;
        producer.until(&id, "all were refused", |batch| batch["retrying"] == 40).await;
        let line = producer.lines(&id).await.remove(0);
        assert_eq!((&line["reason"], &line["status"]), (&"refused".into(), &serde_json::Value::Null));
        assert_eq!(line["text"], format!("nothing listens on {address}. Start the consumer, then Retry"));
        let receiver = Receiver::at(address).await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["failed"]), (&40.into(), &0.into()));
        assert_eq!(receiver.hooks().len(), 40);
    }
}

#[tokio::test]
async fn what_waits_for_a_busy_receiver_comes_when_it_answers_again() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.answer(|number, _| Answer::status(if number < 4 { 429 } else { 200 }));
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.retry_schedule = "0,1h".parse().unwrap();
    settings.endpoint_concurrency = 4;
    let producer = Producer::run(settings).await;
    let id = producer.produce("count=20&wait=0").await;
    let batch = producer.done(&id).await;
    assert_eq!(batch["delivered"], 20);
    eventually("24 requests", || async { (receiver.hooks().len() == 24).then_some(()) }).await;
}
