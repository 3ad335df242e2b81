//! What may be said on a socket, made up: packets of engine.io and socket.io that are none, too large, or come in the wrong order. Whoever sends
//! them is cut off or passed over; everybody else goes on.

use futures_util::{SinkExt, StreamExt};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::support::{
    TestApp,
    database::{Database, Mode},
    socket::Socket,
    tasks,
};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Near to what clients say, and anything at all.
fn packets() -> impl Strategy<Value = Vec<String>> {
    let near = r#"[0-6]?[0-6]?[0-9]{0,3}-?(/(live|collectHooks|devices|[a-z]{0,4}),)?[0-9]{0,4}(\["(join|join_room|ack|done|showing|msg)",?|\{"(since|source|key|last|id)":|[\[\]{}",:0-9a-z]|null|-?[0-9]{1,20}){0,8}"#;
    let known = prop::sample::select(vec![
        "40/live,",
        "40/collectHooks,",
        "40/devices,{\"key\":\"x\"}",
        "42/live,1[\"join\",{}]",
        "41/live,",
        "1",
        "2probe",
        "5",
    ]);
    prop::collection::vec(
        prop_oneof![3 => near.prop_map(String::from), 2 => known.prop_map(str::to_owned), 1 => ".{0,40}".prop_map(String::from)],
        1..12,
    )
}

/// The next of the made-up ones; the same at each run.
fn made_up<T>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// Says all of it, and hears what comes until nothing more does.
async fn say_by_socket(app: &TestApp, packets: Vec<String>, binary: bool) {
    let request = format!("ws://{}/socket.io/?EIO=4&transport=websocket", app.address).into_client_request().unwrap();
    let stream = TcpStream::connect(app.address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    for packet in packets {
        let message = if binary { Message::binary(packet.into_bytes()) } else { Message::text(packet) };
        if socket.send(message).await.is_err() {
            return;
        }
    }
    // The answer to the closing, or the end: by then all of it was read.
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}

async fn say_by_polling(app: &TestApp, packets: Vec<String>) {
    let opened = app.get(POLLING).await.text().await.unwrap();
    let session = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("{POLLING}&sid={session}");
    let status = app.post(&path, &[], packets.join("\x1e")).await.status();
    assert!(status.as_u16() < 500, "{status} {packets:?}");
    let _ = app.post(&path, &[], "1").await;
}

async fn is_well(app: &TestApp) {
    let mut room = Socket::connect(app.address, "/collectHooks").await;
    room.join_room(json!(null)).await;
    app.take(tasks("after", 1)).await;
    assert_eq!(room.msg().await["batchid"], "after");
}

#[tokio::test]
async fn whatever_is_said_on_a_socket_the_others_go_on() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut runner = TestRunner::deterministic();
    let packets = packets();
    for number in 0..200 {
        say_by_socket(&app, made_up(&packets, &mut runner), number % 4 == 0).await;
        if number % 4 == 1 {
            say_by_polling(&app, made_up(&packets, &mut runner)).await;
        }
    }
    is_well(&app).await;
    app.end().await;
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut runner = TestRunner::deterministic();
    let query = r"((EIO|transport|sid|t|b64|j)=|[34]|polling|websocket|&|[A-Za-z0-9_-]{16}|%[0-9a-f]{2}|[!$-;=?-Z_a-z~]{0,4}){0,8}";
    for _ in 0..200 {
        let path = format!("/socket.io/?{}", made_up(&query, &mut runner));
        for method in ["GET", "POST", "OPTIONS"] {
            let request = app.client.request(method.parse().unwrap(), app.url(&path)).body("40/live,");
            let status = request.send().await.unwrap().status();
            assert!(status.as_u16() < 500, "{method} {path}: {status}");
        }
    }
    is_well(&app).await;
    app.end().await;
}

#[tokio::test]
async fn a_frame_that_is_too_large_costs_its_sender_the_connection() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    say_by_socket(&app, vec!["40/live,".into(), format!("42/live,[\"join\",\"{}\"]", "x".repeat(1 << 20))], false)
        .await;
    say_by_socket(&app, vec!["x".repeat(1 << 20)], true).await;
    let opened = app.get(POLLING).await.text().await.unwrap();
    let session = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let status = app.post(&format!("{POLLING}&sid={session}"), &[], "4".repeat(1 << 20)).await.status();
    assert!(status.is_client_error(), "{status}");
    is_well(&app).await;
    app.end().await;
}
