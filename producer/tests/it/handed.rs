//! What is triggered for a quick and idle line is leased from the beginning; the rest waits in the queue, and nothing is lost between the two.

use std::time::Duration;

use serde_json::json;

use crate::support::{Database, endpoint::Say, eventually, stage::Stage, wire::User};

const UNDER_WAY: &str = "select a.username from deliveries d join accounts a on a.id = d.account_id \
                         where d.state = 0 and d.lease is not null order by a.username";
const NOT_DELIVERED: &str = "select count(*) from deliveries where state <> 1";

/// A producer that sends one at a time, an owner, and a registration whose first event has reached these.
async fn scene(database: Database, names: &[&str]) -> (Stage, User, String, Vec<User>) {
    let stage = Stage::with(database, |mut settings| {
        settings.delivery_concurrency = 1;
        settings
    })
    .await;
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &json!("e"), "{}").await;
    let mut followers = Vec::new();
    for name in names {
        followers.push(stage.follower(name, &registration).await);
    }
    stage.wire.trigger(&owner, &registration).await;
    delivered(&stage).await;
    (stage, owner, registration, followers)
}

async fn delivered(stage: &Stage) {
    eventually("all is delivered", || async { (stage.number(NOT_DELIVERED).await == 0).then_some(()) }).await;
}

/// Takes the only place for so long.
async fn occupy(stage: &Stage, owner: &User, time: Duration) {
    stage.endpoint.script("POST", "/busy", Say::usual().after(time));
    let other = stage.wire.register(owner, &json!("other"), "{}").await;
    stage.follower("busy", &other).await;
    stage.wire.trigger(owner, &other).await;
    stage.endpoint.arrived("POST", "/busy", 1).await;
}

on_both! {
    async fn only_what_is_quick_idle_and_free_is_leased_before_there_is_room_for_a_claim(database: Database) {
        let names = ["disabled", "down", "limited", "ordered", "paused", "quick", "stopped"];
        let (stage, owner, registration, users) = scene(database, &names).await;
        let id = |name: &str| &users[names.iter().position(|other| *other == name).unwrap()].id;
        let later_ms = common::time::now_ms() + 600_000;
        for sql in [
            format!("update accounts set failed_count = 250 where id = '{}'", id("disabled")),
            format!("update endpoints set down = 'refused' where account_id = '{}'", id("down")),
            format!("update subscriptions set rate_per_minute = 600 where account_id = '{}'", id("limited")),
            format!("update subscriptions set fifo = 1 where account_id = '{}'", id("ordered")),
            format!("update endpoints set not_before_ms = {later_ms} where account_id = '{}'", id("paused")),
            format!("update endpoints set state = 1 where account_id = '{}'", id("stopped")),
        ] {
            assert_eq!(stage.change(&sql).await, 1, "{sql}");
        }
        occupy(&stage, &owner, Duration::from_millis(1500)).await;
        stage.wire.trigger(&owner, &registration).await;
        assert_eq!(stage.texts(UNDER_WAY).await, ["\"busy\"", "\"quick\""]);
        stage.change("update endpoints set not_before_ms = 0, state = 0").await;
        for name in ["quick", "limited", "ordered", "paused", "down"] {
            stage.endpoint.arrived("POST", &format!("/{name}"), 2).await;
        }
        eventually("the rest is held", || async { (stage.number(NOT_DELIVERED).await == 1).then_some(()) }).await;
        assert_eq!(stage.endpoint.count("POST", "/quick"), 2, "once for each event");
        assert_eq!(stage.endpoint.count("POST", "/disabled"), 1);
    }

    async fn what_gets_no_turn_in_time_goes_back_into_the_queue(database: Database) {
        let (stage, owner, registration, _) = scene(database, &["quick"]).await;
        occupy(&stage, &owner, Duration::from_secs(4)).await;
        stage.wire.trigger(&owner, &registration).await;
        // Idle it is no more, so this one is queued.
        stage.wire.trigger(&owner, &registration).await;
        assert_eq!(stage.texts(UNDER_WAY).await, ["\"busy\"", "\"quick\""]);
        eventually("it is given back", || async { (stage.texts(UNDER_WAY).await == ["\"busy\""]).then_some(()) }).await;
        delivered(&stage).await;
        assert_eq!(stage.endpoint.count("POST", "/quick"), 3, "once for each event");
    }
}
