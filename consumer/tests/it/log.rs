//! The log: offsets, counts, restarts, forgetting.

use serde_json::Value;
use sqlx::Executor;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both, tasks,
};

fn offsets(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["offset"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn offsets_have_no_holes_however_many_send_at_once() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let sending = (0..32).map(|batch| {
            let app = &app;
            async move {
                for _ in 0..10 {
                    app.take(tasks(&format!("batch {batch}"), 3)).await;
                }
            }
        });
        futures_util::future::join_all(sending).await;
        assert_eq!(offsets(&app.events().await), (1..=960).collect::<Vec<_>>());
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn after_a_restart_the_counts_and_the_order_go_on() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 10)).await;
        let before = app.json("/api/counts").await;
        app.end().await;

        let app = TestApp::start(&database, &[]).await;
        assert_eq!(app.json("/api/counts").await, before);
        app.take(tasks("b", 2)).await;
        assert_eq!(offsets(&app.events().await), (1..=12).collect::<Vec<_>>());
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_write_ahead_log_is_copied_into_the_database_while_the_service_runs() {
    const MIB: u64 = 1024 * 1024;
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let file = common::db::sqlite_path(&database.url).unwrap();
    // Fewer pages than SQLite's own limit of 4000, past which any other writer would copy them.
    let padding = "x".repeat(900);
    let many: Vec<_> = (0..800).map(|id| serde_json::json!({"batchid": "a", "id": id, "padding": padding})).collect();
    let body = serde_json::to_string(&many).unwrap();
    for _ in 0..10 {
        app.take(body.clone()).await;
    }
    let copied = async || (std::fs::metadata(&file).unwrap().len() > 4 * MIB).then_some(());
    eventually("the database has what its log had", copied).await;
    app.end().await;
}

#[tokio::test]
async fn what_is_forgotten_stays_counted_and_the_order_goes_on() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 900)).await;
        app.take(tasks("b", 900)).await;
        app.end().await;

        let app = TestApp::start(&database, &["--retention", "100"]).await;
        let kept = eventually("all but the newest hundred are forgotten", async || {
            let kept = app.events().await;
            (kept.len() == 100).then_some(kept)
        })
        .await;
        assert_eq!(offsets(&kept), (1701..=1800).collect::<Vec<_>>());
        assert_eq!(app.total().await, 1800);
        assert_eq!(app.json("/api/events?limit=1").await["tail"], 1701);
        app.take(tasks("c", 1)).await;
        assert_eq!(app.total().await, 1801);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_too_old_is_forgotten() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 5)).await;
        app.end().await;
        let app = TestApp::start(&database, &["--retention", "1ms"]).await;
        eventually("everything old is forgotten", async || app.events().await.is_empty().then_some(())).await;
        assert_eq!(app.total().await, 5);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn it_ends_in_time_though_the_database_is_held_by_somebody_else() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut other = database.connection().await;
    other.execute("begin immediate").await.unwrap();
    let waiting = tokio::spawn(app.client.post(app.url("/consumetasks")).body("{}").send());
    let mut half = TcpStream::connect(app.address).await.unwrap();
    half.write_all(b"GET /healthz").await.unwrap();
    eventually("the request waits", async || (app.get("/healthz").await.status() == 200).then_some(())).await;
    app.end().await;
    assert!(
        waiting.await.unwrap().map_or(true, |answer| answer.status() == 503),
        "nothing was stored, and it is not said to be"
    );
}

#[tokio::test]
async fn what_waits_at_the_end_is_committed_or_refused_never_half() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let sending: Vec<_> = (0..40)
            .map(|at| tokio::spawn(app.client.post(app.url("/consumetasks")).body(tasks(&format!("{at}"), 7)).send()))
            .collect();
        app.end().await;
        let mut taken = 0;
        for answer in sending {
            taken += i64::from(answer.await.unwrap().is_ok_and(|answer| answer.status() == 200));
        }
        let app = TestApp::start(&database, &[]).await;
        let total = app.total().await;
        assert!(total >= taken * 7 && total % 7 == 0, "{taken} answered 200, {total} events");
        app.end().await;
    })
    .await;
}
