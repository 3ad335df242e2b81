//! Making an API key, and changing what it is good for.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    fields::Fields,
    page,
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    head::{Head, Said, after},
    kept_by_nobody, keys,
    typed::{Wrong, moment_ms, number, wrong},
};
use crate::{
    App,
    actions::{
        administrator::Admin,
        keys::{self as domain, NewKey},
    },
    store::actions::{definitions, keys::Key},
};

/// Event ids that a form offers.
const OFFERED: usize = 200;

/// What stands in the form of a key.
pub struct KeyForm {
    pub name: String,
    pub is_for_all: bool,
    pub events: Vec<(String, bool)>,
    /// Chosen ones that no action has; one a line.
    pub others: String,
    pub expires: String,
    pub rate: String,
    pub max_uses: String,
    pub wrong: Option<Wrong>,
}

impl KeyForm {
    pub fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|wrong| wrong.field == field).map(|wrong| wrong.text.as_str())
    }
}

#[derive(Template)]
#[template(path = "action_key_new.html")]
struct NewPage {
    head: Head,
    form: KeyForm,
}

/// `GET /actions/keys/new`.
pub async fn new(State(app): State<App>) -> Result<Response, Problem> {
    let form = KeyForm { is_for_all: true, ..chosen(&app, &[]).await? };
    Ok(page::render(&NewPage { head: Head::new(&app, "/actions/keys/new"), form }))
}

/// `POST /actions/keys/new`: leads to the page of the key, which shows it.
pub async fn create(State(app): State<App>, admin: Admin, fields: Fields) -> Result<Response, Problem> {
    let made = match read(&fields) {
        Ok(new) => domain::create(&app, &admin, new).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok((key, secret)) => {
            let form = form_of(&app, &key).await?;
            Ok(kept_by_nobody(keys::whole(&app, &key, (&secret, true), form, &Said::default())))
        }
        Err(problem) => {
            let (status, form) = again(&app, &fields, problem).await?;
            let page = page::render(&NewPage { head: Head::new(&app, "/actions/keys/new"), form });
            Ok((status, page).into_response())
        }
    }
}

/// `POST /actions/keys/{id}`.
pub async fn change(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let changed = match read(&fields) {
        Ok(new) => domain::change(&app, &admin, &id, new).await,
        Err(problem) => Err(problem),
    };
    let Err(problem) = changed else { return Ok(after(&format!("/actions/keys/{id}"), &[], "key-saved")) };
    let (status, form) = again(&app, &fields, problem).await?;
    let key = domain::known(&app, &id).await?;
    Ok((status, keys::whole(&app, &key, ("", false), form, &Said::default())).into_response())
}

fn read(fields: &Fields) -> Result<NewKey, Problem> {
    let expires = fields.get("expires_at");
    let expires_ms = match expires {
        "" => None,
        text => Some(moment_ms(text, now_ms(), 1).ok_or_else(|| {
            wrong(
                "expires_at",
                "Expiry is a length of time such as 8h or 30d, or a time such as 2026-12-31 18:00 (UTC).",
            )
        })?),
    };
    Ok(NewKey {
        name: fields.owned("name"),
        event_ids: (fields.get("scope") != "all").then(|| event_ids(fields)),
        expires_at: expires_ms.map(rfc3339),
        rate_per_minute: number(fields, "rate_per_minute", "Calls a minute")?,
        max_uses: number(fields, "max_uses", "Uses")?,
    })
}

fn event_ids(fields: &Fields) -> Vec<String> {
    let chosen = fields.all("event").chain(fields.get("others").lines()).map(str::trim);
    chosen.filter(|id| !id.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

async fn again(app: &App, typed: &Fields, problem: Problem) -> Result<(StatusCode, KeyForm), Problem> {
    let status = problem.status;
    let wrong = Wrong::of(problem)?;
    let form = KeyForm {
        name: typed.owned("name"),
        is_for_all: typed.get("scope") == "all",
        expires: typed.owned("expires_at"),
        rate: typed.owned("rate_per_minute"),
        max_uses: typed.owned("max_uses"),
        wrong: Some(wrong),
        ..chosen(app, &event_ids(typed)).await?
    };
    Ok((status, form))
}

/// The form with what the key is good for.
pub async fn form_of(app: &App, key: &Key) -> Result<KeyForm, Problem> {
    let form = chosen(app, key.event_ids.as_deref().unwrap_or_default()).await?;
    Ok(KeyForm {
        name: key.name.clone(),
        is_for_all: key.event_ids.is_none(),
        expires: key.expires_ms.map(rfc3339).unwrap_or_default(),
        rate: key.rate_per_minute.to_string(),
        max_uses: key.max_uses.map(|max| max.to_string()).unwrap_or_default(),
        ..form
    })
}

/// An empty form with the event ids that there are, and which of them are chosen.
async fn chosen(app: &App, event_ids: &[String]) -> Result<KeyForm, Problem> {
    let known: BTreeSet<String> =
        definitions::all(&app.db).await?.into_iter().map(|action| action.event_id).take(OFFERED).collect();
    let others: Vec<&str> = event_ids.iter().filter(|id| !known.contains(*id)).map(String::as_str).collect();
    Ok(KeyForm {
        name: String::new(),
        is_for_all: false,
        others: others.join("\n"),
        events: known.into_iter().map(|id| (id.clone(), event_ids.contains(&id))).collect(),
        expires: String::new(),
        rate: String::new(),
        max_uses: String::new(),
        wrong: None,
    })
}
