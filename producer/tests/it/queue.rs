//! From the button to the receiver: what is produced arrives, once.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Answer, Database, Hook, Producer, Receiver, eventually};

on_both! {
    async fn every_task_of_a_batch_is_delivered_once(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=300&wait=0").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["delivered"], &batch["failed"], &batch["pending"]), (&300.into(), &0.into(), &0.into()));
        let tasks: HashSet<u64> = receiver.hooks().iter().map(|hook| hook.task()["id"].as_u64().unwrap()).collect();
        let ids: HashSet<String> = receiver.hooks().iter().map(Hook::id).collect();
        assert_eq!((receiver.hooks().len(), tasks.len(), ids.len()), (300, 300, 300));
        let owners: HashSet<String> = receiver.hooks().iter().map(|hook| hook.task()["owner"].to_string()).collect();
        assert_eq!(owners.len(), 300);
    }

    async fn a_second_press_runs_beside_the_first(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let (slow, fast) = (producer.produce("count=3&wait=200ms").await, producer.produce("count=20&wait=0").await);
        producer.done(&fast).await;
        assert_eq!(producer.batch(&slow).await["state"], "running");
        producer.done(&slow).await;
        assert_eq!(receiver.hooks().len(), 23);
    }

    async fn what_was_queued_survives_a_kill_and_is_delivered_by_the_next_run(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(200).after(Duration::from_millis(20)));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.delivery_timeout = Duration::from_millis(500);
        settings.endpoint_concurrency = 4;
        let producer = Producer::run(settings.clone()).await;
        let id = producer.produce("count=100&wait=0").await;
        receiver.arrived(20).await;
        producer.kill();
        receiver.always(Answer::status(200));
        let producer = Producer::run(settings).await;
        let batch = producer.done(&id).await;
        assert_eq!(batch["delivered"], 100);
        let ids: HashSet<String> = receiver.hooks().iter().map(Hook::id).collect();
        assert_eq!(ids.len(), 100, "a task that is sent twice keeps its webhook-id");
        assert_eq!(producer.lines(&id).await.len(), 100, "nothing is shown twice");
    }

    async fn cancelling_takes_the_rest_out_of_the_queue_and_counts_what_is_under_way(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(200).after(Duration::from_millis(300)));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.endpoint_concurrency = 2;
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=50&wait=0").await;
        receiver.arrived(2).await;
        let reply = producer.post(&format!("/batches/{id}/cancel"), "").await;
        assert_eq!((reply.status, &reply.json["state"]), (200, &"cancelled".into()));
        let batch = producer.done(&id).await;
        let [delivered, cancelled] = ["delivered", "cancelled"].map(|name| batch[name].as_u64().unwrap());
        assert_eq!(delivered + cancelled, 50);
        assert_eq!(delivered, receiver.hooks().len() as u64);
        assert!(cancelled >= 40, "{batch}");
        let again = producer.post(&format!("/batches/{id}/cancel"), "").await;
        assert_eq!(again.json["cancelled"], cancelled);
    }

    async fn a_receiver_that_hangs_does_not_delay_another(database: Database) {
        let (hanging, healthy) = (Receiver::start().await, Receiver::start().await);
        hanging.always(Answer::status(200).after(Duration::from_mins(1)));
        let mut settings = Producer::settings(&database, &healthy.url());
        settings.delivery_concurrency = 12;
        settings.endpoint_concurrency = 8;
        let producer = Producer::run(settings).await;
        let stuck = producer.produce(&format!("count=500&wait=0&to={}", hanging.url())).await;
        hanging.arrived(8).await;
        let id = producer.produce("count=100&wait=0").await;
        producer.done(&id).await;
        assert_eq!(producer.batch(&stuck).await["delivered"], 0);
        assert!(hanging.hooks().len() <= 8);
    }

    async fn tasks_of_a_paced_batch_come_one_wait_apart(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let pressed = Instant::now();
        let id = producer.produce("count=4&wait=100ms").await;
        producer.done(&id).await;
        for (place, hook) in (0u32..).zip(receiver.hooks()) {
            assert_eq!(hook.task()["id"], place);
            assert!(hook.at - pressed >= Duration::from_millis(100) * place, "task {place} came early");
        }
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_tasks_and_the_same_number_of_them() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let producer = Producer::start(&database, &receiver).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let before = receiver.hooks().len();
        let id = producer.produce("seed=7&wait=0").await;
        producer.done(&id).await;
        let mut tasks: Vec<Value> = receiver.hooks()[before..].iter().map(Hook::task).collect();
        tasks.sort_by_key(|task| task["id"].as_u64());
        let what = |task: &Value| (task["owner"].to_string(), task["priority"].to_string());
        seen.push(tasks.iter().map(what).collect::<Vec<_>>());
        assert!(tasks.iter().all(|task| task["batchid"] == id.as_str()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_task_is_sent_as_sorted_json_with_its_headers() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let producer = Producer::start(&database, &receiver).await;
    let id = producer.produce("count=1&weights=Critical%3D1").await;
    producer.done(&id).await;
    let hook = receiver.hooks().remove(0);
    let text = String::from_utf8(hook.body.to_vec()).unwrap();
    let owner = hook.task()["owner"].as_str().unwrap().to_owned();
    assert_eq!(text, format!(r#"{{"batchid":"{id}","id":0,"owner":"{owner}","priority":"Critical"}}"#));
    assert_eq!(hook.header("content-type"), "application/json");
    assert!(hook.header("user-agent").starts_with("hookcast/"));
    assert!(hook.header("webhook-timestamp").parse::<i64>().unwrap() > 1_700_000_000);
    assert!(hook.headers.get("webhook-signature").is_none());
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way_and_leaves_the_rest_in_the_queue() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_millis(200)));
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.endpoint_concurrency = 3;
    let producer = Producer::run(settings.clone()).await;
    let id = producer.produce("count=30&wait=0").await;
    receiver.arrived(3).await;
    producer.stop().await;
    let sent = receiver.hooks().len();
    let producer = Producer::run(settings).await;
    let recorded = producer.batch(&id).await["delivered"].as_u64().unwrap();
    assert!(recorded >= sent as u64, "{recorded} recorded of {sent}");
    receiver.always(Answer::status(200));
    producer.done(&id).await;
    assert_eq!(receiver.hooks().len(), 30);
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_receiver_that_hangs() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_mins(1)));
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.delivery_timeout = Duration::from_secs(50);
    let producer = Producer::run(settings.clone()).await;
    let id = producer.produce("count=2&wait=0").await;
    receiver.arrived(2).await;
    producer.stop().await;
    receiver.always(Answer::status(200));
    let producer = Producer::run(settings).await;
    producer.done(&id).await;
    eventually("both sent again", || async { (receiver.hooks().len() == 4).then_some(()) }).await;
}
