//! Registers and coils of a simulated device become readings, whatever the device refuses and whenever it is away.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_modbus::ExceptionCode;

use super::{File, PATH, devices, producer, text, until};
use crate::support::{
    Database,
    endpoint::{Call, Endpoint},
    eventually,
    modbus::{Device, Modbus},
};

/// A source `boiler` at the device, with these points.
fn file(modbus: &Modbus, points: &[&str]) -> File {
    let keys = format!("address: \"{}\", unit: 7, poll_interval: 20ms, timeout: 300ms", modbus.address);
    let points: Vec<String> = points.iter().map(|point| format!("        - {{{point}}}\n")).collect();
    File::of(&format!(
        "sources:\n  - name: boiler\n    modbus:\n      {}\n      points:\n{}",
        keys.replace(", ", "\n      "),
        points.concat()
    ))
}

fn table(values: &[(u16, u16)]) -> BTreeMap<u16, u16> {
    values.iter().copied().collect()
}

const COUNTER: &str = "name: counter, register: holding, address: 0";

/// What a point said, in order.
fn values(calls: &[Call], circuit: &str) -> Vec<Value> {
    let said = devices(calls).into_iter().filter(|device| device["circuit"] == circuit);
    said.map(|device| device["value"].clone()).collect()
}

async fn said(endpoint: &Endpoint, circuit: &str, last: Value) -> Vec<Value> {
    let look = || async { Some(values(&endpoint.calls("POST", PATH), circuit)).filter(|said| said.contains(&last)) };
    eventually(&format!("{circuit} says {last}"), look).await
}

#[tokio::test]
async fn points_are_told_as_their_keys_say_and_neighbours_are_asked_for_together() {
    let device = Device {
        input: table(&[(0, 213), (1, 0xffff), (2, 0x41aa), (3, 0x6666)]),
        holding: table(&[(40, 0x7fc0), (41, 0)]),
        coils: [(5, true), (6, false)].into(),
        ..Device::default()
    };
    let (database, endpoint, modbus) = (Database::sqlite(), Endpoint::start().await, Modbus::start(device).await);
    let points = [
        "name: flow, register: input, address: 0, scale: 0.1, unit: °C, label: Boiler flow, dev: temp",
        "name: diff, register: input, address: 1, type: i16",
        "name: real, register: input, address: 2, type: f32",
        "name: broken, register: holding, address: 40, type: f32",
        "name: pump, register: coil, address: 5",
        "name: valve, register: coil, address: 6",
    ];
    let producer = producer(&database, &endpoint, &file(&modbus, &points)).await;
    let calls = endpoint.arrived("POST", PATH, 1).await;
    let told: Value = serde_json::from_str(text(&calls[0])).unwrap();
    let expected = json!([
        {"dev": "do", "circuit": "pump", "value": 1},
        {"dev": "do", "circuit": "valve", "value": 0},
        {"dev": "ao", "circuit": "broken", "value": "NaN"},
        {"dev": "temp", "circuit": "flow", "value": 21.3, "unit": "°C", "name": "Boiler flow"},
        {"dev": "ai", "circuit": "diff", "value": -1},
        {"dev": "ai", "circuit": "real", "value": 21.3},
    ]);
    assert_eq!(told, expected);
    assert_eq!(modbus.device().asked[..3], [(7, 5, 2), (7, 40, 2), (7, 0, 4)]);
    modbus.device().input.insert(0, 214);
    assert_eq!(said(&endpoint, "flow", json!(21.4)).await, [json!(21.3), json!(21.4)]);
    assert_eq!(values(&endpoint.calls("POST", PATH), "broken").len(), 1, "no number is told once");
    let is_above = |status: &Value, name: &str| status[name].as_f64().is_some_and(|rate| rate > 0.0);
    until(&producer, "the rates are told", |status| {
        is_above(status, "readings_per_s") && is_above(status, "changes_per_s")
    })
    .await;
    assert!(producer.get("/devices").await.text.contains(" / s)"));
    producer.stop().await;
}

