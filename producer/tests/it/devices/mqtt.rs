//! What is said on a real broker becomes readings, whoever is away meanwhile: it or we.

use serde_json::{Value, json};

use super::{File, PATH, devices, producer, until};
use crate::support::{
    Database,
    endpoint::{Call, Endpoint},
    eventually,
    mosquitto::Mosquitto,
};

/// A source `boiler` at the broker, with these keys more.
fn file(broker: &Mosquitto, keys: &[&str]) -> File {
    let keys = keys.join("\n      ");
    File::of(&format!(
        "sources:\n  - name: boiler\n    mqtt:\n      url: mqtt://127.0.0.1:{}\n      {keys}\n",
        broker.port
    ))
}

const HOUSE: &str = "topics: [{topic: \"house/{circuit}/{dev}\"}]";

fn values(calls: &[Call], circuit: &str) -> Vec<Value> {
    let said = devices(calls).into_iter().filter(|device| device["circuit"] == circuit);
    said.map(|device| device["value"].clone()).collect()
}

async fn said(endpoint: &Endpoint, circuit: &str, last: Value) -> Vec<Value> {
    let look = || async { Some(values(&endpoint.calls("POST", PATH), circuit)).filter(|said| said.contains(&last)) };
    eventually(&format!("{circuit} says {last}"), look).await
}

#[tokio::test]
async fn what_is_retained_is_the_state_and_what_is_said_later_are_changes() {
    let (database, endpoint, broker) = (Database::sqlite(), Endpoint::start().await, Mosquitto::start().await);
    broker.say(true, &[("house/hall/temp", "19.5"), ("house/hall/lux", "dark")]).await;
    let keys = [
        "topics:",
        "  - {topic: \"house/{circuit}/{dev}\"}",
        "  - {topic: zigbee/+, dev: temp, circuit: door, value: /temperature, unit: °C}",
    ];
    let producer = producer(&database, &endpoint, &file(&broker, &keys)).await;
    said(&endpoint, "hall", json!("dark")).await;
    broker.say(false, &[("house/hall/temp", "19.5"), ("house/hall/temp", "20"), ("other/hall/temp", "7")]).await;
    broker
        .say(false, &[("zigbee/x", r#"{"battery": 90}"#), ("zigbee/x", r#"{"temperature": 4.5, "battery": 90}"#)])
        .await;
    said(&endpoint, "door", json!(4.5)).await;
    let told = devices(&endpoint.calls("POST", PATH));
    let topic = "house/hall/temp";
    assert!(told.contains(&json!({"dev": "temp", "circuit": "hall", "value": 19.5, "topic": topic})), "{told:?}");
    assert_eq!(
        told.last(),
        Some(&json!({"dev": "temp", "circuit": "door", "value": 4.5, "unit": "°C", "topic": "zigbee/x"}))
    );
    let temperatures: Vec<&Value> =
        told.iter().filter(|device| device["topic"] == topic).map(|device| &device["value"]).collect();
    assert_eq!(temperatures, [&json!(19.5), &json!(20)]);
    let status = until(&producer, "what cannot be read is told", |status| !status["last_error"].is_null()).await;
    assert_eq!(status["last_error"], "zigbee/x: the message has nothing at /temperature");
    assert_eq!((&status["state"], &status["kind"]), (&json!("connected"), &json!("mqtt")));
    producer.stop().await;
}

#[tokio::test]
async fn a_controllers_topics_are_understood_and_so_are_evoks_own_objects() {
    let (database, endpoint, broker) = (Database::sqlite(), Endpoint::start().await, Mosquitto::start().await);
    let keys = ["layout: unipi", "topics: [{topic: \"evok/#\"}]"];
    let producer = producer(&database, &endpoint, &file(&broker, &keys)).await;
    until(&producer, "it is connected", |status| status["state"] == "connected").await;
    let evok = r#"[{"dev": "ai", "circuit": "1_01", "value": NaN, "unit": "V"}]"#;
    broker
        .say(
            false,
            &[
                ("l533/relay/ro_2_01/get", "ON"),
                ("l533/relay/ro_2_01/set", "OFF"),
                ("l533/meter/voltage_1/get", "230.1"),
                ("evok/ai", evok),
            ],
        )
        .await;
    said(&endpoint, "1_01", json!("NaN")).await;
    let told = devices(&endpoint.calls("POST", PATH));
    let expected = [
        json!({"dev": "ro", "circuit": "l533/2_01", "value": 1, "topic": "l533/relay/ro_2_01/get"}),
        json!({"dev": "meter", "circuit": "l533/voltage_1", "value": 230.1, "unit": "V", "topic": "l533/meter/voltage_1/get"}),
        json!({"dev": "ai", "circuit": "1_01", "value": "NaN", "unit": "V"}),
    ];
    assert_eq!(told, expected);
    producer.stop().await;
}

on_both! {
    async fn a_broker_that_is_away_and_comes_back_tells_nothing_twice_and_goes_on(database: Database) {
        let (endpoint, mut broker) = (Endpoint::start().await, Mosquitto::start().await);
        broker.say(true, &[("house/a/temp", "1"), ("house/b/temp", "90")]).await;
        let producer = producer(&database, &endpoint, &file(&broker, &[HOUSE])).await;
        said(&endpoint, "b", json!(90)).await;
        for round in 2..4 {
            broker.stop().await;
            until(&producer, "the loss is told", |status| status["state"] == "connecting").await;
            broker.start_again().await;
            broker.say(true, &[("house/a/temp", &round.to_string())]).await;
            said(&endpoint, "a", json!(round)).await;
        }
        let calls = endpoint.calls("POST", PATH);
        assert_eq!((values(&calls, "a"), values(&calls, "b")), (vec![json!(1), json!(2), json!(3)], vec![json!(90)]));
        producer.stop().await;
    }

    async fn what_is_said_while_we_are_away_arrives_later_in_order(database: Database) {
        let (endpoint, broker) = (Endpoint::start().await, Mosquitto::start().await);
        let file = file(&broker, &[HOUSE]);
        let first = producer(&database, &endpoint, &file).await;
        until(&first, "it is connected", |status| status["state"] == "connected").await;
        broker.say(false, &[("house/a/temp", "0")]).await;
        said(&endpoint, "a", json!(0)).await;
        first.stop().await;
        let counts: Vec<String> = (1..=50).map(|count: u64| count.to_string()).collect();
        let messages: Vec<(&str, &str)> = counts.iter().map(|count| ("house/a/temp", count.as_str())).collect();
        broker.say(false, &messages).await;
        let second = producer(&database, &endpoint, &file).await;
        assert_eq!(said(&endpoint, "a", json!(50)).await, (0..=50).map(|count| json!(count)).collect::<Vec<_>>());
        second.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_does_not_let_us_in_is_told_in_words() {
    let broker = Mosquitto::with("allow_anonymous false").await;
    let (database, endpoint) = (Database::sqlite(), Endpoint::start().await);
    let keys = ["username: anna", "password: secret word", HOUSE];
    let producer = producer(&database, &endpoint, &file(&broker, &keys)).await;
    let status = until(&producer, "it says why", |status| !status["last_error"].is_null()).await;
    let error = status["last_error"].as_str().unwrap();
    assert!(error.contains("username, password") && !status.to_string().contains("secret word"), "{status}");
    producer.stop().await;
}
