//! Who calls: the headers `username` and `api-key`, checked in the order and with the words of `PyWebhooks`.

use axum::http::{HeaderMap, HeaderValue};
use common::key;

use super::wire::Refusal;
use crate::{App, accounts, canonical, store::accounts::Account};

/// The account that calls.
///
/// # Errors
/// 401: a header is missing, or they do not belong together; 429 for who guesses.
pub async fn known(app: &App, headers: &HeaderMap) -> Result<Account, Refusal> {
    let api_key = headers.get("api-key").ok_or_else(|| Refusal::unauthorized("Missing API key header value"))?;
    let name = headers.get("username").ok_or_else(|| Refusal::unauthorized("Missing username header value"))?;
    let account = named(app, name).await?.ok_or_else(|| Refusal::guessed("Invalid API key or Username"))?;
    let offered = accounts::stored_form(&String::from_utf8_lossy(api_key.as_bytes()));
    if key::equal(offered.as_bytes(), account.api_key_sha256.as_bytes()) {
        Ok(account)
    } else {
        Err(Refusal::guessed("Invalid API key"))
    }
}

/// The account that calls, which is an administrator.
///
/// # Errors
/// 401.
pub async fn admin(app: &App, headers: &HeaderMap) -> Result<Account, Refusal> {
    let account = known(app, headers).await?;
    if account.is_admin { Ok(account) } else { Err(Refusal::unauthorized("Not an Admin")) }
}

/// The account of a header's name: as UTF-8, and as the Latin-1 that Python's clients send.
pub async fn named(app: &App, name: &HeaderValue) -> Result<Option<Account>, Refusal> {
    let bytes = name.as_bytes();
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(account) = app.store.account_named(&canonical::quoted(text)).await?
    {
        return Ok(Some(account));
    }
    let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Ok(app.store.account_named(&canonical::quoted(&latin)).await?)
}
