//! The choice *Hardware*: one press sends a reading of every device as a batch.

use producer::config::Settings;
use serde_json::{Value, json};

use super::{File, ai, counted, di, producer, program::program, settings};
use crate::support::{
    Database, Producer,
    endpoint::{Call, Endpoint},
    evok::Evok,
};

/// Where readings go in these tests.
const PATH: &str = "/tasks/hardware";

fn tasks(calls: &[Call]) -> Vec<Value> {
    calls.iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect()
}

on_both! {
    async fn with_nothing_configured_this_machine_is_read(database: Database) {
        let endpoint = Endpoint::start().await;
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let settings = Producer::settings(&database, &endpoint.url("/tasks"));
        let producer = Producer::run(Settings { webhook_secret: Some(secret.into()), ..settings }).await;
        let id = producer.produce("source=hardware&count=&seed=&wait=").await;
        let batch = producer.done(&id).await;
        assert_eq!((&batch["source"], &batch["failed"], &batch["delivered"]), (&json!("hardware"), &json!(0), &batch["total"]));
        let calls = endpoint.calls("POST", PATH);
        let tasks = tasks(&calls);
        assert_eq!(json!(tasks.len()), batch["total"]);
        let memory = tasks.iter().find(|task| task["dev"] == "memory").expect("every machine has memory");
        assert_eq!((&memory["owner"], &memory["batchid"], &memory["source"]), (&json!("memory used"), &json!(id), &json!("machine")));
        assert!(memory["value"].is_number() && memory["priority"].is_string() && memory["unit"] == "%", "{memory}");
        let key = common::signature::secret_bytes(secret);
        let (id, at) = (calls[0].text("webhook-id"), calls[0].text("webhook-timestamp").parse().unwrap());
        assert_eq!(calls[0].text("webhook-signature"), common::signature::sign(&key, id, at, &calls[0].body));
        let made_up = producer.produce("count=1").await;
        assert_eq!(producer.batch(&made_up).await["source"], "tasks");
        producer.stop().await;
    }

    async fn a_device_that_is_connected_is_not_connected_again_and_one_that_is_away_says_so(database: Database) {
        let evok = Evok::start(&[&di("1_01", 0), &ai("9.5")]).await;
        let endpoint = Endpoint::start().await;
        let file = File::of(&format!(
            "sources:\n  - name: boiler\n    evok: {{url: \"{}\"}}\n    thresholds: [{{dev: ai, above: 9, priority: Critical}}]\n  \
             - name: roof\n    modbus: {{address: \"127.0.0.1:1\", points: [{{name: sun, register: input, address: 0}}]}}\n  \
             - name: box\n    host: {{}}\n    device_mask: [memory]\n",
            evok.url()
        ));
        let producer = producer(&database, &endpoint, &file).await;
        counted(&endpoint, "1_01", 0).await;
        let id = producer.produce("source=hardware").await;
        producer.done(&id).await;
        let mut tasks = tasks(&endpoint.calls("POST", PATH));
        tasks.sort_by_key(|task| task["id"].as_u64());
        let told: Vec<(&Value, &Value)> = tasks.iter().map(|task| (&task["owner"], &task["value"])).collect();
        assert_eq!(told[0], (&json!("boiler · ai 2_01"), &json!(9.5)));
        assert_eq!(told[1], (&json!("boiler · di 1_01"), &json!(1)));
        assert_eq!((told[2].0, told[3].0, told.len()), (&json!("box · memory used"), &json!("roof · roof"), 4));
        assert_eq!(tasks[0]["priority"], "Critical");
        assert!(tasks[3]["error"].as_str().unwrap().contains("cannot connect to 127.0.0.1:1"), "{}", tasks[3]);
        assert_eq!(evok.connections(), 1);
        producer.stop().await;
    }
}

#[tokio::test]
async fn what_only_made_up_tasks_have_is_refused_beside_its_field() {
    let (database, endpoint) = (Database::sqlite(), Endpoint::start().await);
    let producer = Producer::run(Producer::settings(&database, &endpoint.url("/tasks"))).await;
    for (form, field) in
        [("source=hardware&count=3", "count"), ("source=hardware&weights=1,1,1,1", "weights"), ("source=x", "source")]
    {
        let reply = producer.post("/producetasks", form).await;
        assert_eq!((reply.status, &reply.json["field"]), (400, &json!(field)), "{}", reply.text);
    }
    let request = producer.request("POST", "/producetasks").header("accept", "text/html");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("source=hardware&seed=3");
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains(r#"value="hardware" checked"#) && page.contains("Only tasks that are made up have it"),
        "{page}"
    );
    producer.stop().await;
}

#[tokio::test]
async fn the_command_line_sends_readings_too() {
    let (database, endpoint) = (Database::sqlite(), Endpoint::start().await);
    let evok = Evok::start(&[&di("1_01", 4)]).await;
    let file = File::boiler(&evok, &[]);
    let settings = settings(&database, &endpoint, &file);
    let mut command = program(&["produce", "--hardware", "--json"]);
    command
        .env("DATABASE_URL", &settings.database_url)
        .env("WEBHOOK_RECEIVER_URL", settings.webhook_receiver_url.as_str());
    let output = command.env("DEVICES", &file.path).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(summary["summary"]["source"], "hardware");
    let tasks = tasks(&endpoint.calls("POST", PATH));
    assert!(tasks.iter().any(|task| task["counter"] == 4 && task["source"] == "boiler"), "{tasks:?}");
    assert!(tasks.iter().any(|task| task["source"] == "machine"), "{tasks:?}");
}
