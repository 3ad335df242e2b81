//! `/consumetasks`: what is taken, and what is answered to everything else.

use common::{config::Durability, db};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use sqlx::Executor;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both, tasks,
};

const TASK: &str = r#"{"batchid": "b", "id": 0, "owner": "Norma Fisher", "priority": "Major"}"#;

#[tokio::test]
async fn every_form_of_body_becomes_its_events_whatever_the_content_type_says() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let cases = [
            ("application/json", TASK.to_owned(), 1),
            ("text/plain", TASK.to_owned(), 1),
            ("application/x-www-form-urlencoded", TASK.to_owned(), 1),
            ("application/x-www-form-urlencoded", "payload=%7B%22a%22%3A1%7D".to_owned(), 1),
            ("image/png", tasks("b", 3), 3),
            ("application/x-ndjson", format!("{TASK}\n{TASK}\n"), 2),
            ("application/json", "[]".to_owned(), 0),
            ("application/json", tasks("full", 1000), 1000),
        ];
        let mut expected = 0;
        for (content_type, body, events) in cases {
            let answer = app.post("/consumetasks", &[("content-type", content_type)], body.clone()).await;
            assert_eq!(answer.status(), 200, "{content_type} {body}");
            assert_eq!(answer.text().await.unwrap(), "OK");
            expected += events;
            assert_eq!(app.total().await, expected, "{content_type} {body}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_form_of_several_fields_is_kept_whole_though_one_of_them_is_json() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = "From=%2B15551234&Body=hi&AddOns=%7B%22a%22%3A1%7D";
    assert_eq!(app.post("/consumetasks", &form, body).await.status(), 200);
    let kept = json!({"From": "+15551234", "Body": "hi", "AddOns": "{\"a\":1}"});
    assert_eq!(app.events().await[0]["body"], kept);
    app.end().await;
}

#[tokio::test]
async fn bad_input_is_answered_with_what_is_wrong_and_nothing_of_it_is_stored() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--max-body", "20000"]).await;
    let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    let cases: [(&str, Vec<u8>, u16, &str); 10] = [
        ("no JSON", b"{\"a\": nope}".to_vec(), 400, "line 1, column 8"),
        ("half a JSON", b"{\"a\":".to_vec(), 400, "EOF"),
        ("two values on a line", b"{} {}".to_vec(), 400, "trailing characters"),
        ("a good line and a bad one", b"{}\n{oops}".to_vec(), 400, "line 2"),
        ("nothing", Vec::new(), 400, "empty"),
        ("a lone number", b"7".to_vec(), 400, "lone value"),
        ("not UTF-8", b"{\"a\":\"\xff\"}".to_vec(), 400, "UTF-8"),
        ("too deep", deep.into_bytes(), 400, "nested deeper than 128"),
        ("too large", vec![b' '; 20_001], 413, "20000 bytes"),
        ("too many", format!("[{}1]", "1,".repeat(1000)).into_bytes(), 413, "at most 1000 events"),
    ];
    for (what, body, status, words) in cases {
        let answer = app.post("/consumetasks", &[], body).await;
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{what}");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["status"], status, "{what}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{what}: {problem}");
    }
    let long_id = "x".repeat(257);
    for (path, headers) in
        [("/consumetasks/bad%20name", vec![]), ("/consumetasks", vec![("webhook-id", long_id.as_str())])]
    {
        assert_eq!(app.post(path, &headers, TASK).await.status(), 400, "{path}");
    }
    assert_eq!(app.total().await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_cut_off_at_the_limit() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--max-body", "1000"]).await;
    let pieces = (0..100).map(|_| Ok::<_, std::io::Error>(" ".repeat(100)));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_eq!(app.post("/consumetasks", &[], body).await.status(), 413);
    app.end().await;
}

#[tokio::test]
async fn a_sender_of_far_too_much_still_reads_that_it_is() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--max-body", "1000"]).await;
    for _ in 0..5 {
        assert_eq!(app.post("/consumetasks", &[], vec![b' '; 8 << 20]).await.status(), 413);
    }
    app.end().await;
}

#[tokio::test]
async fn half_sent_bodies_take_no_more_memory_than_is_set_aside_for_them() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--max-body", "33554432"]).await;
    let head = "POST /consumetasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554432\r\n\r\n";
    let mut senders = Vec::new();
    for _ in 0..2 {
        let mut sender = TcpStream::connect(app.address).await.unwrap();
        sender.write_all(head.as_bytes()).await.unwrap();
        sender.write_all(&vec![b' '; 33_554_431]).await.unwrap();
        senders.push(sender);
    }
    let refused = eventually("the memory is full", async || {
        let answer = app.post("/consumetasks", &[], TASK).await;
        (answer.status() == 503).then_some(answer)
    })
    .await;
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(senders);
    eventually("there is room again", async || {
        (app.post("/consumetasks", &[], TASK).await.status() == 200).then_some(())
    })
    .await;
    app.end().await;
}

