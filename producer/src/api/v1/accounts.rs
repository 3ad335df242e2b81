//! Accounts: make one, look at one's own, move its endpoint, delete.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use common::time::now_ms;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    body::{Members, Named},
    caller, paging,
    wire::{Answer, Counts, Refusal, deleted, epoch, json, raw},
};
use crate::{
    App,
    service::{
        LONGEST_ENDPOINT, LONGEST_NAME,
        accounts::{self as service, Proof},
    },
    store::accounts::{Account, Changed},
};

/// An account as its owner and the administrator see it.
#[derive(Serialize, ToSchema)]
pub struct AccountRecord {
    /// When it was made: the key. Later: `sha256$` and its hash.
    #[schema(example = "be23d9ccb29082c489ba629077553ba1d8314005")]
    api_key: String,
    #[schema(value_type = serde_json::Value, example = "http://127.0.0.1:9090/account/endpoint")]
    endpoint: Box<RawValue>,
    #[schema(example = 1_441_164_550.515_677)]
    epoch: f64,
    /// Failed attempts since the last success; the administrator has none until it has an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_count: Option<i64>,
    id: String,
    is_admin: bool,
    /// What deliveries are signed with.
    secret_key: String,
    #[schema(value_type = serde_json::Value, example = "sarahfranks")]
    username: Box<RawValue>,
}

impl AccountRecord {
    fn of(account: &Account, api_key: String, secret_key: String) -> Self {
        Self {
            api_key,
            endpoint: raw(&account.endpoint),
            epoch: epoch(account.created_us),
            failed_count: account.failed_count,
            id: account.id.clone(),
            is_admin: account.is_admin,
            secret_key,
            username: raw(&account.username),
        }
    }

    fn stored(app: &App, account: &Account) -> Self {
        // `check_secret_key` made sure at the start that it can be opened.
        let secret_key = app.vault.open(&account.sealed_secret, &account.id).unwrap_or_default();
        Self::of(account, format!("sha256${}", account.api_key_sha256), secret_key)
    }
}

#[derive(Serialize, ToSchema)]
pub struct AccountPage {
    accounts: Vec<AccountRecord>,
    /// Where the next page starts, after a full one.
    next_start: Option<i64>,
}

/// What an account is made of; anything else in the body is ignored.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it describes the body; the members are read one by one, in the contract's order")]
pub struct NewAccount {
    /// Where its events are posted to; it must prove that it is the account's own before the account is made.
    #[schema(example = "http://127.0.0.1:9090/account/endpoint")]
    endpoint: String,
    #[schema(example = "sarahfranks")]
    username: String,
    /// `echo` (the default): `GET endpoint?echo=WORD` is to answer `{"echo": "WORD"}`. `cloudevents`: `OPTIONS endpoint` with `WebHook-Request-Origin` is to
    /// answer with `WebHook-Allowed-Origin`; `WebHook-Allowed-Rate` is obeyed.
    validation: Option<String>,
}

/// Make an account.
///
/// The only time that `api_key` is shown: what is stored is its hash.
#[utoipa::path(post, path = "/v1/account", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = AccountRecord), (status = 400, description = "`{\"Error\": …}`: the endpoint did not prove to be the account's own, or a member is missing"),
        (status = 409, description = "`{\"Error\": \"Username already exists\"}`")))]
pub async fn create(State(app): State<App>, body: Bytes) -> Answer {
    let members = Members::read(&body)?;
    let endpoint = members.get("endpoint", LONGEST_ENDPOINT)?.ok_or_else(|| Refusal::bad("Missing endpoint field"))?;
    let asks = members.get("validation", LONGEST_NAME)?.as_deref() == Some("\"cloudevents\"");
    let rate = service::prove(&app, &endpoint, if asks { Proof::CloudEvents } else { Proof::Echo }).await?;
    let username = members.get("username", LONGEST_NAME)?.ok_or_else(|| Refusal::bad("Missing username field"))?;
    let (account, keys) = service::join(&app, (username, endpoint), rate).await?;
    Ok(json(StatusCode::CREATED, &AccountRecord::of(&account, keys.api_key, keys.secret_key)))
}

