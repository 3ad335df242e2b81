//! Section J: what changes while retries are pending, and does not concern them.

use std::time::Duration;

use super::{is_signed, registered, sheet::Sheet};
use crate::support::{
    Database,
    endpoint::Say,
    stage::Stage,
    wire::{User, delete, post},
};

/// `DEFAULT_RETRY` here: long enough for the changes between two attempts.
const RETRY: Duration = Duration::from_millis(1500);

on_both! {
    async fn section_j(database: Database) {
        let stage = Stage::with(database, |mut settings| { settings.default_retry = RETRY; settings }).await;
        let sheet = Sheet::new(&stage.wire);
        let owner = stage.join("owner", "/owner").await;
        tokio::join!(
            moved(&sheet, &stage, &owner),
            unregistered(&sheet, &stage, &owner),
            unsubscribed(&sheet, &stage, &owner),
        );
        sheet.end();
    }
}

/// A follower whose endpoint always fails, after its first failure.
async fn failing(stage: &Stage, owner: &User, name: &str, registration: &str) -> User {
    stage.endpoint.script("POST", &format!("/{name}"), Say::status(500));
    let user = stage.join(name, &format!("/{name}")).await;
    stage.wire.subscribe(&user, registration).await;
    stage.wire.trigger(owner, registration).await;
    stage.failed(&user, 1).await;
    user
}

async fn moved(sheet: &Sheet, stage: &Stage, owner: &User) {
    let registration = registered(stage, owner, "e").await;
    let user = failing(stage, owner, "old", &registration).await;
    stage.wire.must(&post("/v1/account/reset/secretkey").by(&user)).await;
    stage.wire.move_to(&user, &stage.endpoint.url("/new")).await;
    sheet.same("J19", &stage.wire.account(&user).await["failed_count"], &0.into());
    let calls = stage.endpoint.arrived("POST", "/old", 4).await;
    stage.failed(&user, 3).await;
    for call in &calls {
        sheet.holds("J19", is_signed(call, &user.secret_key), "a retry is signed with another secret than the old one");
    }
    sheet.same("J19", &stage.endpoint.calls("POST", "/new").len(), &0);
    stage.wire.trigger(owner, &registration).await;
    let renewed = stage.wire.account(&user).await["secret_key"].as_str().unwrap().to_owned();
    let call = stage.endpoint.arrived("POST", "/new", 1).await[0].clone();
    sheet.holds("J19", is_signed(&call, &renewed), "what is triggered later is not signed with the new secret");
}

async fn unregistered(sheet: &Sheet, stage: &Stage, owner: &User) {
    let registration = registered(stage, owner, "e").await;
    let user = failing(stage, owner, "unregistered", &registration).await;
    stage.wire.must(&delete(format!("/v1/webhook/registration/{registration}")).by(owner)).await;
    stage.failed(&user, 4).await;
    sheet.same("J22", &stage.endpoint.calls("POST", "/unregistered").len(), &4);
}

async fn unsubscribed(sheet: &Sheet, stage: &Stage, owner: &User) {
    let registration = registered(stage, owner, "e").await;
    let user = failing(stage, owner, "unsubscribed", &registration).await;
    stage
        .wire
        .must(&delete("/v1/webhook/subscription/".to_owned() + &subscription(stage, &user).await).by(&user))
        .await;
    stage.failed(&user, 4).await;
    sheet.same("J22", &stage.endpoint.calls("POST", "/unsubscribed").len(), &4);
}

async fn subscription(stage: &Stage, user: &User) -> String {
    super::ids(stage, user, "/v1/webhook/subscription").await.remove(0)
}
