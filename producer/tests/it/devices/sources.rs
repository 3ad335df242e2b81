//! What each kind of source says, and what of it counts as a change.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Executor;

use super::{File, PATH, ai, counted, devices, di, producer, text, until};
use crate::support::{
    Database,
    endpoint::{Call, Endpoint},
    eventually,
    evok::Evok,
};

const REST_ALL: &str = include_str!("../../fixtures/evok/rest-all.json");

#[tokio::test]
async fn everything_that_a_real_evok_tells_arrives_and_a_bare_device_too() {
    let all: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(REST_ALL).unwrap();
    let texts: Vec<&str> = all.iter().map(|device| device.get()).collect();
    let (database, endpoint, evok) = (Database::sqlite(), Endpoint::start().await, Evok::start(&texts).await);
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &[])).await;
    let calls = endpoint.arrived("POST", PATH, 1).await;
    assert_eq!(devices(&calls), serde_json::from_str::<Vec<Value>>(REST_ALL).unwrap());
    let wires: Vec<&str> =
        include_str!("../../fixtures/evok/ws-onewire.txt").lines().filter(|line| line.starts_with('{')).collect();
    for wire in &wires {
        evok.tell(wire);
    }
    let calls = endpoint.arrived("POST", PATH, 1 + wires.len()).await;
    let arrived: Vec<&str> = calls[1..].iter().map(text).collect();
    assert_eq!(arrived, wires.iter().map(|wire| format!("[{wire}]")).collect::<Vec<_>>());
    producer.stop().await;
}

#[tokio::test]
async fn a_device_that_answers_no_ping_is_left_and_asked_again() {
    let (database, endpoint, evok) =
        (Database::sqlite(), Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &[])).await;
    counted(&endpoint, "1_01", 0).await;
    evok.turn_deaf(true);
    let status = until(&producer, "the silence is told", |status| !status["last_error"].is_null()).await;
    assert!(status["last_error"].as_str().unwrap().contains("ping"), "{status}");
    let page = producer.get("/devices").await.text;
    assert!(page.contains("boiler") && page.contains("no answer to a ping"), "{page}");
    evok.turn_deaf(false);
    evok.change_silently(0, &di("1_01", 1));
    assert_eq!(counted(&endpoint, "1_01", 1).await, [0, 1]);
    producer.stop().await;
}

#[tokio::test]
async fn a_device_is_not_left_because_we_store_slowly_what_it_says() {
    let (database, endpoint, evok) =
        (Database::sqlite(), Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &[])).await;
    counted(&endpoint, "1_01", 0).await;
    let mut beside = database.connection().await;
    beside.execute("begin immediate").await.unwrap();
    for counter in 1..=40 {
        evok.change(0, &di("1_01", counter));
    }
    // For several pings nothing can be stored.
    tokio::time::sleep(Duration::from_secs(1)).await;
    beside.execute("rollback").await.unwrap();
    assert_eq!(counted(&endpoint, "1_01", 40).await, (0..=40).collect::<Vec<_>>());
    assert_eq!(evok.connections(), 1);
    producer.stop().await;
}

#[tokio::test]
async fn a_modbus_slave_that_falls_silent_is_told_as_stale() {
    let slave = |last_comm: &str| {
        format!(r#"{{"dev": "modbus_slave", "circuit": "1", "last_comm": {last_comm}, "slave_id": 1}}"#)
    };
    let (database, endpoint) = (Database::sqlite(), Endpoint::start().await);
    let evok = Evok::start(&[&slave("0.0036")]).await;
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &[])).await;
    endpoint.arrived("POST", PATH, 1).await;
    evok.change_silently(0, &slave("0.0100"));
    evok.change_silently(0, &slave("2147483647"));
    let calls = endpoint.arrived("POST", PATH, 2).await;
    assert_eq!(devices(&calls)[1]["stale"], true);
    until(&producer, "the status says so", |status| status["stale"] == json!(["1"])).await;
    let page = producer.get("/devices").await.text;
    assert!(page.contains("Partly silent") && page.contains("Modbus slave 1"), "{page}");
    evok.change_silently(0, &slave("0.5"));
    let calls = endpoint.arrived("POST", PATH, 3).await;
    assert!(devices(&calls)[2].get("stale").is_none());
    producer.stop().await;
}

#[tokio::test]
async fn a_value_beyond_its_threshold_carries_a_priority_and_a_small_move_is_no_change() {
    let (database, endpoint, evok) = (Database::sqlite(), Endpoint::start().await, Evok::start(&[&ai("1")]).await);
    let keys = ["deadband: {ai: 0.5}", "thresholds: [{dev: ai, above: 9, priority: Critical}]"];
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &keys)).await;
    endpoint.arrived("POST", PATH, 1).await;
    for value in ["1.2", "1.4", "8.9", "9.1", "9.2", "2"] {
        evok.change(0, &ai(value));
    }
    let calls = eventually("the last one arrives", || async {
        Some(endpoint.calls("POST", PATH))
            .filter(|calls| devices(calls).last().is_some_and(|device| device["value"] == 2))
    });
    let told: Vec<(Value, Value)> =
        devices(&calls.await).iter().map(|device| (device["value"].clone(), device["priority"].clone())).collect();
    let none = Value::Null;
    assert_eq!(
        told,
        [(json!(1), none.clone()), (json!(8.9), none.clone()), (json!(9.1), json!("Critical")), (json!(2), none)]
    );
    producer.stop().await;
}

#[tokio::test]
async fn this_machine_tells_numbers_with_units() {
    let (database, endpoint) = (Database::sqlite(), Endpoint::start().await);
    let file = File::of(
        "sources:\n  - name: boiler\n    host: {interval: 100ms}\n    device_mask: [\"memory*\", \"load\", \"cpu\"]\n",
    );
    let producer = producer(&database, &endpoint, &file).await;
    let seen = |calls: &[Call], dev: &str| devices(calls).iter().any(|device| device["dev"] == dev);
    let calls = eventually("all kinds arrive", || async {
        let calls = endpoint.calls("POST", PATH);
        ["memory", "memory_free", "load", "cpu"].iter().all(|dev| seen(&calls, dev)).then_some(calls)
    })
    .await;
    for device in devices(&calls) {
        assert!(device["value"].is_number() && device["unit"].is_string(), "{device}");
    }
    assert!(!seen(&calls, "disk"), "the mask holds");
    producer.stop().await;
}

#[tokio::test]
async fn the_page_of_devices_is_told_when_a_source_does_otherwise() {
    let (database, endpoint, evok) =
        (Database::sqlite(), Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
    let producer = producer(&database, &endpoint, &File::boiler(&evok, &[])).await;
    counted(&endpoint, "1_01", 0).await;
    let mut stream = producer.request("GET", "/devices/events").send().await.unwrap();
    let mut told = String::new();
    for event in ["event: ready", "event: moved"] {
        while !told.contains(event) {
            told += &String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("the stream goes on"));
        }
        evok.tell(&di("1_01", 1));
    }
    producer.stop().await;
    while stream.chunk().await.unwrap().is_some() {}
}
