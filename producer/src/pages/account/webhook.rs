//! One registered event: what it sends, who may subscribe, and triggering it.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{
    page::{self, Stamp},
    problem::Problem,
    time::now_ms,
};

use super::{
    said::after,
    session::{Head, Posted, Session},
    words::{counted, plain, problem, wrong},
};
use crate::{
    App, canonical,
    extract::Id,
    service::{LONGEST_DATA, LONGEST_TEXT, Refused, canonical as checked},
    store::{offers::MOST_COUNTED, registrations::Registration},
    trigger::{self, Event},
};

#[derive(Template)]
#[template(path = "account_webhook.html")]
struct WebhookPage {
    head: Head,
    id: String,
    event: String,
    description: String,
    owner: String,
    is_own: bool,
    may_change: bool,
    created: Stamp,
    subscribers: String,
    subscription: Option<String>,
    data: String,
    curl: String,
    /// What was typed as other data, with what is wrong with it.
    typed: String,
    error: Option<String>,
}

/// `GET /account/webhooks/{id}`: everybody with an account may see what can be subscribed to.
pub async fn show(
    State(app): State<App>,
    session: Session,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    whole(&app, &session, (&id, &origin(&headers)), (String::new(), None)).await
}

async fn whole(
    app: &App,
    session: &Session,
    (id, origin): (&str, &str),
    (typed, error): (String, Option<String>),
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let registration = found(app, id).await?;
    let offer = app.store.offer(&session.account.id, id).await?.ok_or_else(none)?;
    let username = plain(&session.account.username).replace('\'', r"'\''");
    Ok(page::render(&WebhookPage {
        head: session.head(now_ms),
        id: id.to_owned(),
        event: plain(&registration.event),
        description: plain(&registration.description),
        owner: offer.owner.as_deref().map_or_else(|| "deleted account".into(), plain),
        is_own: registration.account_id == session.account.id,
        may_change: session.may_see(&registration.account_id),
        created: Stamp::of(registration.created_us / 1000, now_ms),
        subscribers: counted(offer.subscribers, MOST_COUNTED),
        subscription: offer.subscription,
        data: registration.event_data,
        curl: format!(
            "curl -X POST {origin}/v1/webhook/triggered/{id} \\\n  -H 'Content-Type: application/json' -H 'username: {username}' -H 'api-key: YOUR_API_KEY'"
        ),
        typed,
        error,
    }))
}

/// How this service is reached from where the page is looked at.
pub fn origin(headers: &HeaderMap) -> String {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if get("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    format!("{scheme}://{}", get(header::HOST.as_str()).unwrap_or("localhost:5000"))
}

/// `POST /account/webhooks/{id}/trigger`: with other data when some is typed.
pub async fn fire(State(app): State<App>, Id(id): Id, headers: HeaderMap, posted: Posted) -> Result<Response, Problem> {
    let registration = found(&app, &id).await?;
    if registration.account_id != posted.session.account.id {
        return Err(none());
    }
    let typed = posted.fields.get("event_data");
    let data = Some(typed).filter(|typed| !typed.is_empty());
    match data.map(|data| checked("Data", data, LONGEST_DATA)).transpose() {
        Ok(data) => {
            let stored = trigger::fire(&app, Event { registration, data, key: None }).await?;
            let deliveries = i64::try_from(stored.ids.len()).unwrap_or(i64::MAX);
            Ok(after(&format!("/account/webhooks/{id}"), "triggered", deliveries))
        }
        Err(refused) => refuse(&app, &posted.session, (&id, &origin(&headers)), (typed, refused)).await,
    }
}

async fn refuse(
    app: &App,
    session: &Session,
    place: (&str, &str),
    (typed, refused): (&str, Refused),
) -> Result<Response, Problem> {
    let error = wrong(refused)?;
    let page = whole(app, session, place, (typed.to_owned(), Some(error))).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// `POST /account/webhooks/{id}/describe`.
pub async fn describe(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    changeable(&app, &posted.session, &id).await?;
    let description = canonical::quoted(posted.fields.get("description"));
    app.store.describe(&id, &checked("Description", &description, LONGEST_TEXT).map_err(problem)?).await?;
    Ok(after(&format!("/account/webhooks/{id}"), "described", 0))
}

/// `POST /account/webhooks/{id}/delete`: what is typed has to be the event's name.
pub async fn delete(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    let registration = changeable(&app, &posted.session, &id).await?;
    if !posted.fields.confirms(&plain(&registration.event), &id) {
        return Err(Problem::bad_request("Nothing was deleted: what you typed is not the event's name."));
    }
    app.store.delete_registration(&id).await?;
    Ok(after("/account/webhooks", "deleted", 0))
}

/// The registration, when it is the account's own or the account an administrator's.
async fn changeable(app: &App, session: &Session, id: &str) -> Result<Registration, Problem> {
    let registration = found(app, id).await?;
    if session.may_see(&registration.account_id) { Ok(registration) } else { Err(none()) }
}

async fn found(app: &App, id: &str) -> Result<Registration, Problem> {
    app.store.registration(id).await?.ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("such webhook of yours")
}
