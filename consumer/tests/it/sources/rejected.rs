//! What is kept of requests that were not let in, and how little of a flood.

use std::collections::BTreeMap;

use consumer::store::rejected::{self, Rejected, Total};

use super::{File, open};
use crate::support::{TestApp, eventually, on_both};

const SOURCES: &str = "sources:\n  - name: github\n    guard: {kind: github}\n    secret: a secret of these tests\n";

#[tokio::test]
async fn the_operator_is_told_exactly_what_was_wrong() {
    on_both(async |database| {
        let file = File::new(SOURCES);
        let app = TestApp::start(&database, &[&file.setting()]).await;
        let wrong = format!("sha256={}", "0".repeat(64));
        let body = [b"\xff\0".as_slice(), &b"x".repeat(5000)].concat();
        let headers = [("X-Hub-Signature-256", wrong.as_str()), ("X-Api-Key", "nobodys business"), ("X-GitHub-Event", "push")];
        assert_eq!(app.post("/consumetasks/github?a=1&token=mine", &headers, body).await.status(), 401);
        let kept = super::rejected(&app, "/api/sources/github/rejected", 1).await;
        let one = &kept[0];
        assert_eq!((&one["status"], &one["kind"], &one["size"], &one["more"]), (&401.into(), &"no_match".into(), &5002.into(), &0.into()));
        assert!(one["reason"].as_str().unwrap().starts_with("no signature in X-Hub-Signature-256 is made with"), "{one}");
        assert_eq!(one["body"].as_str().unwrap(), format!("\u{fffd}\u{fffd}{}", "x".repeat(4094)));
        let request = one["request"].to_string();
        assert!(request.contains("push") && request.contains(&wrong) && request.contains("127.0.0.1"), "{request}");
        assert!(!request.contains("nobodys") && !request.contains("mine"), "{request}");
        assert_eq!(app.post("/consumetasks/github", &[], "{}").await.status(), 401);
        let kept = super::rejected(&app, "/api/sources/github/rejected", 2).await;
        assert_eq!(kept[0]["reason"], "the header X-Hub-Signature-256 is missing", "the newest is first");
        let listed = app.json("/api/sources").await["sources"][0].clone();
        let expected = serde_json::json!({"source": "github", "total": 0, "last_at": null, "guard": "github", "origin": "file", "rejected": 2});
        assert_eq!(listed, expected);
        assert_eq!(app.get("/api/sources/nobody/rejected").await.status(), 404);
        assert_eq!(app.get("/api/sources/github/rejected?limit=201").await.status(), 400);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn of_a_flood_little_is_kept_and_all_is_counted() {
    on_both(async |database| {
        let file = File::new(SOURCES);
        let app = TestApp::start(&database, &[&file.setting()]).await;
        let sent = (0..300).map(|_| app.post("/consumetasks/github", &[], "{}"));
        for answer in futures_util::future::join_all(sent).await {
            assert_eq!(answer.status(), 401);
        }
        eventually("all are counted", async || {
            (app.json("/api/sources").await["sources"][0]["rejected"] == 300).then_some(())
        })
        .await;
        let kept = super::rejected(&app, "/api/sources/github/rejected?limit=200", 1).await;
        let more: i64 = kept.iter().map(|one| one["more"].as_i64().unwrap()).sum();
        assert_eq!(i64::try_from(kept.len()).unwrap() + more, 300, "who is not kept is counted with who is");
        let metrics = app.get("/metrics").await.text().await.unwrap();
        assert!(metrics.contains("hookcast_consumer_rejected_total{reason=\"missing\"} 300"), "{metrics}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_newest_200_of_a_source_are_kept_and_5000_of_all() {
    on_both(async |database| {
        let db = open(&database).await;
        let row = |source: &str, at_ms: i64| Rejected {
            source: source.into(),
            at_ms,
            status: 401,
            kind: "missing".into(),
            reason: "why".into(),
            request: "{}".into(),
            body: String::new(),
            size: 0,
            more: 0,
        };
        let mut kept = 0;
        for source in (0..27).map(|number| format!("s{number}")) {
            let totals = BTreeMap::from([(source.clone(), Total { total: 210, last_ms: 209 })]);
            rejected::add(&db, (0..210).map(|at| row(&source, at)).collect(), &totals).await.unwrap();
            let newest = rejected::newest(&db, &source, 1000).await.unwrap();
            assert_eq!((newest.len(), newest[0].at_ms, newest[199].at_ms), (200, 209, 10));
        }
        for source in (0..27).map(|number| format!("s{number}")) {
            kept += rejected::newest(&db, &source, 1000).await.unwrap().len();
        }
        assert_eq!(kept, 5000);
        assert!(rejected::newest(&db, "s0", 1000).await.unwrap().is_empty(), "the oldest went");
        let totals = rejected::totals(&db).await.unwrap();
        assert_eq!((totals.len(), totals["s0"]), (27, Total { total: 210, last_ms: 209 }));
        db.close().await;
    })
    .await;
}
