//! For administrators: all accounts, how many of everything, and dead letters.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{
    page::{self, Stamp, grouped},
    problem::Problem,
    time::now_ms,
};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{
    super::standing::Pill,
    home::standing,
    said::after,
    session::{Head, Posted, Session},
    words::{DAY_MS, Pager, counted, plain},
};
use crate::{
    App,
    extract::{Id, Params},
    store::{accounts::Account, totals::MOST_COUNTED},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    start: i64,
}

struct Row {
    id: String,
    username: String,
    endpoint: String,
    pill: Pill,
    is_admin: bool,
    created: Stamp,
}

impl Row {
    fn of(account: &Account, max_failed_count: i64, now_ms: i64) -> Self {
        Self {
            id: account.id.clone(),
            username: plain(&account.username),
            endpoint: plain(&account.endpoint),
            pill: standing(account, max_failed_count),
            is_admin: account.is_admin,
            created: Stamp::of(account.created_us / 1000, now_ms),
        }
    }
}

/// A number with what it is of and where it leads to.
struct Figure {
    name: &'static str,
    number: String,
    note: String,
    href: &'static str,
}

#[derive(Template)]
#[template(path = "account_admin.html")]
struct AdminPage {
    head: Head,
    figures: Vec<Figure>,
    q: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /account/admin`.
pub async fn show(State(app): State<App>, session: Session, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    administrator(&session)?;
    let (now_ms, start) = (now_ms(), asked.start.max(0));
    let q = asked.q.trim();
    let mut accounts = app.store.newest_accounts(q, start).await?;
    let pager = Pager::of(&mut accounts, start, |start| {
        let mut query = Serializer::new(String::new());
        query.append_pair("q", q).append_pair("start", &start.to_string());
        format!("/account/admin?{}", query.finish())
    });
    Ok(page::render(&AdminPage {
        head: session.head(now_ms),
        figures: figures(&app, now_ms).await?,
        q: q.to_owned(),
        rows: accounts.iter().map(|account| Row::of(account, app.settings.max_failed_count, now_ms)).collect(),
        pager,
    }))
}

async fn figures(app: &App, now_ms: i64) -> Result<Vec<Figure>, Problem> {
    let stored = app.store.stored(app.settings.max_failed_count).await?;
    let totals = app.store.totals(None, now_ms - DAY_MS).await?;
    let figure = |name, number, note: String, href| Figure { name, number, note, href };
    let of = |count| counted(count, MOST_COUNTED);
    let (of_day, now) = (|| "in 24 h".to_owned(), || "now".to_owned());
    Ok(vec![
        figure("Accounts", grouped(stored.accounts), format!("{} disabled", grouped(stored.disabled)), ""),
        figure("Webhooks", grouped(stored.registrations), "registered".into(), "/account/webhooks?show=all"),
        figure("Subscriptions", grouped(stored.subscriptions), "in all".into(), ""),
        figure("Delivered", of(totals.delivered), of_day(), "/account/deliveries?status=delivered&since=24h"),
        figure("Waiting", of(totals.waiting), now(), "/account/deliveries?status=waiting"),
        figure("Held", of(totals.held), now(), "/account/deliveries?status=held"),
        figure(
            "Dead letters",
            grouped(stored.dead),
            format!("{} in 24 h", of(totals.failed)),
            "/account/deliveries?status=failed",
        ),
    ])
}

/// `POST /account/admin/{id}/delete`: what is typed has to be the account's name.
pub async fn delete(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    administrator(&posted.session)?;
    let account = app.store.account(&id).await?.ok_or_else(|| Problem::not_found("such account"))?;
    if account.is_admin {
        return Err(Problem::conflict("An administrator's account is deleted by its owner only."));
    }
    if !posted.fields.confirms(&plain(&account.username), &id) {
        return Err(Problem::bad_request("Nothing was deleted: what you typed is not the account's name."));
    }
    app.store.delete_account(&id, now_ms()).await?;
    tracing::info!(account.id = id, "an account was deleted by an administrator");
    Ok(after("/account/admin", "deleted", 0))
}

/// Others are told that there is nothing.
fn administrator(session: &Session) -> Result<(), Problem> {
    if session.account.is_admin { Ok(()) } else { Err(Problem::not_found("such page for this account")) }
}
