//! Rules that fire event ids: when they do, what devices get, and that it happens once whatever dies.

use serde_json::{Value, json};
use sqlx::Executor;

use super::{Device, action, call, device, key, program::Program};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually,
    forms::form,
    on_both,
};

const ALARM: &str = "[{when: [{pointer: /level, greater: 5}], priority: Critical}, {when: [{priority: [Major, Critical]}], fire: evacuate}]";

fn rules_of(source: &str) -> String {
    format!("/sources/{source}/rules")
}

/// Saves the rules of a source on its page.
async fn rules(app: &TestApp, source: &str, rules: &str) {
    let answer = form(app, &rules_of(source), &[("rules", rules), ("do", "save")]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
}

async fn send(app: &TestApp, source: &str, body: Value) {
    assert_eq!(app.post(&format!("/consumetasks/{source}"), &[], body.to_string()).await.status(), 200);
}

/// The executions, the oldest first, once there are so many; none too many comes when everything that was fired before them is through.
async fn executions(app: &TestApp, count: usize) -> Vec<Value> {
    eventually("so many executions", async || {
        let listed = app.json("/api/executions").await["executions"].as_array().unwrap().clone();
        assert!(listed.len() <= count, "{listed:?}");
        (listed.len() == count).then(|| listed.into_iter().rev().collect())
    })
    .await
}

/// The event ids that were executed, in order, when `end` is the last: what is fired is carried out in order, so everything before it is through.
async fn fired_before(app: &TestApp, end: &str) -> Vec<String> {
    eventually(end, async || {
        let listed = app.json("/api/executions").await["executions"].as_array().unwrap().clone();
        let ids: Vec<_> = listed.iter().rev().map(|one| one["event_id"].as_str().unwrap().to_owned()).collect();
        (ids.last()? == end).then_some(ids)
    })
    .await
}

async fn audit(app: &TestApp, text: &str) -> Vec<Value> {
    app.json(&format!("/api/audit?q={text}")).await["audit"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_rule_fires_its_event_id_once_and_says_what_it_was_fired_by() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let mut screen = Device::connect(&app, &device(&app, "lobby", &[]).await, json!(null)).await;
        action(&app, "evacuate", json!({"function": "enable_emergency", "parameters": {"text": "Leave now"}})).await;
        rules(&app, "fire-alarm", ALARM).await;
        send(&app, "fire-alarm", json!({"level": 1})).await;
        send(&app, "fire-alarm", json!({"level": 9})).await;
        let command = screen.does().await;
        assert_eq!(
            (&command["function"], &command["parameters"]["text"]),
            (&json!("enable_emergency"), &json!("Leave now"))
        );
        let executions = executions(&app, 1).await;
        let id = executions[0]["id"].as_str().unwrap();
        eventually("it says that it did it", async || {
            (app.json(&format!("/api/executions/{id}")).await["states"] == json!({"done": 1})).then_some(())
        })
        .await;
        let line = &audit(&app, "evacuate").await[0];
        assert_eq!(
            (&line["who"], &line["from"], &line["status"], &line["execution"]),
            (&json!("rule of source fire-alarm"), &json!("event 2, rule 2"), &json!(200), &json!(id))
        );
        let event = eventually("it is an event of the log", async || app.events().await.get(2).cloned()).await;
        assert_eq!(event["body"]["fired_by"], json!({"source": "fire-alarm", "event": 2, "rule": 2}));
        assert_eq!((&event["source"], &event["priority"]), (&json!("actions"), &json!("Critical")));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_a_reading_without_change_a_snapshot_and_a_rereading_fire_nothing_and_a_change_does() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "lobby", &[]).await;
        for event_id in ["door", "end"] {
            action(&app, event_id, json!({})).await;
        }
        rules(
            &app,
            "hall",
            "[{when: [{pointer: /dev, exists: true}], fire: door}, {when: [{pointer: /end, exists: true}], fire: end}]",
        )
        .await;
        let reading = |circuit: &str, value: i64| json!({"dev": "di", "circuit": circuit, "value": value});
        send(&app, "hall", json!([reading("1", 0), reading("2", 0), reading("3", 0)])).await;
        send(&app, "hall", reading("1", 0)).await;
        for _ in 0..2 {
            app.post("/consumetasks/hall", &[("webhook-id", "same")], reading("1", 1).to_string()).await;
        }
        // A start-up state in which one device is in another state by now.
        send(&app, "hall", json!([reading("1", 1), reading("2", 1), reading("3", 0)])).await;
        assert_eq!(app.post("/sources/hall/reread", &[], "").await.status(), 303);
        eventually("it is read again", async || {
            let page = app.get("/sources/hall/rules").await.text().await.unwrap();
            page.contains("5 events read, 0 changed").then_some(())
        })
        .await;
        send(&app, "hall", json!({"end": 1})).await;
        assert_eq!(fired_before(&app, "end").await, ["door", "door", "end"], "the two that changed");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_hears_from_a_sensor_what_the_event_says_and_in_the_order_of_the_log() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let mut screen = Device::connect(&app, &device(&app, "lobby", &[]).await, json!(null)).await;
        action(&app, "sensor", json!({"function": "send_sensor_event_data", "parameters": {}})).await;
        rules(&app, "hall", "[{title: 'It is {/state}', fire: sensor}]").await;
        send(&app, "hall", json!({"dev": "di", "circuit": "1_01", "value": 1})).await;
        send(&app, "hall", json!([{"state": "open"}, {"state": "shut"}])).await;
        let expected = [
            json!({"id": "1_01", "event": "di", "value": 1}),
            json!({"id": "hall", "event": "It is open", "value": null}),
            json!({"id": "hall", "event": "It is shut", "value": null}),
        ];
        for sensor_data in expected {
            assert_eq!(screen.does().await["parameters"], json!({"sensor_data": sensor_data}));
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_executed_is_told_in_the_audit_and_holds_up_nothing() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "lobby", &[]).await;
        action(&app, "nobody", json!({"target": {"device": "cellar"}})).await;
        action(&app, "end", json!({})).await;
        rules(&app, "hall", "[{fire: nothing}, {fire: nobody}, {fire: end}]").await;
        send(&app, "hall", json!({"a": 1})).await;
        assert_eq!(fired_before(&app, "end").await, ["end"]);
        for (event_id, rule, words) in
            [("nothing", 1, "No action has the event id nothing"), ("nobody", 2, "No device is meant")]
        {
            let lines = audit(&app, &format!("event 1, rule {rule}")).await;
            assert_eq!((&lines[0]["subject"], &lines[0]["status"], lines.len()), (&json!(event_id), &json!(404), 1));
            assert!(lines[0]["detail"].as_str().unwrap().contains(words), "{lines:?}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_goes_round_in_a_loop_is_held_back_with_one_line_and_released_by_itself() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let mut screen = Device::connect(&app, &device(&app, "lobby", &[]).await, json!(null)).await;
        action(&app, "loop", json!({})).await;
        action(&app, "end", json!({})).await;
        rules(&app, "hall", "[{when: [{pointer: /end, exists: false}], fire: loop, rate_per_minute: 3}, {when: [{pointer: /end, exists: true}], fire: end}]").await;
        // A device that does something whenever it gets a command, which comes back as a webhook.
        send(&app, "hall", json!({"round": 0})).await;
        for round in 1..=3 {
            screen.does().await;
            send(&app, "hall", json!({"round": round})).await;
        }
        send(&app, "hall", json!([{"round": 4}, {"round": 5}])).await;
        send(&app, "hall", json!({"end": 1})).await;
        assert_eq!(fired_before(&app, "end").await, ["loop", "loop", "loop", "end"]);
        let lines = audit(&app, "held back").await;
        assert_eq!((lines.len(), &lines[0]["subject"]), (1, &json!("loop")), "{lines:?}");
        let text = |key: &str| lines[0][key].as_str().unwrap();
        assert!(lines[0]["status"] == 429 && text("from").ends_with(", rule 1"), "{lines:?}");
        assert!(text("detail").contains("3 times within a minute; a loop?"), "{lines:?}");

        let minute_ago = "update executions set called_ms = called_ms - 60000";
        database.connection().await.execute(minute_ago).await.unwrap();
        send(&app, "hall", json!({"round": 6})).await;
        executions(&app, 5).await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn executions_fire_nothing_whatever_the_rules_of_their_source_say() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        device(&app, "lobby", &[]).await;
        action(&app, "evacuate", json!({"function": "enable_emergency", "parameters": {"text": "Leave now"}})).await;
        rules(&app, "actions", "[{fire: evacuate}]").await;
        assert_eq!(call(&app, &key, json!({"event_id": "evacuate"})).await.0, 200);
        eventually("it is an event of the log", async || app.events().await.first().cloned()).await;
        send(&app, "actions", json!({"a": 1})).await;
        action(&app, "end", json!({})).await;
        rules(&app, "hall", "[{fire: end}]").await;
        send(&app, "hall", json!({"a": 1})).await;
        assert_eq!(fired_before(&app, "end").await, ["evacuate", "end"]);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn rules_of_a_file_fire_once_on_two_nodes() {
    let database = Database::create(Mode::Machines).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sources.yaml");
    std::fs::write(&file, "sources:\n  - name: hall\n    rules:\n      - fire: toast\n        rate_per_minute: 600\n")
        .unwrap();
    let setting = format!("--sources={}", file.display());
    let nodes = [TestApp::start(&database, &[&setting]).await, TestApp::start(&database, &[&setting]).await];
    device(&nodes[0], "lobby", &[]).await;
    action(&nodes[0], "toast", json!({})).await;
    for number in 0..40 {
        send(&nodes[number % 2], "hall", json!({"n": number})).await;
    }
    let listed = executions(&nodes[1], 40).await;
    assert!(listed.iter().all(|one| one["key"] == "rule of source hall"), "{listed:?}");
    let events = eventually("each is an event of the log", async || {
        let events = nodes[0].events().await;
        (events.len() == 80).then_some(events)
    })
    .await;
    let mut by: Vec<_> = events.iter().filter_map(|event| event["body"]["fired_by"]["event"].as_i64()).collect();
    by.sort_unstable();
    by.dedup();
    assert_eq!(by.len(), 40, "each by an event of its own");
    assert_eq!(audit(&nodes[0], "rule of source").await.len(), 40);
    for node in nodes {
        node.end().await;
    }
}

#[tokio::test]
async fn what_was_committed_fires_once_though_the_program_is_killed_before() {
    on_both(async |database| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sources.yaml");
        std::fs::write(&file, "sources: [{name: hall, rules: [{fire: toast, rate_per_minute: 600}]}]").unwrap();
        let setting = format!("--sources={}", file.display());
        let mut programs = vec![Program::start(&database, &[&setting]).await];
        if database.mode == Mode::Machines {
            programs.push(Program::start(&database, &[&setting]).await);
        }
        programs[0].post("/api/action-devices", json!({"name": "lobby"}), "").await;
        let toast = json!({"name": "t", "event_id": "toast", "function": "wake", "target": "all"});
        programs[0].post("/api/actions", toast, "").await;
        let mut connection = database.connection().await;
        for round in 1..=3 {
            // Nothing can be executed, so the program dies between the commit of the event and the firing.
            connection.execute("alter table executions rename to away").await.unwrap();
            assert_eq!(programs[0].send("/consumetasks/hall", json!({"round": round})).await, 200);
            programs[0].kill();
            connection.execute("alter table away rename to executions").await.unwrap();
            if programs.len() == 1 {
                programs[0].start_again().await;
            }
            let alive = programs.last().unwrap();
            let count = eventually("it fired, at the node that lives where there is one", async || {
                let listed = alive.json("/api/executions").await?["executions"].as_array()?.len();
                (listed >= round).then_some(listed)
            })
            .await;
            assert_eq!(count, round);
            if programs.len() == 2 {
                programs[0].start_again().await;
            }
        }
        // And killed at whatever moment it is.
        for round in 4..=9 {
            assert_eq!(programs[0].send("/consumetasks/hall", json!({"round": round})).await, 200);
            programs[0].kill_and_start().await;
        }
        let by = eventually("every event fired", async || {
            let events = programs[0].json("/api/events?source=actions&limit=1000").await?["events"].take();
            let mut by: Vec<_> =
                events.as_array()?.iter().filter_map(|event| event["body"]["fired_by"]["event"].as_i64()).collect();
            by.sort_unstable();
            (by.len() >= 9).then_some(by)
        })
        .await;
        let listed = programs[0].json("/api/executions").await.unwrap()["executions"].as_array().unwrap().len();
        assert_eq!((by.len(), listed), (9, 9), "{by:?}");
        assert!(by.is_sorted_by(|before, after| before < after), "each event once: {by:?}");
    })
    .await;
}

#[tokio::test]
async fn trying_rules_says_what_they_would_fire_and_whom_that_reaches() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for name in ["a", "b"] {
            device(&app, name, &[]).await;
        }
        action(&app, "evacuate", json!({})).await;
        let tried = |rules: &'static str| [("rules", rules), ("body", r#"{"level": 9}"#), ("do", "try")];
        let page = form(&app, &rules_of("hall"), &tried(ALARM)).await.text().await.unwrap();
        for words in ["Would fire evacuate (reaches 2 devices).", "the priority is Major or Critical"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let page = form(&app, &rules_of("hall"), &tried("[{fire: nothing}]")).await.text().await.unwrap();
        assert!(page.contains("Would fire nothing, which does nothing: No action has the event id nothing."), "{page}");
        let trial = json!({"rules": ALARM, "body": {"level": 9}}).to_string();
        let answer = app.post("/api/rules/test", &[("content-type", "application/json")], trial).await;
        let verdict: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(verdict["fires"], json!([{"event_id": "evacuate", "index": 1, "devices": 2}]));
        assert_eq!(app.json("/api/executions").await["executions"], json!([]), "nothing was done");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_carried_out_and_not_noted_is_no_firing_too_many() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "lobby", &[]).await;
        action(&app, "door", json!({})).await;
        rules(&app, "hall", "[{when: [{pointer: /door, equals: open}], fire: door, rate_per_minute: 1}]").await;
        send(&app, "hall", json!({"door": "open"})).await;
        executions(&app, 1).await;
        app.end().await;
        // As if the program had died between the execution and the note that it is done.
        let mut beside = database.connection().await;
        let again = "insert into firings select 1, 1, id, 'hall', 'door', 1, '{}' from executions";
        beside.execute(again).await.unwrap();
        let app = TestApp::start(&database, &[]).await;
        eventually("it is noted", async || {
            let waiting: i64 = sqlx::query_scalar("select count(*) from firings").fetch_one(&mut beside).await.unwrap();
            (waiting == 0).then_some(())
        })
        .await;
        executions(&app, 1).await;
        assert_eq!(audit(&app, "held back").await, Vec::<Value>::new());
        app.end().await;
    })
    .await;
}
