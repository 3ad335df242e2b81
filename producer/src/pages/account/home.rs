//! The account itself: how its endpoint does, where that is, its keys, and its end.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{
    page::{Stamp, grouped, percent},
    problem::Problem,
    time::now_ms,
};

use super::{
    super::{
        choice::{Choice, choices},
        standing::Pill,
    },
    said::after,
    session::{self, Head, Posted, Session},
    sign::{KeysPage, private},
    words::{DAY_MS, counted, plain, wrong as said_wrong},
};
use crate::{
    App, accounts,
    service::accounts as service,
    store::{accounts::Account, totals::MOST_COUNTED},
};

const HOME: &str = "/account";
const GRACES: [(&str, &str); 4] =
    [("86400", "for a day"), ("604800", "for a week"), ("3600", "for an hour"), ("0", "not at all")];

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    head: Head,
    id: String,
    created: Stamp,
    standing: Pill,
    endpoint: String,
    wrong: Wrong,
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
    whole(&app, &session, Wrong::default()).await
}

/// What was typed and is not taken, and why.
#[derive(Default)]
struct Wrong {
    endpoint: Option<(String, String)>,
    operational: Option<(String, String)>,
}

async fn whole(app: &App, session: &Session, wrong: Wrong) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let account = &session.account;
    let totals = app.store.totals(Some(&account.id), now_ms - DAY_MS).await?;
    let most = app.settings.max_failed_count;
    let disabled = account.disabled_ms.filter(|_| account.is_disabled(most));
    let ended = totals.delivered + totals.failed;
    Ok(private(&AccountPage {
        head: session.head(now_ms),
        id: account.id.clone(),
        created: Stamp::of(account.created_us / 1000, now_ms),
        standing: standing(account, most),
        endpoint: plain(&account.endpoint),
        wrong,
        disabled: disabled.map(|at_ms| Stamp::of(at_ms, now_ms)),
        failed_count: grouped(account.failed_count.unwrap_or(0)),
        max_failed_count: grouped(most),
        held: totals.held,
        held_text: counted(totals.held, MOST_COUNTED),
        figures: vec![
            ("Delivered", counted(totals.delivered, MOST_COUNTED), "in 24 h"),
            ("Failed", counted(totals.failed, MOST_COUNTED), "in 24 h"),
            ("Success", if ended == 0 { "–".into() } else { percent(totals.delivered, ended) }, "in 24 h"),
            ("Waiting", counted(totals.waiting, MOST_COUNTED), "now"),
            ("Held", counted(totals.held, MOST_COUNTED), "now"),
        ],
        operational: account.operational_url.clone().unwrap_or_default(),
        api_key_sha256: account.api_key_sha256.clone(),
        secret_key: app.vault.open(&account.sealed_secret, &account.id).unwrap_or_default(),
        old_expires: app.store.old_secret_expires(&account.id, now_ms).await?.map(|at_ms| Stamp::of(at_ms, now_ms)),
        graces: choices(&GRACES, ""),
    }))
}

/// How the account's endpoint does.
pub fn standing(account: &Account, max_failed_count: i64) -> Pill {
    let (class, symbol, word) = match account.failed_count {
        _ if account.endpoint_url().is_none() => ("other", "○", "No endpoint".into()),
        _ if account.is_disabled(max_failed_count) => ("critical", "⏸", "Endpoint disabled".into()),
        None | Some(0) => ("low", "✓", "Endpoint good".into()),
        Some(failed) => ("major", "↻", format!("{} failed in a row", grouped(failed))),
    };
    Pill { class, symbol, word }
}

/// `POST /account/endpoint`; what is refused comes back as it was typed.
pub async fn set_endpoint(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let typed = posted.fields.owned("endpoint");
    let endpoint = match service::endpoint(&app, &typed) {
        Ok(endpoint) => endpoint,
        Err(refused) => {
            let wrong = Wrong { endpoint: Some((typed, said_wrong(refused)?)), ..Wrong::default() };
            return Ok((StatusCode::BAD_REQUEST, whole(&app, &posted.session, wrong).await?).into_response());
        }
    };
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

/// `POST /account/operational`; what is refused comes back as it was typed.
pub async fn set_operational(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let typed = posted.fields.owned("endpoint");
    let url = Some(typed.as_str()).filter(|url| !url.is_empty());
    match service::tell_at(&app, &posted.session.account, url).await {
        Ok(()) => Ok(after(HOME, if url.is_some() { "operational" } else { "untold" }, 0)),
        Err(refused) => {
            let wrong = Wrong { operational: Some((typed, said_wrong(refused)?)), ..Wrong::default() };
            Ok((StatusCode::BAD_REQUEST, whole(&app, &posted.session, wrong).await?).into_response())
        }
    }
}

/// `POST /account/secret`: a new signing key.
pub async fn rotate_secret(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let grace = posted.fields.get("grace_s").parse().map(Duration::from_secs).ok();
    let grace = grace.filter(|grace| *grace <= service::LONGEST_GRACE);
    let grace = grace.ok_or_else(|| Problem::bad_request("Choose how long the old key signs beside the new one."))?;
    let account = &posted.session.account;
    accounts::put_secret_in_force((&app.store, &app.vault), &account.id, &accounts::new_key(), grace).await?;
    tracing::info!(account.id, "a new secret key is in force");
    Ok(after(HOME, if grace.is_zero() { "replaced" } else { "rotated" }, 0))
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
    if !posted.fields.confirms(&plain(&account.username), &account.id) {
        return Err(Problem::bad_request("Nothing was deleted: what you typed is not the account's name."));
    }
    app.store.delete_account(&account.id, now_ms()).await?;
    tracing::info!(account.id, "an account was deleted by its owner");
    Ok(session::leave("/account/login"))
}