/// Look at your own account.
#[utoipa::path(get, path = "/v1/account/{id}", tag = "accounts", params(("id" = String, Path, description = "The account")),
    responses((status = 200, body = AccountRecord), (status = 401, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    if caller.id != id {
        return Err(Refusal::unauthorized("Not authorized"));
    }
    Ok(json(StatusCode::OK, &AccountRecord::stored(&app, &caller)))
}

/// Move your endpoint.
///
/// Failures are counted from 0 again, and what was held while the endpoint was disabled is sent. What is being retried still goes where it was going.
#[utoipa::path(patch, path = "/v1/account", tag = "accounts", request_body(content = String, example = json!({"endpoint": "http://127.0.0.1:9090/account/alternate/endpoint"})),
    responses((status = 200, body = Counts), (status = 400, description = "`{\"Error\": \"Missing endpoint field\"}`")))]
pub async fn change(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let endpoint = Members::read(&body)?.get("endpoint", LONGEST_ENDPOINT)?;
    let endpoint = endpoint.ok_or_else(|| Refusal::bad("Missing endpoint field"))?;
    let changed = app.store.set_endpoint(&caller.id, &endpoint, now_ms()).await?;
    app.queued();
    Ok(counted(changed))
}

/// The counts of one changed record.
pub fn counted(changed: Changed) -> axum::response::Response {
    use axum::response::IntoResponse;
    match changed {
        Changed::Replaced => Counts { replaced: 1, ..Counts::default() },
        Changed::Unchanged => Counts { unchanged: 1, ..Counts::default() },
        Changed::Skipped => Counts { skipped: 1, ..Counts::default() },
    }
    .into_response()
}

/// The counts of one deleted record, or of one that was not there.
pub fn deleted_or_skipped(was_there: bool) -> axum::response::Response {
    if was_there { deleted(1) } else { counted(Changed::Skipped) }
}

/// Delete an account: your own, or as administrator any.
///
/// Its registrations and subscriptions go too, and everybody's subscriptions to its registrations. What was triggered stays listed.
#[utoipa::path(delete, path = "/v1/account/{id}", tag = "accounts", params(("id" = String, Path, description = "The account")),
    responses((status = 200, body = Counts), (status = 401, description = "`{\"Error\": \"Not authorized\"}`")))]
pub async fn delete(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    if caller.id != id && !caller.is_admin {
        return Err(Refusal::unauthorized("Not authorized"));
    }
    Ok(deleted_or_skipped(app.store.delete_account(&id, now_ms()).await?))
}

/// List all accounts (administrators only).
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = AccountPage), (status = 204, description = "Nothing from there on")))]
pub async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    caller::admin(&app, &headers).await?;
    let slice = paging::read(&uri)?;
    let found = app.store.accounts(slice).await?;
    let records: Vec<_> = found.iter().map(|account| AccountRecord::stored(&app, account)).collect();
    Ok(paging::page("accounts", &records, slice))
}

/// Delete every account but the administrators' (administrators only); what they registered stays.
#[utoipa::path(delete, path = "/v1/accounts", tag = "accounts", responses((status = 200, body = Counts)))]
pub async fn delete_all(State(app): State<App>, headers: HeaderMap) -> Answer {
    caller::admin(&app, &headers).await?;
    Ok(deleted(app.store.delete_accounts().await?))
}

/// `GET` and `DELETE` without an id.
pub async fn no_id() -> Refusal {
    Refusal::bad("Missing account_id")
}

/// `POST` and `PATCH` with an id.
pub async fn takes_no_id() -> Refusal {
    Refusal::bad("This request takes no account_id: leave it out of the path")
}
