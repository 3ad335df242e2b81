//! Two consumers on one PostgreSQL: a device is at one of them, and a call comes to the other.

use serde_json::json;

use super::{Device, action, all_are, call, device, key};
use crate::support::{
    TestApp,
    database::{Database, Mode},
};

async fn call_at_one_and_obey_at_the_other(settings: &[&str]) {
    let database = Database::create(Mode::Machines).await;
    let nodes = [TestApp::start(&database, settings).await, TestApp::start(&database, settings).await];
    let key = key(&nodes[0]).await;
    action(&nodes[0], "toast", json!({})).await;
    let keys = [device(&nodes[0], "a", &[]).await, device(&nodes[0], "b", &[]).await];
    let mut devices = Vec::new();
    for (node, device) in nodes.iter().zip(&keys) {
        devices.push(Device::connect(node, device, json!(null)).await);
    }
    for node in &nodes {
        let (_, answer) = call(node, &key, json!({"event_id": "toast"})).await;
        assert_eq!((&answer["reached"], &answer["queued"]), (&json!(2), &json!(0)), "wherever they are");
        let execution = answer["execution_id"].as_str().unwrap();
        for device in &mut devices {
            assert_eq!(device.does().await["execution"], execution);
        }
        all_are(node, &key, execution, "done").await;
    }
    // It moves to the other node while its old connection still stands: that one is not listened to any more.
    let mut moved = Device::connect(&nodes[1], &keys[0], json!(null)).await;
    let (_, answer) = call(&nodes[0], &key, json!({"event_id": "toast"})).await;
    let command = moved.does().await;
    assert_eq!(command["execution"], answer["execution_id"]);
    assert_eq!(devices[0].says("ack", &command).await["execute"], false);
    devices.remove(0).socket.ended().await;
    for node in nodes {
        node.end().await;
    }
}

#[tokio::test]
async fn a_call_at_one_node_reaches_the_devices_of_the_other() {
    call_at_one_and_obey_at_the_other(&[]).await;
}

#[tokio::test]
async fn a_call_reaches_the_other_node_through_the_database_when_redis_is_away() {
    call_at_one_and_obey_at_the_other(&["--broker-url", "redis://127.0.0.1:1"]).await;
}
