//! How an account does: whether its endpoint is disabled, what is held, where it is told, and a new key with grace. Ours alone.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use common::time::{now_ms, rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    caller,
    wire::{Answer, Refusal, json as answer},
};
use crate::{
    App, accounts,
    service::accounts::{self as service, LONGEST_GRACE},
    store::accounts::Account,
};

/// How an account does.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Failed attempts since the last success.
    failed_count: i64,
    /// The endpoint is disabled from here on.
    max_failed_count: i64,
    disabled: bool,
    disabled_at: Option<String>,
    /// Events that are kept until it is enabled again.
    held: i64,
    /// Where the account is told that its endpoint was disabled; `null`: nowhere.
    operational_endpoint: Option<String>,
    /// Until when the key before the one in force signs beside it.
    old_secret_expires_at: Option<String>,
}

/// How your account does.
#[utoipa::path(get, path = "/v1/account/health", tag = "accounts", responses((status = 200, body = Health)))]
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    health(&app, &caller).await
}

async fn health(app: &App, account: &Account) -> Answer {
    let failed_count = account.failed_count.unwrap_or(0);
    let disabled = failed_count >= app.settings.max_failed_count;
    let health = Health {
        failed_count,
        max_failed_count: app.settings.max_failed_count,
        disabled,
        disabled_at: account.disabled_ms.filter(|_| disabled).map(rfc3339),
        held: app.store.held(&account.id).await?,
        operational_endpoint: account.operational_url.clone(),
        old_secret_expires_at: app.store.old_secret_expires(&account.id, now_ms()).await?.map(rfc3339),
    };
    Ok(answer(StatusCode::OK, &health))
}

/// Enable your endpoint again, where it is: failures are counted from 0, and what was held is sent, in its order.
#[utoipa::path(post, path = "/v1/account/enable", tag = "accounts", responses((status = 200, description = "`{\"released\": n}`")))]
pub async fn enable(State(app): State<App>, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let released = app.store.enable_account(&caller.id, now_ms()).await?;
    app.queued();
    Ok(answer(StatusCode::OK, &json!({ "released": released })))
}

/// Where to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Operational {
    /// Gets signed events such as `endpoint.disabled`; `null`: none.
    endpoint: Option<String>,
}

/// Say where you want to be told, by a signed webhook, that your endpoint was disabled.
#[utoipa::path(put, path = "/v1/account/operational", tag = "accounts", request_body(content = Operational, example = json!({"endpoint": "https://ops.example.com/hooks"})),
    responses((status = 200, body = Health), (status = 400, description = "`{\"Error\": …}`")))]
pub async fn set_operational(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let asked: Operational = serde_json::from_slice(&body).map_err(Refusal::unreadable)?;
    service::tell_at(&app, &caller, asked.endpoint.as_deref()).await?;
    health(&app, &Account { operational_url: asked.endpoint, ..caller }).await
}

/// How to rotate.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Seconds for which the old key signs beside the new one: 0 to 30 days, a day unless told.
    grace_s: Option<u64>,
}

/// Get a new secret key in the answer. `webhook-signature` is made with both keys until the old one expires; `pywebhooks-signature`, which can hold one only, with
/// the new one from the next event on.
#[utoipa::path(post, path = "/v1/account/rotate/secretkey", tag = "accounts", request_body(content = Rotate, example = json!({"grace_s": 3600})),
    responses((status = 200, description = "`{\"secret_key\": …, \"old_secret_expires_at\": …}`"), (status = 400, description = "`{\"Error\": …}`")))]
pub async fn rotate(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let asked: Rotate = if body.trim_ascii().is_empty() {
        Rotate::default()
    } else {
        serde_json::from_slice(&body).map_err(Refusal::unreadable)?
    };
    let grace = asked.grace_s.map_or(accounts::GRACE, Duration::from_secs);
    if grace > LONGEST_GRACE {
        return Err(Refusal::bad(format!("grace_s: at most {} seconds", LONGEST_GRACE.as_secs())));
    }
    let secret_key = accounts::new_key();
    accounts::put_secret_in_force((&app.store, &app.vault), &caller.id, &secret_key, grace).await?;
    let expires = app.store.old_secret_expires(&caller.id, now_ms()).await?.map(rfc3339);
    Ok(answer(StatusCode::OK, &json!({ "secret_key": secret_key, "old_secret_expires_at": expires })))
}
