//! Who may come in, and how the service ends.

use std::{process::Stdio, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
};

use crate::support::{
    PATIENCE, TestApp,
    database::{Database, Mode},
    socket::Socket,
    tasks,
};

#[tokio::test]
async fn on_loopback_a_foreign_host_name_and_a_foreign_page_are_turned_away() {
    let database = Database::create(Mode::Embedded).await;
    let app =
        TestApp::start(&database, &["--allowed-hosts", "hooks.lan", "--allowed-origins", "https://app.example"]).await;
    for (host, status) in [("evil.example", 421), ("hooks.lan:5001", 200), ("localhost", 200)] {
        for path in ["/api/counts", "/healthz"] {
            let answer = app.client.get(app.url(path)).header("host", host).send().await.unwrap();
            assert_eq!(answer.status(), status, "{host} {path}");
        }
    }
    let cases = [
        (("origin", "https://evil.example"), 403),
        (("sec-fetch-site", "cross-site"), 403),
        (("origin", "null"), 403),
        (("origin", "https://app.example"), 200),
        (("origin", "http://localhost:5000"), 200),
    ];
    for (header, status) in cases {
        assert_eq!(app.post("/consumetasks", &[header], tasks("a", 1)).await.status(), status, "{header:?}");
    }
    let refused = Socket::try_connect(app.address, "/live", &[("origin", "https://evil.example")]).await.err().unwrap();
    assert!(refused.contains("ALLOWED_ORIGINS"), "{refused}");
    assert!(Socket::try_connect(app.address, "/collectHooks", &[("origin", "https://app.example")]).await.is_ok());
    app.end().await;
}

#[tokio::test]
async fn a_service_that_listens_wider_asks_for_the_password_except_where_webhooks_arrive() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "open sesame"]).await;
    assert_eq!(app.post("/consumetasks", &[], tasks("a", 1)).await.status(), 200);
    let answer = app.get("/api/counts").await;
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("www-authenticate"));
    let known = app.client.get(app.url("/api/counts")).bearer_auth("open sesame").send().await.unwrap();
    assert_eq!(known.status(), 200);
    let page = app.client.get(app.url("/events?q=1")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["location"].to_str().unwrap()),
        (303, "/login?next=%2Fevents%3Fq%3D1")
    );

    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(app.post("/login", &form, "password=wrong&next=/").await.status(), 401);
    let entered = app.post("/login", &form, "password=open+sesame&next=/events").await;
    assert_eq!((entered.status().as_u16(), entered.headers()["location"].to_str().unwrap()), (303, "/events"));
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let seen = app.client.get(app.url("/api/counts")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(seen.status(), 200);

    assert!(Socket::try_connect(app.address, "/live", &[]).await.is_err());
    assert!(Socket::try_connect(app.address, "/live", &[("cookie", cookie.as_str())]).await.is_ok());
    assert!(
        Socket::try_connect(app.address, "/collectHooks", &[("authorization", "Bearer open sesame")]).await.is_ok()
    );
    app.end().await;
}

#[tokio::test]
async fn an_empty_password_is_none_and_one_is_made() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "", "--broker-url", ""]).await;
    let empty = app.client.get(app.url("/api/counts")).basic_auth("admin", Some("")).send().await.unwrap();
    assert_eq!(empty.status(), 401);
    assert_eq!(app.json("/readyz").await["checks"]["broker"], "in process");
    app.end().await;
}

#[tokio::test]
async fn after_ten_wrong_passwords_the_right_one_is_not_heard_but_a_session_is() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "right"]).await;
    let with = async |password: &str| {
        app.client.get(app.url("/api/counts")).bearer_auth(password).send().await.unwrap().status()
    };
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let entered = app.post("/login", &form, "password=right").await;
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for _ in 0..10 {
        assert_eq!(with("wrong").await, 401);
    }
    assert_eq!(with("right").await, 429);
    assert_eq!(app.post("/login", &form, "password=right").await.status(), 429);
    let seen = app.client.get(app.url("/api/counts")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    app.end().await;
}

#[tokio::test]
async fn the_password_that_is_made_is_shown_whatever_is_logged() {
    let database = Database::create(Mode::Embedded).await;
    let mut consumer = Command::new(env!("CARGO_BIN_EXE_consumer"))
        .args(["--listen", "0.0.0.0:0", "--database-url", &database.url])
        .env("RUST_LOG", "off")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(consumer.stderr.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let (sentence, password) = line.split_once(": ").unwrap();
    assert_eq!(sentence, "The consumer listens on a wide address. Its admin password, shown this once");
    assert_eq!(password.len(), 20);
}

#[tokio::test]
async fn it_ends_soon_with_sockets_open_and_a_request_half_sent() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut room = Socket::connect(app.address, "/collectHooks").await;
    room.join_room(json!(null)).await;
    let mut page = Socket::connect(app.address, "/live").await;
    page.ask(json!(["join", {}])).await;
    let mut half = TcpStream::connect(app.address).await.unwrap();
    half.write_all(b"POST /consumetasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    let address = app.address;
    app.end().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    let read = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn what_was_answered_before_the_end_is_there_after_it() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for _ in 0..5 {
        app.take(tasks("a", 10)).await;
    }
    app.end().await;
    let app = TestApp::start(&database, &[]).await;
    assert_eq!(app.total().await, 50);
    app.end().await;
}
