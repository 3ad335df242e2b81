//! Following a batch: server-sent events that begin anywhere, miss nothing, repeat nothing, and end.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use crate::support::{Answer, Database, PATIENCE, Producer, Receiver};

/// One server-sent event.
#[derive(Debug)]
struct Event {
    name: String,
    id: Option<i64>,
    data: Value,
}

/// An open stream.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(producer: &Producer, id: &str, last: Option<i64>) -> Self {
        let request = producer.request("GET", &format!("/batches/{id}/events"));
        let request = last.into_iter().fold(request, |request, last| request.header("last-event-id", last));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event or the end");
            self.text += std::str::from_utf8(&chunk.ok()??).unwrap();
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).unwrap();
    Some(Event { name: field("event")?.to_owned(), id: field("id").map(|id| id.parse().unwrap()), data })
}

fn ids(events: &[Event]) -> Vec<i64> {
    events.iter().filter(|event| event.name == "line").map(|event| event.id.unwrap()).collect()
}

on_both! {
    async fn a_stream_tells_every_line_once_and_ends_with_the_batch(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=40&wait=5ms").await;
        let events = Stream::open(&producer, &id, None).await.rest().await;
        assert_eq!(ids(&events), (1..=40).collect::<Vec<_>>());
        let last = events.last().unwrap();
        assert_eq!((last.name.as_str(), &last.data["state"], &last.data["delivered"]), ("end", &"done".into(), &40.into()));
        assert!(events.iter().any(|event| event.name == "progress" && event.id.is_none()));
        assert!(events.iter().filter(|event| event.name == "line").all(|event| event.data["seq"] == event.id.unwrap()));
    }

    async fn a_stream_that_broke_goes_on_behind_the_last_event(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=30&wait=10ms").await;
        let mut stream = Stream::open(&producer, &id, None).await;
        let mut seen = Vec::new();
        while seen.len() < 7 {
            seen.extend(ids(&[stream.next().await.unwrap()]));
        }
        drop(stream);
        seen.extend(ids(&Stream::open(&producer, &id, Some(7)).await.rest().await));
        assert_eq!(seen, (1..=30).collect::<Vec<_>>());
        let late = Stream::open(&producer, &id, Some(30)).await.rest().await;
        assert_eq!(late.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["end"]);
    }

    async fn a_stream_survives_a_kill_of_the_producer_without_a_repeat(database: Database) {
        let receiver = Receiver::start().await;
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.delivery_timeout = Duration::from_millis(500);
        let producer = Producer::run(settings.clone()).await;
        let id = producer.produce("count=40&wait=10ms").await;
        let mut stream = Stream::open(&producer, &id, None).await;
        let mut seen = Vec::new();
        while seen.len() < 10 {
            seen.extend(ids(&[stream.next().await.unwrap()]));
        }
        producer.kill();
        let producer = Producer::run(settings).await;
        seen.extend(ids(&Stream::open(&producer, &id, seen.last().copied()).await.rest().await));
        assert_eq!(seen, (1..=40).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_stream_ends_on_shutdown_without_saying_that_the_batch_did() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(500));
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.retry_schedule = "0,1h".parse().unwrap();
    let producer = Producer::run(settings).await;
    let id = producer.produce("count=1").await;
    let mut stream = Stream::open(&producer, &id, None).await;
    while stream.next().await.unwrap().name != "line" {}
    let (events, ()) = tokio::join!(stream.rest(), producer.stop());
    assert!(events.iter().all(|event| event.name == "progress"), "{events:?}");
}

#[tokio::test]
async fn who_follows_a_batch_is_told_that_it_was_cancelled_while_the_last_attempt_is_under_way() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_secs(2)));
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.endpoint_concurrency = 1;
    let producer = Producer::run(settings).await;
    let id = producer.produce("count=3&wait=0").await;
    receiver.arrived(1).await;
    let mut stream = Stream::open(&producer, &id, None).await;
    assert_eq!(stream.next().await.unwrap().data["state"], "running");
    producer.post(&format!("/batches/{id}/cancel"), "").await;
    let event = stream.next().await.unwrap();
    assert_eq!((event.name.as_str(), &event.data["cancelled"]), ("progress", &2.into()));
}

#[tokio::test]
async fn a_batch_that_is_retried_can_be_followed_again() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(410));
    let producer = Producer::start(&database, &receiver).await;
    let id = producer.produce("count=2&wait=0").await;
    let first = Stream::open(&producer, &id, None).await.rest().await;
    assert_eq!(ids(&first), [1, 2]);
    receiver.always(Answer::status(200));
    producer.post(&format!("/batches/{id}/retry"), "").await;
    let second = Stream::open(&producer, &id, Some(2)).await.rest().await;
    assert_eq!(ids(&second), [3, 4]);
    assert_eq!(second.last().unwrap().data["delivered"], 2);
}

#[tokio::test]
async fn there_is_no_stream_of_a_batch_that_does_not_exist() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let producer = Producer::start(&database, &receiver).await;
    assert_eq!(producer.get("/batches/nothing/events").await.status, 404);
}
