//! The way from a device to a receiver, on both databases.

use producer::config::Settings;
use serde_json::json;

use super::{File, PATH, ai, counted, counters, di, producer, settings, status, text, until};
use crate::support::{
    Database, Producer,
    endpoint::{Endpoint, Say},
    evok::Evok,
    stage::Stage,
};

on_both! {
    async fn the_state_of_all_devices_arrives_as_evok_wrote_it_and_then_what_changes_in_order(database: Database) {
        let (one, nan) = (di("1_01", 0), ai("NaN"));
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&one, &nan, r#"{"dev": "led", "circuit": "1", "value": 0}"#]).await);
        let file = File::boiler(&evok, &[r#"device_mask: ["di", "ai"]"#]);
        let producer = producer(&database, &endpoint, &file).await;
        let calls = endpoint.arrived("POST", PATH, 1).await;
        assert_eq!(text(&calls[0]), format!("[{one}, {}]", ai("\"NaN\"")));
        assert_eq!(calls[0].text("event"), "device.changed.boiler");
        assert!(calls[0].text("webhook-signature").starts_with("v1,"), "{calls:?}");
        for count in 1..=40 {
            evok.change(0, &di("1_01", count));
            evok.tell(&format!("[{nan}]"));
        }
        assert_eq!(counted(&endpoint, "1_01", 40).await, (0..=40).collect::<Vec<u64>>());
        let status = status(&producer).await;
        assert_eq!((&status["state"], &status["changes"], &status["kind"]), (&json!("connected"), &json!(42), &json!("evok")));
        producer.stop().await;
    }

    async fn a_device_that_dies_and_comes_back_with_another_value_loses_nothing_and_tells_nothing_twice(database: Database) {
        let (one, two) = (di("1_01", 0), di("1_02", 0));
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&one, &two]).await);
        let file = File::boiler(&evok, &[]);
        let producer = producer(&database, &endpoint, &file).await;
        counted(&endpoint, "1_01", 0).await;
        evok.change(0, &di("1_01", 1));
        counted(&endpoint, "1_01", 1).await;
        let address = evok.die().await;
        let status = until(&producer, "the loss is told", |status| status["state"] == "connecting").await;
        assert!(status["last_error"].is_string() && status["connected_since"].is_null(), "{status}");
        let evok = Evok::at(address, &[&di("1_01", 2), &two]).await;
        counted(&endpoint, "1_01", 2).await;
        evok.change(1, &di("1_02", 1));
        counted(&endpoint, "1_02", 1).await;
        let calls = endpoint.calls("POST", PATH);
        assert_eq!((counters(&calls, "1_01"), counters(&calls, "1_02")), (vec![0, 1, 2], vec![0, 1]));
        producer.stop().await;
    }

    async fn what_changes_while_the_receiver_is_away_arrives_later_in_order(database: Database) {
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
        let file = File::boiler(&evok, &[]);
        let settings = Settings { retry_schedule: vec!["50ms"; 100].join(",").parse().unwrap(), ..settings(&database, &endpoint, &file) };
        let producer = Producer::run(settings).await;
        counted(&endpoint, "1_01", 0).await;
        endpoint.script("POST", PATH, Say::status(500));
        for count in 1..=5 {
            evok.change(0, &di("1_01", count));
        }
        endpoint.arrived("POST", PATH, 4).await;
        until(&producer, "all is stored", |status| status["changes"] == 6).await;
        producer.kill();
        let producer = Producer::run(settings_again(&database, &endpoint, &file)).await;
        endpoint.script("POST", PATH, Say::usual());
        let counters = counted(&endpoint, "1_01", 5).await;
        assert_eq!(counters[..6], [0, 1, 2, 3, 4, 5]);
        until(&producer, "the lease of the one that was killed ran out", |status| status["state"] == "connected").await;
        producer.stop().await;
    }

    async fn every_address_is_sent_to_and_one_without_complex_events_gets_a_bare_get(database: Database) {
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
        let (a, b, bare) = (endpoint.url("/a?token=abc"), endpoint.url("/b"), endpoint.url("/bare"));
        let file = File::of(&format!(
            "sources:\n  - name: one\n    evok: {{url: \"{url}\"}}\n    webhook:\n      address: [\"{a}\", \"{b}\"]\n      secret: our secret\n      headers: {{X-Place: cellar}}\n  \
             - name: two\n    evok: {{url: \"{url}\"}}\n    webhook: {{address: \"{bare}\", complex_events: false}}\n",
            url = evok.url()
        ));
        let producer = producer(&database, &endpoint, &file).await;
        for path in ["/a", "/b"] {
            let call = endpoint.arrived("POST", path, 1).await.remove(0);
            assert_eq!((text(&call), call.text("x-place")), (format!("[{}]", di("1_01", 0)).as_str(), "cellar"));
            let (id, at) = (call.text("webhook-id"), call.text("webhook-timestamp").parse().unwrap());
            assert_eq!(call.text("webhook-signature"), common::signature::sign(b"our secret", id, at, &call.body));
        }
        assert_eq!(endpoint.calls("POST", "/a")[0].target, "/a?token=abc");
        let call = endpoint.arrived("GET", "/bare", 1).await.remove(0);
        assert_eq!((call.body.len(), call.target.as_str()), (0, "/bare"));
        assert!(endpoint.calls("POST", "/bare").is_empty());
        producer.stop().await;
    }

    async fn whoever_subscribes_gets_the_changes_too(database: Database) {
        let evok = Evok::start(&[&di("1_01", 0)]).await;
        let file = File::boiler(&evok, &["webhook: {enabled: false}"]);
        let stage = Stage::with(database, |settings| Settings { devices: Some(file.path.clone()), ..settings }).await;
        let status = until(&stage.producer, "the state is told", |status| status["changes"] == 1).await;
        stage.follower("sub", status["registration"].as_str().unwrap()).await;
        evok.change(0, &di("1_01", 1));
        let calls = stage.endpoint.arrived("POST", "/sub", 1).await;
        assert_eq!(text(&calls[0]), r#"[{"dev": "di", "circuit": "1_01", "value": 1, "counter": 1}]"#);
        assert_eq!(stage.endpoint.count("POST", PATH), 0);
        let name = json!(["hookcast devices", "x"]);
        let body = json!({ "username": name, "endpoint": stage.endpoint.url("/x") });
        let told = stage.wire.send(&crate::support::wire::post("/v1/account").json(&body)).await;
        assert_eq!(told.status, 409, "{}", told.text);
    }

    async fn of_two_producers_one_reads_and_the_other_takes_over(database: Database) {
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
        let file = File::boiler(&evok, &[]);
        let first = producer(&database, &endpoint, &file).await;
        counted(&endpoint, "1_01", 0).await;
        let second = producer(&database, &endpoint, &file).await;
        until(&second, "the second stands by", |status| status["state"] == "standby").await;
        evok.change(0, &di("1_01", 1));
        counted(&endpoint, "1_01", 1).await;
        assert_eq!((evok.connections(), endpoint.count("POST", PATH)), (1, 2));
        first.stop().await;
        until(&second, "the second reads", |status| status["state"] == "connected").await;
        evok.change(0, &di("1_01", 2));
        // The state of all devices is told once more by whoever takes over.
        assert_eq!(counted(&endpoint, "1_01", 2).await, [0, 1, 1, 2]);
        second.stop().await;
    }

    async fn an_address_that_is_taken_out_of_the_file_is_sent_nothing_more_and_nothing_is_made_twice(database: Database) {
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
        let webhook = |paths: &[&str]| {
            let addresses: Vec<String> = paths.iter().map(|path| format!("\"{}\"", endpoint.url(path))).collect();
            File::boiler(&evok, &[&format!("webhook: {{address: [{}]}}", addresses.join(", "))])
        };
        let first = producer(&database, &endpoint, &webhook(&["/a", "/b"])).await;
        endpoint.arrived("POST", "/a", 1).await;
        endpoint.arrived("POST", "/b", 1).await;
        first.stop().await;
        let second = producer(&database, &endpoint, &webhook(&["/b"])).await;
        endpoint.arrived("POST", "/b", 2).await;
        assert_eq!(endpoint.count("POST", "/a"), 1);
        second.stop().await;
        assert_eq!(made(&database).await, [3, 1, 1]);
    }

    async fn producers_that_start_at_the_same_time_make_everything_once(database: Database) {
        let (endpoint, evok) = (Endpoint::start().await, Evok::start(&[&di("1_01", 0)]).await);
        let file = File::boiler(&evok, &[]);
        // The tables are made by one of them: that two make them at once is another matter.
        Producer::run(Settings { devices: None, ..settings(&database, &endpoint, &file) }).await.stop().await;
        let (one, two) = tokio::join!(producer(&database, &endpoint, &file), producer(&database, &endpoint, &file));
        counted(&endpoint, "1_01", 0).await;
        assert_eq!((made(&database).await, evok.connections()), ([2, 1, 1], 1));
        one.stop().await;
        two.stop().await;
    }
}

/// How many accounts beside the administrator, registrations and subscriptions there are.
async fn made(database: &Database) -> [i64; 3] {
    let mut connection = database.connection().await;
    let mut counts = [0; 3];
    for (count, table) in counts.iter_mut().zip(["accounts where is_admin = 0", "registrations", "subscriptions"]) {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        *count = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    }
    counts
}

/// The same once more, as after a restart.
fn settings_again(database: &Database, endpoint: &Endpoint, file: &File) -> Settings {
    Settings { retry_schedule: vec!["50ms"; 100].join(",").parse().unwrap(), ..settings(database, endpoint, file) }
}
