//! What devices send: the captured requests of real Evok controllers, replayed byte for byte, and addresses that are only called.

use std::{collections::HashMap, path::PathBuf};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    TestApp,
    database::{Database, Mode},
    on_both,
};

/// One device after the other is told of again as it was before: such a reading is counted, and not an event of its own.
#[tokio::test]
async fn every_captured_request_of_a_device_is_answered_at_once_and_gives_its_events() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let (mut told, mut kept, mut last) = (0, 0, HashMap::new());
        for name in captured() {
            let answer = replay(&app, &name).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nOK"), "{name}: {answer}");
            let sent = sent(&name);
            told += sent.len();
            let new: Vec<Value> = sent.into_iter().filter(|reading| is_new(&mut last, reading)).collect();
            kept += new.len();
            assert_eq!(app.total().await, i64::try_from(kept).unwrap(), "{name}");
            assert_eq!(newest(&app, new.len()).await, new, "{name}");
        }
        assert_eq!(told, 85, "so many devices did all of them tell of, and two that something changed");
        let repeats: i64 = app.events().await.iter().map(|event| event["repeats"].as_i64().unwrap()).sum();
        assert_eq!(i64::try_from(told - kept).unwrap(), repeats, "what is not kept is counted");
        app.end().await;
    })
    .await;
}

/// Whether the device said something else last, or nothing; `time` and `last_comm` move by themselves. What is of no device is always new.
fn is_new(last: &mut HashMap<String, Value>, reading: &Value) -> bool {
    let Some(dev) = reading["dev"].as_str() else { return true };
    let mut said = reading.clone();
    for clock in ["time", "last_comm"] {
        said.as_object_mut().unwrap().remove(clock);
    }
    let key = format!("{dev} {}", reading["circuit"]);
    last.insert(key, said.clone()).is_none_or(|before| before != said)
}

#[tokio::test]
async fn what_is_not_a_number_is_kept_and_named_so() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for (name, value, owner) in [
        ("v3-ai-nan", "NaN", "ai 1_01"),
        ("v3-ai-infinity", "Infinity", "ai 1_01"),
        ("v3-data-point-nan-string", "NaN", "VOC_index"),
    ] {
        replay(&app, name).await;
        assert_eq!(newest(&app, 1).await[0]["value"], value, "{name}");
        assert_eq!(shown(&app).await, ["Moderate", owner, &format!("{owner}: not a number")], "{name}");
    }
    app.end().await;
}

#[tokio::test]
async fn devices_are_named_by_their_alias_their_name_or_kind_and_circuit_with_what_they_read() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for (name, owner, title) in [
        ("v3-ai", "ai 1_01", "ai 1_01: 2.7 V"),
        ("v3-do-alias", "boiler_pump", "boiler_pump: 1"),
        ("v3-data-point", "CO2", "CO2: 812.5 ppm"),
        ("v2shape-2", "input 1_01", "input 1_01: 1"),
    ] {
        replay(&app, name).await;
        assert_eq!(shown(&app).await, ["Low", owner, title], "{name}");
    }
    app.end().await;
}

/// Priority, owner and title of the newest event.
async fn shown(app: &TestApp) -> [String; 3] {
    let listed = app.json("/api/events?limit=1&order=desc").await;
    ["priority", "owner", "title"].map(|name| listed["events"][0][name].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_bare_get_is_an_event_that_something_changed() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let answer = replay(&app, "v3-simple-get-basic-auth-query").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let kept = app.json("/api/events/@1").await;
        assert!(!kept.to_string().contains("abc"), "its token is nobody's business: {kept}");
        for path in
            ["/consumetasks/door", "/consumetasks/door/", "/consumetasks/door?state=open&state=shut&token=s3cret"]
        {
            assert_eq!(app.get(path).await.status(), 200, "{path}");
        }
        let events = newest(&app, 2).await;
        assert_eq!(events, [json!({"event": "changed"}), json!({"event": "changed", "query": {"state": "shut"}})]);
        assert_eq!(app.client.head(app.url("/consumetasks")).send().await.unwrap().status(), 200);
        assert_eq!(app.total().await, 4, "who only looks whether it is there changes nothing");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_picture_on_somebodys_page_is_no_event() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer = app.client.get(app.url("/consumetasks")).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}");
    }
    assert_eq!(app.total().await, 0);
    app.end().await;
}

/// Sends the captured bytes; gives all that is answered before the connection is closed, as the device asked for.
async fn replay(app: &TestApp, name: &str) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(&std::fs::read(file(name)).unwrap()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The names of all captures.
fn captured() -> Vec<String> {
    let folder = file("any").parent().unwrap().to_owned();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The events of the captured request: its devices, as JSON that has texts where the device sent what is not a number.
fn sent(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file(name)).unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let body = body.replace(": NaN", ": \"NaN\"").replace(": Infinity", ": \"Infinity\"");
    match name {
        "v3-simple-get" => vec![json!({"event": "changed"})],
        "v3-simple-get-basic-auth-query" => vec![json!({"event": "changed", "query": {"x": "1"}})],
        _ => serde_json::from_str(&body).unwrap(),
    }
}

/// The bodies of the newest events, in the order they came.
async fn newest(app: &TestApp, count: usize) -> Vec<Value> {
    let total = app.total().await;
    let since = total - i64::try_from(count).unwrap();
    let mut bodies = Vec::new();
    for offset in since + 1..=total {
        let raw = app.json(&format!("/api/events/@{offset}")).await["raw"].as_str().unwrap().to_owned();
        bodies.push(serde_json::from_str(&raw).unwrap());
    }
    bodies
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evok").join(format!("{name}.http"))
}
