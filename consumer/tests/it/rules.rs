//! From any JSON to a task: the built-in rules as events arrive, trying rules, and reading what is kept anew.

use std::{path::Path, sync::Arc};

use common::{
    config::Durability,
    db::{self, Db},
};
use consumer::{feed::Feed, rereading, rules::Rules, store::rereading as stored};
use serde_json::{Value, json};
use sqlx::Executor;
use tokio_util::sync::CancellationToken;

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
    tasks,
};

#[tokio::test]
async fn what_many_people_receive_has_a_priority_a_title_and_an_owner_without_any_rule() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let alert = json!({"status": "firing", "receiver": "team", "groupLabels": {}, "commonLabels": {"alertname": "Down", "severity": "page"}, "alerts": [{}]});
        let none: &[(&str, &str)] = &[];
        let cases = [
            (none, json!({"dev": "temp", "circuit": "28", "value": 47.05, "lost": true}), ["Major", "temp 28: lost", "temp 28"]),
            (none, json!([{"dev": "ai", "circuit": "1", "value": 0.0, "unit": "V"}]), ["Low", "ai 1: 0 V", "ai 1"]),
            (&[("X-GitHub-Event", "push")][..], json!({"repository": {"full_name": "o/r"}, "sender": {"login": "cat"}}), ["Low", "push to o/r", "cat"]),
            (none, alert, ["Critical", "Down", "team"]),
            (&[("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-type", "made"), ("ce-source", "/shop")][..], json!({"a": 1}), ["other", "made", "/shop"]),
            (none, json!({"owner": "Norma", "priority": "Major"}), ["Major", "Norma", ""]),
        ];
        for (headers, body, [priority, title, owner]) in cases {
            let answer = app.post("/consumetasks", headers, body.to_string()).await;
            assert_eq!(answer.status(), 200, "{body}");
            let listed = &app.json("/api/events?limit=1&order=desc").await["events"][0];
            let said = [&listed["priority"], &listed["title"], &listed["owner"]].map(|text| text.as_str().unwrap_or_default());
            assert_eq!(said, [priority, title, owner], "{body}");
        }
        app.end().await;
    })
    .await;
}

