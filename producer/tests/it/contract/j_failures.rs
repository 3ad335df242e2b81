//! Section J: what counts as a failed attempt, and how often it is tried again.

use std::time::Duration;

use serde_json::{Value, json};

use super::{registered, sheet::Sheet};
use crate::support::{
    Database, Receiver,
    endpoint::Say,
    eventually,
    stage::{RETRY, Stage},
    wire::User,
};

on_both! {
    async fn section_j(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let owner = stage.join("owner", "/owner").await;
        let late = late(&stage, &owner).await;
        let (told, refused) = (told(&stage, &owner).await, refused(&stage, &owner).await);
        let unsendable = unsendable(&stage, &owner).await;
        for user in told.iter().chain(&unsendable).chain([&refused]) {
            stage.failed(user, 4).await;
        }
        stage.two_retries_later("marker").await;
        four_times(&sheet, &stage, &told);
        for user in &unsendable {
            let calls = stage.endpoint.calls("POST", &format!("/{}", user.username)).len();
            sheet.same("J10", &(user.username.as_str(), calls), &(user.username.as_str(), 0));
        }
        for user in told.iter().chain(&unsendable).chain([&refused]) {
            let count = &stage.wire.account(user).await["failed_count"];
            sheet.same("J17", &(user.username.as_str(), count), &(user.username.as_str(), &json!(4)));
        }
        // J14: the answer after 7 s comes too late to be a success.
        eventually("J14: no answer within 5 s is a failure", || async {
            stage.wire.account(&late).await["failed_count"].as_i64().filter(|count| *count > 0)
        }).await;
        stage.endpoint.arrived("POST", "/late", 2).await;
        sheet.end();
    }
}

/// Follows what is made for it alone, and is triggered.
async fn triggered(stage: &Stage, owner: &User, name: &str, event: &Value) -> User {
    let registration = stage.wire.register(owner, event, "{}").await;
    let user = stage.follower(name, &registration).await;
    stage.wire.trigger(owner, &registration).await;
    user
}

async fn late(stage: &Stage, owner: &User) -> User {
    stage.endpoint.script("POST", "/late", Say::usual().after(Duration::from_secs(7)));
    triggered(stage, owner, "late", &json!("e")).await
}

/// Answers that are failures: any other status than 200 (J12), even those that mean more elsewhere, and what is not JSON (J13).
async fn told(stage: &Stage, owner: &User) -> Vec<User> {
    let says = [
        ("201", Say::status(201)),
        ("204", Say::status(204)),
        ("404", Say::status(404)),
        ("410", Say::status(410)),
        ("429", Say::status(429).with("retry-after", "3600")),
        ("500", Say::status(500)),
        ("503", Say::status(503).with("retry-after", "3600")),
        ("words", Say::text("not JSON")),
        ("empty", Say::text("")),
    ];
    let mut users = Vec::new();
    for (name, say) in says {
        stage.endpoint.script("POST", &format!("/{name}"), say);
        users.push(triggered(stage, owner, name, &json!("e")).await);
    }
    users
}

/// J17 for an endpoint at which nothing listens.
async fn refused(stage: &Stage, owner: &User) -> User {
    let registration = registered(stage, owner, "e").await;
    let user = stage.follower("refused", &registration).await;
    stage.wire.move_to(&user, &format!("http://{}/", Receiver::nobody().await)).await;
    stage.wire.trigger(owner, &registration).await;
    user
}

/// Events that no header can hold.
async fn unsendable(stage: &Stage, owner: &User) -> Vec<User> {
    let events = [
        ("number", json!(5)),
        ("object", json!({ "a": 1 })),
        ("cr", json!("a\rb")),
        ("lf", json!("a\nb")),
        ("leading", json!(" a")),
        ("beyond", json!("日本")),
    ];
    let mut users = Vec::new();
    for (name, event) in events {
        users.push(triggered(stage, owner, name, &event).await);
    }
    users
}

/// J17: four attempts, the wait between two of them at least `DEFAULT_RETRY`, and no more.
fn four_times(sheet: &Sheet, stage: &Stage, users: &[User]) {
    for user in users {
        let name = user.username.as_str();
        let calls = stage.endpoint.calls("POST", &format!("/{name}"));
        sheet.same("J17", &(name, calls.len()), &(name, 4));
        for pair in calls.windows(2) {
            let gap = pair[1].at - pair[0].at;
            // A due time is rounded down to a millisecond.
            let is_long = gap + Duration::from_millis(1) >= RETRY;
            sheet.holds("J17", is_long, &format!("{name} is tried again after {gap:?}"));
            sheet.holds("J17", pair[0].body == pair[1].body, &format!("{name} is sent another body"));
        }
    }
}
