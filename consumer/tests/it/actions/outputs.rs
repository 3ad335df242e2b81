//! Outputs of a controller with Evok obey, each command once, whatever breaks meanwhile.

use serde_json::{Value, json};

use super::{CALL, action, all_are, call, device, key, make, outcome, program::Program, run};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually,
    evok::Evok,
    on_both,
};

/// A controller that is connected.
async fn plant(app: &TestApp, evok: &Evok) {
    add(app, json!({"url": evok.url()})).await;
    online(app).await;
}

async fn add(app: &TestApp, controller: Value) {
    let made = make(app, "/api/action-devices", json!({"name": "plant", "controller": controller})).await;
    assert!(made["id"].is_string() && made.get("key").is_none(), "{made}");
}

async fn online(app: &TestApp) {
    eventually("the controller is connected", async || {
        let devices = app.json("/api/action-devices").await["devices"].clone();
        let plant = devices.as_array().unwrap().iter().find(|device| device["kind"] == "evok").cloned();
        plant.is_some_and(|plant| plant["online"] == true).then_some(())
    })
    .await;
}

/// An action that sets relay `1_01` to 1, but for what is given.
async fn set(app: &TestApp, event_id: &str, but: Value) {
    let mut parameters = json!({"dev": "ro", "circuit": "1_01", "value": 1});
    for (name, value) in but.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    action(app, event_id, json!({"function": "set_output", "parameters": parameters})).await;
}

fn sets(of: &[(&str, i64)]) -> Vec<(String, Value)> {
    of.iter().map(|(circuit, value)| ((*circuit).to_owned(), json!(value))).collect()
}