#[tokio::test]
async fn what_is_neither_post_nor_get_is_answered_405_with_what_is_allowed() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let answer = app.client.put(app.url("/consumetasks")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"POST,GET,HEAD".parse().unwrap()));
    app.end().await;
}

#[tokio::test]
async fn a_repeat_of_a_webhook_id_is_answered_200_and_not_counted_again() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = [("webhook-id", "msg_1")];
        for _ in 0..3 {
            assert_eq!(app.post("/consumetasks", &id, TASK).await.status(), 200);
        }
        assert_eq!(app.total().await, 1);
        let batch = [("webhook-id", "msg_2")];
        for _ in 0..2 {
            assert_eq!(app.post("/consumetasks", &batch, tasks("b", 5)).await.status(), 200);
        }
        assert_eq!(app.total().await, 6);
        assert_eq!(app.post("/consumetasks/other", &id, TASK).await.status(), 200, "another source has ids of its own");
        assert_eq!(app.total().await, 7);
        app.end().await;

        let app = TestApp::start(&database, &[]).await;
        assert_eq!(app.post("/consumetasks", &id, TASK).await.status(), 200);
        assert_eq!(app.total().await, 7, "it is known after a restart");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_elements_of_an_array_have_ids_that_no_sender_can_give() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        assert_eq!(app.post("/consumetasks", &[("webhook-id", "x")], tasks("b", 2)).await.status(), 200);
        for id in ["x.1", "x_1", "x-1"] {
            assert_eq!(app.post("/consumetasks", &[("webhook-id", id)], TASK).await.status(), 200);
        }
        assert_eq!(app.total().await, 5);
        assert_eq!(app.post("/consumetasks", &[("webhook-id", "x 1")], TASK).await.status(), 400);
        assert_eq!(app.json("/api/events/x%201").await["offset"], 2);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn there_is_an_end_to_new_sources_and_the_known_ones_go_on() {
    on_both(async |database| {
        for _ in 0..2 {
            let app = TestApp::start(&database, &["--max-sources", "2"]).await;
            let cases = [("/a", 200), ("/b", 200), ("/c", 403), ("/b", 200), ("", 200), ("/d", 403)];
            for (source, status) in cases {
                let answer = app.post(&format!("/consumetasks{source}"), &[], TASK).await;
                assert_eq!(answer.status(), status, "{source}");
            }
            app.end().await;
        }
        let app = TestApp::start(&database, &[]).await;
        assert_eq!(app.total().await, 8, "nothing is stored of what is refused");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn many_repeats_at_the_same_time_are_one_event() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let sending = (0..64).map(|at| {
            let id = format!("msg_{}", at % 8);
            let app = &app;
            async move { app.post("/consumetasks", &[("webhook-id", id.as_str())], TASK).await.status() }
        });
        for status in futures_util::future::join_all(sending).await {
            assert_eq!(status, 200);
        }
        assert_eq!(app.total().await, 8);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_has_no_known_priority_is_stored_shown_and_counted_as_other() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for body in [TASK, r#"{"priority":"Urgent"}"#, r#"{"priority":7}"#, r#"{"dev":"do"}"#, "[7]"] {
            app.take(body).await;
        }
        let counts = app.json("/api/counts").await;
        let expected = json!({"Low": 0, "Moderate": 0, "Major": 1, "Critical": 0, "other": 4, "total": 5, "head": 5});
        assert_eq!(counts, expected);
        assert_eq!(app.json("/api/events?priority=other").await["events"].as_array().unwrap().len(), 4);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_says_come_again_and_stores_nothing_of_it() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--intake-queue", "2"]).await;
    let mut other = database.connection().await;
    other.execute("begin immediate").await.unwrap();

    let mut answers: FuturesUnordered<_> = (0..12).map(|_| app.post("/consumetasks", &[], TASK)).collect();
    let first = answers.next().await.unwrap();
    assert_eq!((first.status().as_u16(), &first.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    other.execute("rollback").await.unwrap();

    let (mut taken, mut refused) = (0, 1);
    while let Some(answer) = answers.next().await {
        match answer.status().as_u16() {
            200 => taken += 1,
            503 => refused += 1,
            status => panic!("{status}"),
        }
    }
    drop(answers);
    assert!(taken > 0 && taken + refused == 12, "{taken} taken, {refused} refused");
    assert_eq!(app.total().await, taken);
    app.end().await;
}

#[tokio::test]
async fn a_node_that_freezes_with_the_log_locked_stops_the_others_for_seconds_only() {
    let database = Database::create(Mode::Machines).await;
    let app = TestApp::start(&database, &[]).await;
    let frozen = db::open(&database.url, Durability::Full, &sqlx::migrate!()).await.unwrap();
    let mut connection = frozen.connect().await.unwrap();
    connection.execute("begin").await.unwrap();
    connection.execute("update log set head = head where name = 'events'").await.unwrap();
    eventually("an event is taken", async || {
        (app.post("/consumetasks", &[], TASK).await.status() == 200).then_some(())
    })
    .await;
    app.end().await;
}
