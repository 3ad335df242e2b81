//! Several producers on one database.

use std::collections::HashSet;

use common::broker::{Broker, Heard};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Database, Hook, PATIENCE, Producer, Receiver, eventually, redis_url};

#[tokio::test]
async fn two_producers_on_one_postgres_deliver_each_task_once() {
    let (database, receiver) = (Database::postgres().await, Receiver::start().await);
    let settings = Producer::settings(&database, &receiver.url());
    let (first, second) = (Producer::run(settings.clone()).await, Producer::run(settings).await);
    let (one, two) = tokio::join!(first.produce("count=300&wait=0"), second.produce("count=300&wait=0"));
    for id in [&one, &two] {
        assert_eq!(first.done(id).await["delivered"], 300);
        let seqs: Vec<i64> = second.lines(id).await.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, (1..=300).collect::<Vec<_>>());
    }
    let ids: HashSet<String> = receiver.hooks().iter().map(Hook::id).collect();
    assert_eq!((receiver.hooks().len(), ids.len()), (600, 600));
}

on_both! {
    async fn the_counts_agree_with_the_deliveries_whatever_is_pressed_when(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| Answer::status([200, 500, 200, 429, 200, 503][number % 6]));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,10ms,10ms".parse().unwrap();
        let first = Producer::run(settings.clone()).await;
        let second = if database.is_postgres() { Some(Producer::run(settings).await) } else { None };
        let second = second.as_ref().unwrap_or(&first);
        let id = first.produce("count=400&wait=3ms").await;
        let deliveries = first.deliveries(&id).await;
        for round in 0..60 {
            let node = [&first, second][round % 2];
            let press = if round % 20 == 13 { "cancel" } else { "retry" };
            let one = deliveries[round * 37 % 400]["id"].as_str().unwrap();
            let (batch, one) = (format!("/batches/{id}/{press}"), format!("/api/deliveries/{one}/retry"));
            let (batch, one) = tokio::join!(node.post(&batch, ""), second.post(&one, ""));
            assert!([200, 202].contains(&batch.status), "{}", batch.text);
            assert!([202, 409].contains(&one.status), "{}", one.text);
            if round == 50 {
                receiver.always(Answer::status(204));
            }
        }
        let batch = first.done(&id).await;
        let states: Vec<String> =
            first.deliveries(&id).await.iter().map(|delivery| delivery["state"].as_str().unwrap().into()).collect();
        for name in ["delivered", "failed", "cancelled"] {
            let count = states.iter().filter(|state| *state == name).count();
            assert_eq!(batch[name], count, "{name} of {batch}");
        }
        assert_eq!((&batch["pending"], &batch["retrying"], states.len()), (&0.into(), &0.into(), 400));
        let lines = first.lines(&id).await;
        let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, (1..=batch["seq"].as_i64().unwrap()).collect::<Vec<_>>());
        assert_eq!(lines.iter().filter(|line| line["outcome"] == "delivered").count(), batch["delivered"]);
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_slows_nothing() {
    let (database, receiver) = (Database::postgres().await, Receiver::start().await);
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.common.broker_url = Some(format!("redis://{}", Receiver::nobody().await));
    let (first, second) = (Producer::run(settings.clone()).await, Producer::run(settings).await);
    let id = first.produce("count=50&wait=0").await;
    assert_eq!(second.done(&id).await["delivered"], 50);
    let ready = first.get("/readyz").await;
    assert_eq!((ready.status, &ready.json["checks"]["broker"]), (200, &"down".into()));
    first.stop().await;
}

#[tokio::test]
async fn producers_tell_each_other_of_work_and_of_batches_that_moved() {
    let (database, receiver) = (Database::postgres().await, Receiver::start().await);
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.common.broker_url = Some(redis_url());
    let producer = Producer::run(settings).await;
    eventually("the broker is up", || async {
        (producer.get("/readyz").await.json["checks"]["broker"] == "up").then_some(())
    })
    .await;
    let sql = "select value from settings where name = 'installation'";
    let row = sqlx::query(sql).fetch_one(&mut database.connection().await).await.unwrap();
    let channel = format!("hookcast:producer:{}", row.get::<String, _>(0));
    let stop = CancellationToken::new();
    let (listener, mut heard) = Broker::connect(&redis_url(), channel, &stop).unwrap();
    eventually("we are subscribed", || async { listener.is_up().then_some(()) }).await;
    let id = producer.produce("count=1").await;
    let (mut work, mut moved) = (false, false);
    while !(work && moved) {
        let Heard::Message(news) = tokio::time::timeout(PATIENCE, heard.recv()).await.unwrap().unwrap() else {
            continue;
        };
        let news = String::from_utf8(news.to_vec()).unwrap();
        work |= news.ends_with(" work");
        moved |= news.ends_with(&format!(" {id}"));
    }
    stop.cancel();
}
