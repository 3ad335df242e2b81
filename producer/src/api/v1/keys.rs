//! New keys, sent to the account's endpoint.

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
};
use common::time::now_ms;
use serde_json::json;

use super::{
    caller,
    wire::{self, Answer, Refusal},
};
use crate::{App, accounts, store::accounts::Account};

/// Requests for a new key that an account, and an address, may make an hour: whoever knows a name can ask, and the endpoint is called each time.
const MOST_OF_ACCOUNT: i64 = 30;
const MOST_OF_ADDRESS: i64 = 300;
const HOUR: Duration = Duration::from_hours(1);

/// Get a new API key, by `GET endpoint?api_key=KEY`; the header `username` is enough.
///
/// At most 30 an hour for an account and 300 for an address.
#[utoipa::path(post, path = "/v1/account/reset/apikey", tag = "accounts", params(("username" = String, Header)),
    responses((status = 200, description = "`{\"Message\": \"New key sent to endpoint\"}`"), (status = 400, description = "The endpoint did not answer 200 with JSON; the old key stays"),
        (status = 404, description = "No such username, or no endpoint"), (status = 429, description = "Too many; see `Retry-After`")))]
pub async fn reset_api_key(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer {
    let name = headers.get("username").ok_or_else(|| Refusal::bad("Missing the username header value"))?;
    let account = caller::named(&app, name).await?.ok_or_else(|| Refusal::missing("Username not found"))?;
    let api_key = send(&app, &account, peer, "api_key").await?;
    app.store.set_api_key(&account.id, &accounts::stored_form(&api_key)).await?;
    tracing::info!(account.id, "a new API key was sent to its endpoint");
    Ok(sent())
}

/// Get a new secret key, by `GET endpoint?secret_key=KEY`.
///
/// For a day the old one signs `webhook-signature` beside it; what is being retried keeps the old `pywebhooks-signature`.
#[utoipa::path(post, path = "/v1/account/reset/secretkey", tag = "accounts",
    responses((status = 200, description = "`{\"Message\": \"New key sent to endpoint\"}`"), (status = 400, description = "The endpoint did not answer 200 with JSON; the old key stays"),
        (status = 404, description = "No endpoint"), (status = 429, description = "Too many; see `Retry-After`")))]
pub async fn reset_secret_key(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer {
    let account = caller::known(&app, &headers).await?;
    let secret_key = send(&app, &account, peer, "secret_key").await?;
    accounts::put_secret_in_force((&app.store, &app.vault), &account.id, &secret_key, accounts::GRACE_MS).await?;
    tracing::info!(account.id, "a new secret key was sent to its endpoint");
    Ok(sent())
}

/// Makes a key and sends it to the account's endpoint, which must answer 200 with JSON.
async fn send(app: &App, account: &Account, peer: SocketAddr, name: &str) -> Result<String, Refusal> {
    if matches!(account.endpoint.as_str(), "\"\"" | "null") {
        return Err(Refusal::missing("Endpoint not found"));
    }
    throttle(app, account, peer).await?;
    let key = accounts::new_key();
    let url = account.endpoint_url().unwrap_or_default();
    let answered = app.handshake.tell(&url, name, &key).await;
    let failed = || Refusal::bad("Failed to contact the endpoint or wrong HTTP status code returned");
    answered.map(|_| key).ok_or_else(failed)
}

async fn throttle(app: &App, account: &Account, peer: SocketAddr) -> Result<(), Refusal> {
    let now_ms = now_ms();
    let since_ms = now_ms - i64::try_from(HOUR.as_millis()).unwrap_or(i64::MAX);
    let address = peer.ip().to_canonical().to_string();
    let resets = app.store.note_reset(&account.id, &address, (now_ms, since_ms)).await?;
    if resets.of_account <= MOST_OF_ACCOUNT && resets.of_address <= MOST_OF_ADDRESS {
        return Ok(());
    }
    let text = format!(
        "Too many key resets: at most {MOST_OF_ACCOUNT} an hour for an account and {MOST_OF_ADDRESS} for an address; wait an hour without asking"
    );
    Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, text).after(HOUR))
}

fn sent() -> axum::response::Response {
    wire::json(StatusCode::OK, &json!({ "Message": "New key sent to endpoint" }))
}
