//! How much an endpoint is sent: what it can take, and what it asked for.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use crate::support::{Answer, Database, Producer, Receiver};

on_both! {
    async fn a_receiver_that_takes_a_few_a_second_gets_all_of_them_without_the_schedules_long_waits(database: Database) {
        let receiver = Receiver::start().await;
        let window = Mutex::new((Instant::now(), 0));
        receiver.answer(move |_, hook| {
            let mut window = window.lock().unwrap();
            if hook.at - window.0 > Duration::from_millis(900) {
                *window = (hook.at, 0);
            }
            window.1 += 1;
            Answer::status(if window.1 <= 10 { 200 } else { 429 })
        });
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,1h,1h".parse().unwrap();
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=60&wait=0").await;
        assert_eq!(producer.done(&id).await["delivered"], 60);
    }

    async fn one_poisonous_task_among_healthy_ones_keeps_its_schedule(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|_, hook| Answer::status(if hook.task()["id"] == 3 { 500 } else { 200 }));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.retry_schedule = "0,1h,1h,1h".parse().unwrap();
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=100&wait=10ms").await;
        producer.until(&id, "the others are delivered", |batch| batch["delivered"] == 99).await;
        let poison = receiver.hooks().into_iter().filter(|hook| hook.task()["id"] == 3).count();
        assert_eq!(poison, 1, "its second attempt is an hour away");
    }

    async fn a_task_that_alone_is_answered_429_is_tried_ever_more_rarely(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|_, hook| Answer::status(if hook.task()["id"] == 3 { 429 } else { 200 }));
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=8&wait=600ms").await;
        producer.until(&id, "the others are delivered", |batch| batch["delivered"] == 7).await;
        let poison = receiver.hooks().into_iter().filter(|hook| hook.task()["id"] == 3).count();
        assert!(poison <= 4, "{poison} attempts in five seconds");
        assert_eq!(producer.batch(&id).await["failed"], 0);
    }
}

#[tokio::test]
async fn a_receiver_that_is_always_busy_ends_in_dead_letters() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(429).with("retry-after", "0"));
    let producer = Producer::start(&database, &receiver).await;
    let id = producer.produce("count=1").await;
    assert_eq!(producer.done(&id).await["failed"], 1);
    assert_eq!(receiver.hooks().len(), 6, "three while it may yet accept, three by the schedule");
}

#[tokio::test]
async fn a_port_that_opens_and_stays_silent_takes_one_attempt_and_no_place_in_the_schedule() {
    let (database, address) = (Database::sqlite(), Receiver::nobody().await);
    let mut settings = Producer::settings(&database, &format!("http://{address}/hooks"));
    settings.retry_schedule = "0,1h,1h,1h".parse().unwrap();
    settings.delivery_timeout = Duration::from_millis(200);
    let producer = Producer::run(settings).await;
    let id = producer.produce("count=1").await;
    producer.until(&id, "it was refused", |batch| batch["seq"] == 1).await;
    let _silent = TcpListener::bind(address).await.unwrap();
    producer.until(&id, "it was tried once it listened", |batch| batch["seq"] == 2).await;
    // A batch that is delivered elsewhere meanwhile: many looks at the silent one would have come in its time.
    let receiver = Receiver::start().await;
    let other = producer.produce(&format!("count=10&wait=100ms&to={}", receiver.url())).await;
    producer.done(&other).await;
    let lines = producer.lines(&id).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((&lines[1]["reason"], &lines[1]["attempt"]), (&"timeout".into(), &1.into()));
}

on_both! {
    async fn a_shorter_retry_after_is_obeyed_after_a_retry_by_hand(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| match number {
            0 => Answer::status(503).with("retry-after", "3600"),
            1 => Answer::status(503).with("retry-after", "2"),
            _ => Answer::status(200),
        });
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=1").await;
        producer.until(&id, "it was told to wait", |batch| batch["seq"] == 1).await;
        producer.post(&format!("/batches/{id}/retry"), "").await;
        receiver.arrived(2).await;
        let second = producer.produce("count=1").await;
        assert_eq!(producer.done(&second).await["delivered"], 1);
        let hooks = receiver.hooks();
        let pause = hooks[2].at - hooks[1].at;
        assert!(pause >= Duration::from_millis(1900), "it paused for {pause:?} only");
    }
}
