//! The account itself: how its endpoint does, where that is, its keys, and its end.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use common::{
    page::{Stamp, grouped, percent},
    problem::Problem,
    time::now_ms,
};

use super::{
    said::after,
    session::{self, Head, Posted, Session},
    sign::{KeysPage, private},
    words::{Choice, choices, plain, problem},
};
use crate::{
    App, accounts, canonical,
    service::{LONGEST_ENDPOINT, accounts as service, canonical as checked},
};

const HOME: &str = "/account";
const DAY_MS: i64 = 24 * 3_600_000;
const GRACES: [(&str, &str); 4] =
    [("86400", "for a day"), ("604800", "for a week"), ("3600", "for an hour"), ("0", "not at all")];

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    head: Head,
    id: String,
    created: Stamp,
    endpoint: String,
    disabled: Option<Stamp>,
    failed_count: String,
    max_failed_count: String,
    held: i64,
    held_text: String,
    /// Name and number, of the last day or of now.
    figures: Vec<(&'static str, String, &'static str)>,
    operational: String,
    api_key_sha256: String,
    secret_key: String,
    old_expires: Option<Stamp>,
    graces: Vec<Choice>,
}

/// `GET /account`.
pub async fn show(State(app): State<App>, session: Session) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let account = &session.account;
    let totals = app.store.totals(Some(&account.id), now_ms - DAY_MS).await?;
    let failed_count = account.failed_count.unwrap_or(0);
    let disabled = account.disabled_ms.filter(|_| failed_count >= app.settings.max_failed_count);
    let ended = totals.delivered + totals.failed;
    Ok(private(&AccountPage {
        head: session.head(now_ms),
        id: account.id.clone(),
        created: Stamp::of(account.created_us / 1000, now_ms),
        endpoint: plain(&account.endpoint),
        disabled: disabled.map(|at_ms| Stamp::of(at_ms, now_ms)),
        failed_count: grouped(failed_count),
        max_failed_count: grouped(app.settings.max_failed_count),
        held: totals.held,
        held_text: grouped(totals.held),
        figures: vec![
            ("Delivered", grouped(totals.delivered), "in 24 h"),
            ("Failed", grouped(totals.failed), "in 24 h"),
            ("Success", if ended == 0 { "–".into() } else { percent(totals.delivered, ended) }, "in 24 h"),
            ("Waiting", grouped(totals.waiting), "now"),
            ("Held", grouped(totals.held), "now"),
        ],
        operational: account.operational_url.clone().unwrap_or_default(),
        api_key_sha256: account.api_key_sha256.clone(),
        secret_key: app.vault.open(&account.sealed_secret, &account.id).unwrap_or_default(),
        old_expires: app.store.old_secret_expires(&account.id, now_ms).await?.map(|at_ms| Stamp::of(at_ms, now_ms)),
        graces: choices(&GRACES, ""),
    }))
}

/// `POST /account/endpoint`.
pub async fn set_endpoint(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let typed = posted.fields.get("endpoint");
    let url = url::Url::parse(typed).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| Problem::bad_request("Write a URL such as https://example.com/hooks."))?;
    app.policy.check(&url).map_err(|denied| Problem::bad_request(format!("That endpoint is not taken: {denied}.")))?;
    let endpoint = checked("Endpoint", &canonical::quoted(typed), LONGEST_ENDPOINT).map_err(problem)?;
    app.store.set_endpoint(&posted.session.account.id, &endpoint, now_ms()).await?;
    app.queued();
    Ok(after(HOME, "moved", 0))
}

/// `POST /account/enable`.
pub async fn enable(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let released = app.store.enable_account(&posted.session.account.id, now_ms()).await?;
    app.queued();
    Ok(after(HOME, "enabled", i64::try_from(released).unwrap_or(i64::MAX)))
}

/// `POST /account/operational`.
pub async fn set_operational(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let url = Some(posted.fields.get("endpoint")).filter(|url| !url.is_empty());
    service::tell_at(&app, &posted.session.account, url).await.map_err(problem)?;
    Ok(after(HOME, if url.is_some() { "operational" } else { "untold" }, 0))
}

/// `POST /account/secret`: a new signing key.
pub async fn rotate_secret(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let grace = posted.fields.get("grace_s").parse().map_or(accounts::GRACE, Duration::from_secs);
    let grace = grace.min(service::LONGEST_GRACE);
    let account = &posted.session.account;
    accounts::put_secret_in_force((&app.store, &app.vault), &account.id, &accounts::new_key(), grace).await?;
    tracing::info!(account.id, "a new secret key is in force");
    Ok(after(HOME, "rotated", 0))
}

/// `POST /account/key`: a new API key, shown once; it ends every other session of the account.
pub async fn rotate_key(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let (mut account, api_key) = (posted.session.account, accounts::new_key());
    account.api_key_sha256 = accounts::stored_form(&api_key);
    app.store.set_api_key(&account.id, &account.api_key_sha256).await?;
    tracing::info!(account.id, "a new API key is in force");
    let page = KeysPage { username: plain(&account.username), api_key, secret_key: None };
    Ok(([(header::SET_COOKIE, session::fresh(&app, &account))], private(&page)).into_response())
}

/// `POST /account/delete`: what is typed has to be the account's name.
pub async fn delete(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let account = &posted.session.account;
    if posted.fields.get("confirm") != plain(&account.username).trim() {
        return Err(Problem::bad_request("Nothing was deleted: what you typed is not the account's name."));
    }
    app.store.delete_account(&account.id, now_ms()).await?;
    tracing::info!(account.id, "an account was deleted by its owner");
    Ok(session::leave("/account/login"))
}