#[tokio::test]
async fn a_call_sets_an_output_and_the_outcome_says_how_it_reads() {
    on_both(async |database| {
        let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
        let key = key(&app).await;
        device(&app, "lobby", &[]).await;
        plant(&app, &evok).await;
        set(&app, "on", json!({"dev": "relay"})).await;
        set(&app, "dim", json!({"dev": "ao", "value": 8.3})).await;
        let on = run(&app, &key, "on").await;
        let told = all_are(&app, &key, &on, "done").await;
        assert_eq!((told.len(), &told[0]["text"]), (1, &json!("ro 1_01 is 1")), "a screen has no outputs");
        assert_eq!(evok.value("ro", "1_01"), 1);
        let again = run(&app, &key, "on").await;
        all_are(&app, &key, &again, "done").await;
        let dim = run(&app, &key, "dim").await;
        assert_eq!(all_are(&app, &key, &dim, "done").await[0]["text"], "ao 1_01 is 8.3");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_an_output_cannot_do_fails_and_says_why() {
    on_both(async |database| {
        let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
        let key = key(&app).await;
        // What no command could name is not told either.
        for circuit in ["1\0", &"1".repeat(100_000), ""] {
            evok.has("ro", circuit);
        }
        plant(&app, &evok).await;
        set(&app, "wrong", json!({"circuit": "9_09"})).await;
        action(&app, "toast", json!({})).await;
        action(&app, "alarm", json!({"function": "enable_emergency", "parameters": {"text": "Out"}})).await;
        set(&app, "stuck", json!({})).await;
        evok.get_stuck();
        for (event_id, said) in [
            ("wrong", "the controller has no ro 9_09; it has ro 1_01, ro 1_02"),
            ("toast", "an output cannot do this"),
            ("alarm", "emergency_output"),
            ("stuck", "ro 1_01 reads 0"),
        ] {
            let execution = run(&app, &key, event_id).await;
            let told = all_are(&app, &key, &execution, "failed").await;
            let text = told[0]["text"].as_str().unwrap();
            assert!(text.contains(said) && text.len() < 200, "{told:?}");
        }
        assert_eq!(evok.sets(), sets(&[("1_01", 1)]), "nothing else was tried");
        let bad = json!({"name": "x", "controller": {"url": "http://a"}}).to_string();
        let refused = app.post("/api/action-devices", &[], bad).await;
        assert_eq!(refused.status(), 400);
        assert!(refused.text().await.unwrap().contains("ws://HOST:8080/ws"));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_controller_that_is_away_gets_what_is_in_time_when_it_comes_back() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let address = Evok::start().await.address;
        add(&app, json!({"url": format!("ws://{address}/ws")})).await;
        action(
            &app,
            "short",
            json!({"function": "set_output", "ttl_ms": 1, "parameters": {"dev": "ro", "circuit": "1_02", "value": 1}}),
        )
        .await;
        set(&app, "long", json!({})).await;
        let (_, answer) = call(&app, &key, json!({"event_id": "short"})).await;
        assert_eq!((&answer["reached"], &answer["queued"]), (&json!(0), &json!(1)));
        all_are(&app, &key, answer["execution_id"].as_str().unwrap(), "expired").await;
        let long = run(&app, &key, "long").await;
        let evok = Evok::at(address).await;
        all_are(&app, &key, &long, "done").await;
        assert_eq!(evok.sets(), sets(&[("1_01", 1)]));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_command_costs_nothing_but_time() {
    on_both(async |database| {
        let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
        let key = key(&app).await;
        plant(&app, &evok).await;
        set(&app, "on", json!({})).await;
        set(&app, "bell", json!({"circuit": "1_02", "seconds": 1})).await;
        evok.break_at_next_set();
        let on = run(&app, &key, "on").await;
        all_are(&app, &key, &on, "done").await;
        assert_eq!((evok.value("ro", "1_01"), evok.sets()), (json!(1), sets(&[("1_01", 1), ("1_01", 1)])));
        evok.break_at_next_set();
        let bell = run(&app, &key, "bell").await;
        let told = all_are(&app, &key, &bell, "failed").await;
        assert!(
            told[0]["text"].as_str().unwrap().contains("not begun again"),
            "a pulse is never given twice: {told:?}"
        );
        assert_eq!(evok.sets().len(), 3);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pulse_is_taken_back_and_a_later_command_outranks_it() {
    on_both(async |database| {
        let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
        let key = key(&app).await;
        plant(&app, &evok).await;
        set(&app, "bell", json!({"seconds": 1})).await;
        set(&app, "long", json!({"seconds": 600})).await;
        set(&app, "on", json!({})).await;
        let bell = run(&app, &key, "bell").await;
        eventually("it begins", async || (evok.value("ro", "1_01") == 1).then_some(())).await;
        let told = all_are(&app, &key, &bell, "done").await;
        assert_eq!((&told[0]["text"], evok.value("ro", "1_01")), (&json!("ro 1_01 was 1 for 1 s"), json!(0)));
        let long = run(&app, &key, "long").await;
        eventually("it says until when", async || {
            let told = outcome(&app, &key, &long).await.remove(0);
            (told["state"] == "acknowledged" && told["text"].as_str()?.contains("until")).then_some(())
        })
        .await;
        let on = run(&app, &key, "on").await;
        all_are(&app, &key, &on, "done").await;
        all_are(&app, &key, &long, "done").await;
        assert_eq!(evok.sets(), sets(&[("1_01", 1), ("1_01", 0), ("1_01", 1), ("1_01", 1)]));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_emergency_switches_its_output_and_the_end_takes_it_back() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let address = Evok::start().await.address;
        let siren = json!({"dev": "ro", "circuit": "1_02"});
        add(&app, json!({"url": format!("ws://{address}/ws"), "emergency_output": siren})).await;
        action(&app, "fire", json!({"function": "enable_emergency", "parameters": {"text": "Out"}})).await;
        action(&app, "drill", json!({"function": "enable_emergency", "parameters": {"text": "Out", "seconds": 2}}))
            .await;
        action(&app, "over", json!({"function": "disable_emergency", "parameters": {}})).await;
        let fire = run(&app, &key, "fire").await;
        let evok = Evok::at(address).await;
        let siren_is = async |value: i64| {
            eventually("the siren is as it should be", async || (evok.value("ro", "1_02") == value).then_some(()))
                .await;
        };
        siren_is(1).await;
        all_are(&app, &key, &fire, "done").await;
        let over = run(&app, &key, "over").await;
        all_are(&app, &key, &over, "done").await;
        siren_is(0).await;
        let drill = run(&app, &key, "drill").await;
        all_are(&app, &key, &drill, "done").await;
        siren_is(1).await;
        siren_is(0).await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_siren_that_does_not_obey_at_once_is_set_again_while_the_emergency_lasts() {
    let database = Database::create(Mode::Embedded).await;
    let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
    let key = key(&app).await;
    let siren = json!({"dev": "ro", "circuit": "1_02"});
    add(&app, json!({"url": evok.url(), "emergency_output": siren})).await;
    online(&app).await;
    action(&app, "fire", json!({"function": "enable_emergency", "parameters": {"text": "Out"}})).await;
    action(&app, "over", json!({"function": "disable_emergency", "parameters": {}})).await;
    for (event_id, value) in [("fire", 1), ("over", 0)] {
        evok.ignore_next_set();
        let execution = run(&app, &key, event_id).await;
        eventually("it is set again", async || (evok.value("ro", "1_02") == value).then_some(())).await;
        all_are(&app, &key, &execution, "failed").await;
    }
    assert_eq!(evok.sets(), sets(&[("1_02", 1), ("1_02", 1), ("1_02", 0), ("1_02", 0)]));
    app.end().await;
}

/// Makes a pulse of relay `1_01` begin; gives its execution.
async fn begun(app: &TestApp, evok: &Evok, key: &str, seconds: u32) -> String {
    set(app, "bell", json!({"seconds": seconds})).await;
    let bell = run(app, key, "bell").await;
    eventually("it says until when", async || {
        let told = outcome(app, key, &bell).await.remove(0);
        told["text"].as_str()?.contains("until").then_some(())
    })
    .await;
    assert_eq!(evok.value("ro", "1_01"), 1);
    bell
}

#[tokio::test]
async fn a_pulse_is_taken_back_also_when_a_later_command_failed() {
    let database = Database::create(Mode::Embedded).await;
    let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
    let key = key(&app).await;
    plant(&app, &evok).await;
    set(&app, "off", json!({"value": 0})).await;
    let bell = begun(&app, &evok, &key, 3).await;
    evok.ignore_next_set();
    let off = run(&app, &key, "off").await;
    eventually("it is set back", async || (evok.value("ro", "1_01") == 0).then_some(())).await;
    all_are(&app, &key, &off, "failed").await;
    let told = all_are(&app, &key, &bell, "done").await;
    assert_eq!((&told[0]["text"], evok.value("ro", "1_01")), (&json!("ro 1_01 was 1 for 3 s"), json!(0)));
    app.end().await;
}

#[tokio::test]
async fn a_pulse_ends_when_its_controller_is_deleted() {
    on_both(async |database| {
        let (app, evok) = (TestApp::start(&database, &[]).await, Evok::start().await);
        let key = key(&app).await;
        plant(&app, &evok).await;
        begun(&app, &evok, &key, 600).await;
        let devices = app.json("/api/action-devices").await["devices"].clone();
        let path = format!("/api/action-devices/{}", devices[0]["id"].as_str().unwrap());
        assert_eq!(app.client.delete(app.url(&path)).send().await.unwrap().status(), 204);
        eventually("it is set back", async || (evok.value("ro", "1_01") == 0).then_some(())).await;
        app.end().await;
    })
    .await;
}

async fn kill_in_a_pulse(database: Database) {
    let (mut program, evok) = (Program::start(&database, &[]).await, Evok::start().await);
    let key = program.post("/api/keys", json!({"name": "bell"}), "").await["key"].as_str().unwrap().to_owned();
    let parameters = json!({"dev": "ro", "circuit": "1_01", "value": 1, "seconds": 2});
    let action =
        json!({"name": "b", "event_id": "b", "function": "set_output", "target": "all", "parameters": parameters});
    program.post("/api/actions", action, "").await;
    program.post("/api/action-devices", json!({"name": "plant", "controller": {"url": evok.url()}}), "").await;
    let called = program.post(CALL, json!({"event_id": "b"}), &key).await;
    let execution = called["execution_id"].as_str().unwrap().to_owned();
    eventually("the pulse begins", async || (evok.value("ro", "1_01") == 1).then_some(())).await;
    program.kill_and_start().await;
    let done = json!({"done": 1});
    eventually("it is taken back", async || (program.states(&execution).await? == done).then_some(())).await;
    assert_eq!((evok.value("ro", "1_01"), evok.sets()), (json!(0), sets(&[("1_01", 1), ("1_01", 0)])));
}

#[tokio::test]
async fn a_pulse_is_taken_back_by_the_program_that_comes_after_one_that_was_killed() {
    on_both(kill_in_a_pulse).await;
}

#[tokio::test]
async fn of_two_nodes_one_holds_the_controller_and_the_other_takes_over() {
    let database = Database::create(Mode::Machines).await;
    let evok = Evok::start().await;
    let mut nodes = vec![TestApp::start(&database, &[]).await, TestApp::start(&database, &[]).await];
    let key = key(&nodes[0]).await;
    plant(&nodes[0], &evok).await;
    set(&nodes[0], "on", json!({})).await;
    for node in &nodes {
        let execution = run(node, &key, "on").await;
        all_are(node, &key, &execution, "done").await;
    }
    eventually("one connection", async || (evok.open() == 1).then_some(())).await;
    assert_eq!(evok.sets().len(), 2, "each once");
    let last = nodes.pop().unwrap();
    nodes.remove(0).end().await;
    online(&last).await;
    let execution = run(&last, &key, "on").await;
    all_are(&last, &key, &execution, "done").await;
    assert_eq!((evok.open(), evok.sets().len()), (1, 3));
    last.end().await;
}