async fn test(app: &TestApp, trial: &Value) -> (u16, Value) {
    let answer = app.post("/api/rules/test", &[("content-type", "application/json")], trial.to_string()).await;
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn rules_are_tried_on_a_body_and_on_a_received_event_before_they_are_saved() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let headers = [("webhook-id", "msg_1"), ("x-kind", "door"), ("authorization", "Bearer s3cret")];
    app.post("/consumetasks", &headers, r#"{"state":"open","t":7}"#).await;
    let rules = json!([
        {"when": [{"pointer": "/t", "greater": 10}, {"header": "X-Kind", "equals": "door"}], "priority": "Critical"},
        {"when": [{"pointer": "/state", "equals": "open"}], "priority": "Major", "title": "{header:x-kind} is {/state}"},
    ]);
    let expected = json!({
        "priority": "Major", "title": "door is open", "owner": null, "rule": {"index": 1}, "fires": [],
        "tests": [
            {"matches": false, "tests": [{"holds": false, "saw": 7}, {"holds": true, "saw": "door"}]},
            {"matches": true, "tests": [{"holds": true, "saw": "open"}]},
        ],
    });
    let trials = [
        json!({"rules": rules, "event": "msg_1"}),
        json!({"rules": rules, "event": 1}),
        json!({"rules": rules, "event": "@1"}),
        json!({"rules": rules.to_string(), "body": {"state": "open", "t": 7}, "headers": {"x-kind": "door"}}),
        json!({"rules": rules, "body": [{"state": "open", "t": 7}], "headers": {"X-KIND": "door"}}),
    ];
    for trial in trials {
        assert_eq!(test(&app, &trial).await, (200, expected.clone()), "{trial}");
    }
    let (_, built_in) = test(&app, &json!({"body": {"dev": "di", "circuit": "1", "value": 1}})).await;
    assert_eq!((&built_in["rule"], &built_in["title"]), (&json!({"built_in": "evok"}), &json!("di 1: 1")));
    let (_, none) = test(&app, &json!({"rules": [], "body": {"name": "x"}})).await;
    assert_eq!(none, json!({"priority": "other", "title": "x", "owner": null, "rule": null, "tests": [], "fires": []}));
    app.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_trial_is_told() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let bad = json!([{"priority": "Low"}, {"priority": "Urgent"}]);
    let cases = [
        (json!({"rules": bad, "body": {}}), 400, "rule 2: priority: \"Urgent\" is none"),
        (json!({"rules": "- priority: Low\n- prio: Low\n", "body": {}}), 400, "rule 2: unknown field `prio`"),
        (json!({"rules": [{"title": "{header:authorization}"}], "body": {}}), 400, "carries a secret"),
        (json!({"rules": 7, "body": {}}), 400, "a list of rules"),
        (json!({"rules": []}), 400, "either body"),
        (json!({"rules": [], "body": {}, "event": 1}), 400, "either body"),
        (json!({"rules": [], "body": [1, 2]}), 400, "a list of 2 events"),
        (json!({"rules": [], "event": 7}), 404, "no event @7"),
        (json!({"rule": []}), 400, "unknown field"),
    ];
    for (trial, status, words) in cases {
        let (answered, problem) = test(&app, &trial).await;
        assert_eq!(answered, status, "{trial}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{trial}: {problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn every_example_of_the_guide_gives_what_it_says() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (mut rules, mut trial, mut checked) = (Value::Null, Value::Null, 0);
    for block in guide.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "yaml" => rules = json!(text),
            "json" if text.starts_with("{\"priority\"") => {
                let (status, verdict) = test(&app, &trial).await;
                assert_eq!(status, 200, "{trial}: {verdict}");
                for (name, value) in serde_json::from_str::<Value>(text).unwrap().as_object().unwrap() {
                    assert_eq!(&verdict[name], value, "{name} of {trial}");
                }
                checked += 1;
            }
            "json" => trial = json!({"rules": rules, "body": serde_json::from_str::<Value>(text).unwrap()}),
            "sh" => {}
            _ => panic!("nobody checks a block of {kind:?}"),
        }
    }
    assert!(checked >= 3, "{checked} examples");
    app.end().await;
}

/// Another node of the same log, in this test: its database and its feed.
async fn node(database: &Database) -> (Db, Arc<Feed>) {
    let db = db::open(&database.url, Durability::Full, &sqlx::migrate!()).await.unwrap();
    let feed = Feed::load(&db).await.unwrap();
    (db, feed)
}

fn doors(from: usize, count: usize) -> String {
    let states = ["open", "shut", "ajar"];
    let door = |id: usize| json!({"door": id, "state": states[id % 3]});
    Value::from((from..from + count).map(door).collect::<Vec<_>>()).to_string()
}

fn of_doors() -> Rules {
    let yaml = "
- {when: [{pointer: /state, equals: open}], priority: Critical, title: 'door {/door} is open', owner: porter}
- {when: [{pointer: /state, equals: shut}], priority: Low}
";
    Rules::from_yaml(yaml).unwrap()
}

/// The counts, once the events, the rates and the head were seen to agree with them.
async fn agreed(app: &TestApp) -> Value {
    let (counts, events, rates) = at_rest(app).await;
    for (place, name) in ["Low", "Moderate", "Major", "Critical", "other"].into_iter().enumerate() {
        let listed = events.iter().filter(|event| event["priority"] == name).count();
        let rate: i64 = rates["points"].as_array().unwrap().iter().filter_map(|point| point[place + 1].as_i64()).sum();
        assert_eq!((&json!(listed), &json!(rate)), (&counts[name], &counts[name]), "{name}: {counts}");
    }
    assert_eq!(counts["total"], counts["head"]);
    counts
}

/// Counts, events and rates that nobody changed while they were read; a commit on its way may still come in.
async fn at_rest(app: &TestApp) -> (Value, Vec<Value>, Value) {
    eventually("nothing changes", async || {
        let counts = app.json("/api/counts").await;
        let (events, rates) = (app.events().await, app.json("/api/rates?window=3600").await);
        (app.json("/api/counts").await == counts).then_some((counts, events, rates))
    })
    .await
}

#[tokio::test]
async fn kept_events_are_read_anew_and_every_node_tells_the_new_counts() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for from in [0, 150] {
            app.post("/consumetasks/doors", &[], doors(from, 150)).await;
            app.post("/consumetasks/others", &[], doors(from, 10)).await;
            app.take(tasks("b", 40)).await;
        }
        let snapshot = r#"update events set shown = '{"snapshot":true}', device = 1 where log_offset = 1"#;
        database.connection().await.execute(snapshot).await.unwrap();

        let (db, feed) = node(&database).await;
        let stop = CancellationToken::new();
        let outcome = rereading::run(&db, &feed, "doors", &of_doors(), &stop).await.unwrap();
        assert_eq!((outcome.read, outcome.changed), (300, 200));
        let counts = agreed(&app).await;
        let expected =
            json!({"Low": 121, "Moderate": 20, "Major": 20, "Critical": 119, "other": 120, "total": 400, "head": 400});
        assert_eq!(counts, expected);
        let events = app.events().await;
        assert_eq!(
            (&events[0]["priority"], &events[0]["snapshot"], &events[0]["title"]),
            (&json!("Low"), &json!(true), &json!("door 0 is open"))
        );
        assert_eq!((&events[3]["priority"], &events[3]["owner"]), (&json!("Critical"), &json!("porter")));

        let again = rereading::run(&db, &feed, "doors", &of_doors(), &stop).await.unwrap();
        assert_eq!((again.read, again.changed), (300, 0), "there is nothing left to do");
        assert_eq!(agreed(&app).await, expected);

        eventually("the running node tells the new counts and ranks", async || {
            let mut page = Socket::connect(app.address, "/live").await;
            let joined = page.ask(json!(["join", {"source": "doors"}])).await;
            let counts = &joined["frame"]["counts"];
            let newest = &joined["frame"]["events"][2];
            let is_told = !joined["frame"]["reread"].is_null();
            (is_told && counts["Critical"] == 99 && newest["priority"] == "Critical" && newest["owner"] == "porter")
                .then_some(())
        })
        .await;
        app.take(tasks("c", 4)).await;
        assert_eq!(agreed(&app).await["total"], 404);
        db.close().await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_reading_that_is_cut_off_leaves_the_counts_right_and_another_one_ends_it() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.post("/consumetasks/doors", &[], doors(0, 1000)).await;
        let (db, feed) = node(&database).await;
        let begun = {
            let (db, feed) = (db.clone(), feed.clone());
            let stop = CancellationToken::new();
            tokio::spawn(async move { rereading::run(&db, &feed, "doors", &of_doors(), &stop).await })
        };
        eventually("some are changed", async || stored::version(&db).await.unwrap()).await;
        begun.abort();
        let _ = begun.await;
        let counts = agreed(&app).await;
        let critical = counts["Critical"].as_i64().unwrap();
        assert!(critical > 0, "{counts}");

        let stopped = CancellationToken::new();
        stopped.cancel();
        let nothing = rereading::run(&db, &feed, "doors", &of_doors(), &stopped).await.unwrap();
        assert_eq!((nothing.read, nothing.changed), (0, 0));

        let sending = async {
            for from in [1000, 1100, 1200, 1300] {
                app.post("/consumetasks/doors", &[], doors(from, 50)).await;
            }
        };
        let (rules, stop) = (of_doors(), CancellationToken::new());
        let ((), ended) = tokio::join!(sending, rereading::run(&db, &feed, "doors", &rules, &stop));
        ended.unwrap();
        rereading::run(&db, &feed, "doors", &rules, &stop).await.unwrap();
        let counts = agreed(&app).await;
        assert_eq!((&counts["Critical"], &counts["total"]), (&json!(400), &json!(1200)));
        db.close().await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_reading_in_the_background_tells_how_far_it_is_and_gives_way_to_newer_rules() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    app.post("/consumetasks/doors", &[], doors(0, 900)).await;
    let (db, feed) = node(&database).await;
    let tasks = tokio_util::task::TaskTracker::new();
    let readings = rereading::Rereadings::new(db.clone(), feed.clone(), tasks.clone(), CancellationToken::new());
    assert!(readings.progress("doors").is_none());
    readings.begin("doors", of_doors());
    let newer = Rules::from_yaml("- {when: [{pointer: /state, equals: ajar}], priority: Moderate}").unwrap();
    readings.begin("doors", newer);
    tasks.close();
    tasks.wait().await;
    let progress = readings.progress("doors").unwrap();
    assert_eq!((progress.state, progress.outcome.read), (rereading::State::Done, 900));
    let counts = agreed(&app).await;
    assert_eq!((&counts["Moderate"], &counts["other"]), (&json!(300), &json!(600)));
    db.close().await;
    app.end().await;
}