#[tokio::test]
async fn what_the_device_refuses_is_told_in_words_and_the_other_points_go_on() {
    let device = Device {
        holding: table(&[(0, 1), (2, 2)]),
        refused: [(2, ExceptionCode::ServerDeviceFailure)].into(),
        ..Device::default()
    };
    let (database, endpoint, modbus) = (Database::sqlite(), Endpoint::start().await, Modbus::start(device).await);
    let points = [
        COUNTER,
        "name: gone, register: holding, address: 1",
        "name: weak, register: holding, address: 2",
        "name: lamp, register: discrete, address: 0",
    ];
    let producer = producer(&database, &endpoint, &file(&modbus, &points)).await;
    assert_eq!(said(&endpoint, "counter", json!(1)).await, [1]);
    let status =
        until(&producer, "the points fail", |status| status["failing"].as_array().is_some_and(|all| all.len() == 3))
            .await;
    assert_eq!((&status["state"], &status["last_error"]), (&json!("connected"), &Value::Null));
    let failing = status["failing"].as_array().unwrap();
    for (device, words) in [
        ("di lamp", "illegal function (1): the device has no discrete inputs"),
        ("ao gone", "illegal data address (2): the device has no holding register 1"),
        ("ao weak", "device failure (4): the device tried to read holding register 2"),
    ] {
        let error = failing.iter().find(|one| one["device"] == device).unwrap()["error"].as_str().unwrap();
        assert!(error.contains(words), "{error}");
    }
    let page = producer.get("/devices").await.text;
    assert!(page.contains("Partly silent") && page.contains("ao gone: illegal data address (2)"), "{page}");
    modbus.device().refused.clear();
    modbus.device().holding.insert(1, 5);
    assert_eq!(
        (said(&endpoint, "gone", json!(5)).await, said(&endpoint, "weak", json!(2)).await),
        (vec![json!(5)], vec![json!(2)])
    );
    assert_eq!(modbus.device().connections, 1);
    producer.stop().await;
}

#[tokio::test]
async fn a_device_that_is_busy_is_asked_again() {
    let device = Device { holding: table(&[(0, 3)]), busy: 3, ..Device::default() };
    let (database, endpoint, modbus) = (Database::sqlite(), Endpoint::start().await, Modbus::start(device).await);
    let producer = producer(&database, &endpoint, &file(&modbus, &[COUNTER])).await;
    assert_eq!(said(&endpoint, "counter", json!(3)).await, [3]);
    modbus.device().busy = usize::MAX;
    let busy =
        |status: &Value| status["failing"][0]["error"].as_str().is_some_and(|error| error.contains("device busy (6)"));
    until(&producer, "it is too busy", busy).await;
    modbus.device().busy = 0;
    until(&producer, "it is not busy any more", |status| status["failing"] == json!([])).await;
    assert_eq!((values(&endpoint.calls("POST", PATH), "counter"), modbus.device().connections), (vec![json!(3)], 1));
    producer.stop().await;
}

#[tokio::test]
async fn a_device_that_hangs_is_left_and_asked_again() {
    let device = Device { holding: table(&[(0, 1)]), ..Device::default() };
    let (database, endpoint, modbus) = (Database::sqlite(), Endpoint::start().await, Modbus::start(device).await);
    let producer = producer(&database, &endpoint, &file(&modbus, &[COUNTER])).await;
    said(&endpoint, "counter", json!(1)).await;
    modbus.device().hangs = true;
    let status = until(&producer, "the silence is told", |status| !status["last_error"].is_null()).await;
    assert_eq!(status["last_error"], "no answer from unit 7 within 300ms");
    modbus.device().holding.insert(0, 2);
    modbus.device().hangs = false;
    assert_eq!(said(&endpoint, "counter", json!(2)).await, [1, 2]);
    producer.stop().await;
}

on_both! {
    async fn a_device_that_is_cut_off_and_comes_back_loses_no_change_and_tells_none_twice(database: Database) {
        let device = Device { holding: table(&[(0, 1), (1, 90)]), ..Device::default() };
        let (endpoint, mut modbus) = (Endpoint::start().await, Modbus::start(device).await);
        let points = [COUNTER, "name: hot, register: holding, address: 1"];
        let producer = producer(&database, &endpoint, &file(&modbus, &points)).await;
        said(&endpoint, "counter", json!(1)).await;
        for round in 2..5 {
            let (address, mut device) = modbus.die().await;
            until(&producer, "the loss is told", |status| status["state"] == "connecting").await;
            device.holding.insert(0, round);
            modbus = Modbus::at(address, device).await;
            said(&endpoint, "counter", json!(round)).await;
        }
        let calls = endpoint.calls("POST", PATH);
        assert_eq!(values(&calls, "counter"), [1, 2, 3, 4]);
        assert_eq!(values(&calls, "hot"), [90]);
        producer.stop().await;
    }
}
