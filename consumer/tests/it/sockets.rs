//! socket.io: the tutorial's room, catching up, and our own pages' frames.

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
    tasks,
};

#[tokio::test]
async fn who_joins_the_room_gets_every_task_as_a_string_in_order() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("before", 3)).await;
        let mut socket = Socket::connect(app.address, "/collectHooks").await;
        socket.join_room(json!(null)).await;
        for batch in 0..5 {
            app.take(tasks(&format!("batch {batch}"), 20)).await;
        }
        for batch in 0..5 {
            for id in 0..20 {
                let task = socket.msg().await;
                assert_eq!((&task["batchid"], &task["id"]), (&json!(format!("batch {batch}")), &json!(id)));
            }
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_says_the_last_offset_it_has_and_gets_the_rest_even_from_beyond_the_memory() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for batch in 0..20 {
            app.take(tasks(&format!("{batch}"), 1000)).await;
        }
        let mut socket = Socket::connect(app.address, "/collectHooks").await;
        // Without asking for the answer: the events may come before it.
        socket.emit(json!(["join_room", {"since": 10}])).await;
        for expected in 11..=20_000 {
            let arguments = socket.event("msg").await;
            assert_eq!(arguments[1], expected);
        }
        // Of what one has read another one hears its part.
        for since in [300, 11, 127, 128] {
            let mut later = Socket::connect(app.address, "/collectHooks").await;
            later.emit(json!(["join_room", {"since": since}])).await;
            for expected in since + 1..since + 1000 {
                assert_eq!(later.event("msg").await[1], expected);
            }
        }
        app.take(tasks("live", 1)).await;
        assert_eq!(socket.event("msg").await[1], 20_001);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_still_gets_everything_once() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut socket = Socket::connect(app.address, "/collectHooks").await;
    socket.join_room(json!(null)).await;
    // Far more than a socket's buffer holds, while nobody reads.
    let padding = "x".repeat(2000);
    for batch in 0..30 {
        let many: Vec<_> = (0..400).map(|id| json!({"batchid": batch, "id": id, "padding": padding})).collect();
        app.take(serde_json::to_string(&many).unwrap()).await;
    }
    for batch in 0..30 {
        for id in 0..400 {
            let task = socket.msg().await;
            assert_eq!((&task["batchid"], &task["id"]), (&json!(batch), &json!(id)));
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_room_of_one_source_hears_that_source_only() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let mut socket = Socket::connect(app.address, "/collectHooks").await;
        socket.join_room(json!("hall")).await;
        app.take(tasks("elsewhere", 3)).await;
        app.post("/consumetasks/hall", &[], tasks("hall", 1)).await;
        assert_eq!(socket.msg().await["batchid"], "hall");
        socket.join_room(json!("cellar")).await;
        app.post("/consumetasks/cellar", &[], tasks("cellar", 1)).await;
        assert_eq!(socket.msg().await["batchid"], "cellar");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn our_pages_get_frames_with_the_whole_truth() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 100)).await;
        let mut page = Socket::connect(app.address, "/live").await;
        let joined = page.ask(json!(["join", {"since": null}])).await;
        assert_eq!((&joined["frame"]["head"], &joined["frame"]["counts"]["total"]), (&json!(100), &json!(100)));
        assert_eq!(joined["frame"]["events"].as_array().unwrap().len(), 60);
        app.take(tasks("b", 2)).await;
        loop {
            let frame = page.event("frame").await.remove(0);
            if frame["head"] == 102 {
                assert_eq!(frame["counts"]["total"], 102);
                break;
            }
        }
        let again = page.ask(json!(["join", {"since": 101}])).await;
        assert_eq!((&again["recovered"], again["frame"]["events"].as_array().unwrap().len()), (&json!(true), 1));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_page_of_one_source_is_told_of_that_source() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    app.take(tasks("a", 3)).await;
    app.post("/consumetasks/hall", &[], tasks("b", 2)).await;
    let mut page = Socket::connect(app.address, "/live").await;
    let joined = page.ask(json!(["join", {"source": "hall"}])).await;
    assert_eq!((&joined["frame"]["counts"]["total"], &joined["frame"]["head"]), (&json!(2), &json!(5)));
    app.end().await;
}

#[tokio::test]
async fn who_was_away_longer_than_the_log_reaches_is_told_so() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 500)).await;
        app.end().await;
        let app = TestApp::start(&database, &["--retention", "10"]).await;
        let mut page = Socket::connect(app.address, "/live").await;
        eventually("the log is cut", async || {
            let joined = page.ask(json!(["join", {"since": 100}])).await;
            (joined["recovered"] == false).then_some(())
        })
        .await;
        assert_eq!(page.ask(json!(["join", {"since": 495}])).await["recovered"], true);
        let mut room = Socket::connect(app.address, "/collectHooks").await;
        assert_eq!(room.join_room(json!({"since": 100})).await["recovered"], false);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_join_that_cannot_be_understood_or_kept_says_so() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    app.take(tasks("a", 5)).await;
    let mut socket = Socket::connect(app.address, "/collectHooks").await;
    for malformed in [json!({"since": "1"}), json!({"since": 1, "sauce": "hall"}), json!(7)] {
        let answer = socket.join_room(malformed.clone()).await;
        assert!(answer["error"].as_str().unwrap().contains("join_room takes"), "{malformed}");
    }
    assert_eq!(socket.join_room(json!({"since": null})).await["recovered"], true);
    assert_eq!(socket.join_room(json!({"since": 0})).await["recovered"], false, "it has joined before");
    app.take(tasks("b", 1)).await;
    assert_eq!(socket.event("msg").await[1], 6, "who asks with an object gets offsets");
    app.end().await;
}

#[tokio::test]
async fn a_socket_that_comes_back_for_one_source_is_not_shown_the_others() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.post("/consumetasks/hall", &[], tasks("hall", 2)).await;
        for batch in 0..18 {
            app.take(tasks(&format!("{batch}"), 1000)).await;
        }
        app.post("/consumetasks/hall", &[], tasks("late", 1)).await;
        let mut socket = Socket::connect(app.address, "/collectHooks").await;
        socket.emit(json!(["join_room", {"since": 0, "source": "hall"}])).await;
        for expected in [1, 2, 18_003] {
            assert_eq!(socket.event("msg").await[1], expected);
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn sockets_are_counted_in_and_out() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for _ in 0..30 {
        drop(Socket::connect(app.address, "/live").await);
    }
    let stays = Socket::connect(app.address, "/live").await;
    eventually("only one is counted", async || {
        let metrics = app.get("/metrics").await.text().await.unwrap();
        metrics.contains("hookcast_consumer_sockets{namespace=\"/live\"} 1\n").then_some(())
    })
    .await;
    drop(stays);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_that_comes_at_once_is_heard_one_and_all() {
    const AT_ONCE: usize = 250;
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let address = app.address;
    // Four threads for two processors or fewer, and more to do: then a task is late now and then.
    for _ in 0..4 {
        let mut crowd = JoinSet::new();
        for number in 0..AT_ONCE {
            crowd.spawn(async move {
                let namespace = if number % 2 == 0 { "/collectHooks" } else { "/live" };
                let mut socket = Socket::connect(address, namespace).await;
                let join = if number % 2 == 0 { json!(["join_room"]) } else { json!(["join", {}]) };
                assert!(socket.ask(join).await.is_object());
            });
        }
        crowd.join_all().await;
    }
    app.end().await;
}
