//! Bodies that are small to send and large to read: each is answered with what is wrong with it, and the next request is served.

use std::io::Write;

use crate::support::{
    Database, Reply,
    endpoint::Say,
    stage::Stage,
    wire::{User, post},
};

fn json_bombs() -> Vec<(&'static str, String)> {
    let digits = "9".repeat(500_000);
    vec![
        ("lists in lists", format!("{}{}", "[".repeat(400_000), "]".repeat(400_000))),
        ("lists that do not end", "[".repeat(1_000_000)),
        ("objects in objects", format!("{}1{}", "{\"event_data\":".repeat(60_000), "}".repeat(60_000))),
        ("a deep member", format!("{{\"event\":\"e\",\"description\":\"d\",\"event_data\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000))),
        ("a number of many digits", format!("{{\"event\":\"e\",\"description\":\"d\",\"event_data\":{digits}}}")),
        ("a number beyond all", "{\"event\":\"e\",\"description\":\"d\",\"event_data\":1e999999999}".into()),
        ("a text beyond its limit", format!("{{\"username\":\"{0}\",\"endpoint\":\"{0}\",\"event\":\"{0}\",\"description\":\"d\",\"event_data\":1}}", "x".repeat(300_000))),
        ("half of a surrogate pair", "{\"username\":\"\\ud800\",\"endpoint\":\"\\ud800\",\"event\":\"\\ud800\",\"description\":\"d\",\"event_data\":\"\\ud800\"}".into()),
        ("more than a body may have", " ".repeat(1_100_000)),
    ]
}

#[tokio::test]
async fn no_json_makes_it_fall() {
    let stage = Stage::set(Database::sqlite()).await;
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &"e".into(), "{}").await;
    let subscription = stage.wire.subscribe(&owner, &registration).await;
    let doors = [
        ("POST", "/v1/account".to_owned()),
        ("PATCH", "/v1/account".into()),
        ("PUT", "/v1/account/operational".into()),
        ("POST", "/v1/account/rotate/secretkey".into()),
        ("POST", "/v1/webhook/registration".into()),
        ("PATCH", format!("/v1/webhook/registration/{registration}")),
        ("PATCH", format!("/v1/webhook/subscription/{subscription}/options")),
        ("POST", format!("/v1/webhook/subscription/{subscription}/recover")),
        ("POST", "/producetasks".into()),
    ];
    for (what, body) in json_bombs() {
        for (method, path) in &doors {
            let request = stage.producer.request(method, path).header("content-type", "application/json");
            let request = request.header("username", &owner.username).header("api-key", &owner.api_key);
            let reply = Reply::read(request.body(body.clone()).send().await.unwrap()).await;
            // Of a change only the description is read, whatever else is there.
            let is_passed_over = reply.status == 200 && *method == "PATCH" && body.contains("\"description\":\"d\"");
            let (status, text) = (reply.status, reply.text);
            assert!((400..500).contains(&status) || is_passed_over, "{what} to {method} {path}: {status} {text}");
        }
    }
    assert_eq!(stage.wire.account(&owner).await["username"], "owner");
}

#[tokio::test]
async fn no_form_makes_it_fall() {
    let stage = Stage::set(Database::sqlite()).await;
    for (what, body, kind) in [
        ("a million fields", "a&".repeat(1_000_000), "application/x-www-form-urlencoded"),
        ("three megabytes", "a=1&".repeat(800_000), "application/x-www-form-urlencoded"),
        (
            "parts without end",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(20_000),
            "multipart/form-data; boundary=b",
        ),
    ] {
        for path in ["/account/login", "/account/new", "/producetasks"] {
            let request = stage.producer.request("POST", path).header("content-type", kind).body(body.clone());
            let reply = Reply::read(request.send().await.unwrap()).await;
            assert!((400..500).contains(&reply.status), "{what} to {path}: {}", reply.status);
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_opened_and_a_compressed_answer_only_as_far_as_it_is_kept() {
    let stage = Stage::set(Database::sqlite()).await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let owner = stage.join("owner", "/owner").await;
    let registration = post("/v1/webhook/registration").by(&owner);
    let request = stage.producer.request(registration.method, &registration.path).header("content-encoding", "gzip");
    let request = request.header("username", &owner.username).header("api-key", &owner.api_key);
    let told = request.header("content-type", "application/json").body(bomb.clone()).send().await.unwrap();
    assert_eq!(told.status(), 400);
    answered_with(&stage, &owner, bomb).await;
}

/// An endpoint whose answer would be 64 MiB: it is no JSON in its first megabyte, so it was not received.
async fn answered_with(stage: &Stage, owner: &User, bomb: Vec<u8>) {
    let registration = stage.wire.register(owner, &"e".into(), "{}").await;
    let subscription = stage.wire.subscribe(owner, &registration).await;
    stage.endpoint.script("POST", "/owner", Say::bytes(bomb).with("content-encoding", "gzip"));
    let told = stage.wire.send(&post(format!("/v1/webhook/subscription/{subscription}/ping")).by(owner)).await;
    assert_eq!((told.status, &told.json["reason"]), (200, &"body".into()), "{}", told.text);
}
