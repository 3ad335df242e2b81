//! The events that an account offers, and those of everybody.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    page::{self, Stamp},
    problem::Problem,
    time::now_ms,
};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{
    said::after,
    session::{Head, Posted, Session},
    words::{Pager, counted, plain, wrong},
};
use crate::{
    App, canonical,
    extract::Params,
    service::{
        LONGEST_DATA, LONGEST_TEXT, Refused, canonical as checked,
        webhooks::{self, NewWebhook},
    },
    store::offers::{MOST_COUNTED, Offer},
};

/// Which are listed, and from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `all`: everybody's.
    show: String,
    q: String,
    start: i64,
}

impl Asked {
    fn href(&self, start: i64) -> String {
        let start = start.to_string();
        let pairs =
            [("show", self.show.as_str()), ("q", self.q.trim()), ("start", if start == "0" { "" } else { &start })];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("/account/webhooks?{}", Serializer::new(String::new()).extend_pairs(set).finish())
    }
}

struct Row {
    id: String,
    event: String,
    description: String,
    owner: String,
    is_own: bool,
    subscribers: String,
    subscription: Option<String>,
    at: Stamp,
}

impl Row {
    fn of(offer: &Offer, session: &Session, now_ms: i64) -> Self {
        Self {
            id: offer.id.clone(),
            event: plain(&offer.event),
            description: plain(&offer.description),
            owner: offer.owner.as_deref().map_or_else(|| "deleted account".into(), plain),
            is_own: offer.account_id == session.account.id,
            subscribers: match offer.subscribers {
                1 => "1 subscriber".into(),
                count => format!("{} subscribers", counted(count, MOST_COUNTED)),
            },
            subscription: offer.subscription.clone(),
            at: Stamp::of(offer.created_us / 1000, now_ms),
        }
    }
}

/// What was typed in the form for a new one.
#[derive(Default)]
struct Typed {
    error: Option<String>,
    event: String,
    description: String,
    event_data: String,
}

#[derive(Template)]
#[template(path = "account_webhooks.html")]
struct WebhooksPage {
    head: Head,
    all: bool,
    q: String,
    typed: Typed,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /account/webhooks`.
pub async fn list(State(app): State<App>, session: Session, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    whole(&app, &session, &asked, Typed::default()).await
}

async fn whole(app: &App, session: &Session, asked: &Asked, typed: Typed) -> Result<Response, Problem> {
    let (now_ms, start) = (now_ms(), asked.start.max(0));
    let all = asked.show == "all";
    let mut offers = if all {
        app.store.offers(&session.account.id, asked.q.trim(), start).await?
    } else {
        app.store.offers_of(&session.account.id, start).await?
    };
    let pager = Pager::of(&mut offers, start, |start| asked.href(start));
    Ok(page::render(&WebhooksPage {
        head: session.head(now_ms),
        all,
        q: asked.q.trim().to_owned(),
        typed,
        rows: offers.iter().map(|offer| Row::of(offer, session, now_ms)).collect(),
        pager,
    }))
}

/// `POST /account/webhooks`: registers an event; a form that is refused comes back as it was typed.
pub async fn create(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let get = |name: &str| posted.fields.owned(name);
    let mut typed =
        Typed { error: None, event: get("event"), description: get("description"), event_data: get("event_data") };
    match register(&app, &posted.session, &typed).await {
        Ok(id) => return Ok(after(&format!("/account/webhooks/{id}"), "registered", 0)),
        Err(refused) => typed.error = Some(wrong(refused)?),
    }
    let page = whole(&app, &posted.session, &Asked::default(), typed).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

async fn register(app: &App, session: &Session, typed: &Typed) -> Result<String, Refused> {
    if typed.event.is_empty() {
        return Err(Refused::Bad("Event: write a name such as order.paid".into()));
    }
    let data = if typed.event_data.is_empty() { "{}" } else { &typed.event_data };
    let new = NewWebhook {
        description: checked("Description", &canonical::quoted(&typed.description), LONGEST_TEXT)?,
        event: checked("Event", &canonical::quoted(&typed.event), LONGEST_TEXT)?,
        event_data: checked("Data", data, LONGEST_DATA)?,
    };
    Ok(webhooks::register(app, &session.account, new).await?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_is_listed() {
        let asked = Asked { show: "all".into(), q: " a b ".into(), start: 0 };
        assert_eq!(asked.href(50), "/account/webhooks?show=all&q=a+b&start=50");
        assert_eq!(Asked::default().href(0), "/account/webhooks?");
    }
}
