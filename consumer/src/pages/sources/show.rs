//! One source: what to paste where, who may send, and what was turned away.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use common::{
    fields::Fields,
    page::{self, duration, grouped},
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    super::{intake, row::EventRow},
    kinds::kind,
    paste::{Address, Guarding, Paste, pastes},
    refused::RejectedRow,
    said::{Said, after},
};
use crate::{
    App,
    guards::Guard,
    sources::{Origin, Refusal, Source},
    store::{
        counts,
        events::{self, Search},
        rejected,
    },
};

const EVENTS: i64 = 5;
const REJECTED: i64 = 50;

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage {
    served_at: String,
    producer_url: String,
    said: Option<&'static str>,
    name: String,
    guard: &'static str,
    is_open: bool,
    is_removable: bool,
    /// The file that it stands in and is changed in; `None`: it is changed here.
    file: Option<String>,
    address: String,
    pastes: Vec<Paste>,
    events: Vec<EventRow>,
    facts: Vec<(&'static str, String)>,
    /// `None`: there is none; empty: it is there, and not shown.
    secret: Option<String>,
    secret_label: &'static str,
    is_rotating: bool,
    rules: Vec<String>,
    rejected_summary: String,
    rejected: Vec<RejectedRow>,
}

/// `GET /sources/{name}`: of any name that may be one, set up or not.
pub async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    whole(&app, name, (said.words(), false), &headers).await
}

/// `POST /sources/{name}/reveal`: the page with the secret in it, which nobody is to keep.
pub async fn reveal(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut page = whole(&app, name, (None, true), &headers).await?;
    page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(page)
}

async fn whole(
    app: &App,
    name: String,
    (said, is_revealed): (Option<&'static str>, bool),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let source = known(app, &name).await?;
    let now_ms = now_ms();
    let (guard, guarding) = guard(source.as_deref());
    let kind = kind(guard.kind());
    let url = format!("{}/{name}", intake(headers));
    let newest = Search { source: Some(name.clone()), newest_first: true, limit: EVENTS, ..Search::default() };
    let newest = events::find(&app.db, &newest).await?;
    let secrets = app.registry.reveal(&name).unwrap_or_default();
    let rejected = app.registry.rejected(&name, REJECTED).await?;
    let total = rejected::totals(&app.db).await?.get(&name).map_or(0, |total| total.total);
    let is_of_file = source.as_ref().is_some_and(|source| source.origin == Origin::File);
    Ok(page::render(&SourcePage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        said,
        guard: kind.label,
        is_open: guard.is_open(),
        is_removable: source.is_some() && !is_of_file,
        file: is_of_file.then(|| app.config.sources_file().map_or_else(String::new, |file| file.display().to_string())),
        address: url.clone(),
        pastes: pastes(&Address { url: &url, kind, guarding: &guarding }),
        events: newest.iter().map(|event| EventRow::of(event, now_ms)).collect(),
        facts: facts(&guard, source.as_deref()),
        secret: secrets.first().map(|secret| if is_revealed { secret.to_owned() } else { String::new() }),
        secret_label: kind.secret,
        is_rotating: secrets.second().is_some(),
        rules: source
            .as_ref()
            .map(|source| source.rules.written().map(ToString::to_string).collect())
            .unwrap_or_default(),
        rejected_summary: if total > 0 { format!("{} in all", grouped(total)) } else { String::new() },
        rejected: rejected.into_iter().map(|one| RejectedRow::of(one, now_ms)).collect(),
        name,
    }))
}

/// `POST /sources/{name}/rotate`: the field `secret`, or a random one.
pub async fn rotate(State(app): State<App>, Path(name): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let new = Some(fields.owned("secret")).filter(|secret| !secret.is_empty());
    app.registry.rotate(&name, new).await.map_err(problem)?;
    Ok(after(&page_of(&name), "rotated"))
}

/// `POST /sources/{name}/settle`.
pub async fn settle(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    app.registry.finish_rotation(&name).await.map_err(problem)?;
    Ok(after(&page_of(&name), "settled"))
}

/// `POST /sources/{name}/remove`: its name has to be typed.
pub async fn remove(State(app): State<App>, Path(name): Path<String>, fields: Fields) -> Result<Response, Problem> {
    if !fields.confirms(&name, &name) {
        return Err(Problem::bad_request("Type the name of the source to remove it."));
    }
    app.registry.remove(&name).await.map_err(problem)?;
    Ok(after("/sources", "removed"))
}

fn page_of(name: &str) -> String {
    format!("/sources/{name}")
}

/// The source of this name; `None`: it is not set up, but has sent something or could.
///
/// # Errors
/// 404 for what is no name of a source.
pub async fn known(app: &App, name: &str) -> Result<Option<Arc<Source>>, Problem> {
    app.registry.read_if_changed().await?;
    let source = app.registry.get(name);
    let has_sent = async || counts::all(&app.db).await.map(|rows| rows.iter().any(|row| row.source == name));
    if source.is_none() && !has_sent().await? {
        return Err(Problem::not_found("source of this name"));
    }
    Ok(source)
}

/// The source of this name, if a page may change it; `None`: it is not set up, and may be.
///
/// # Errors
/// 403 for one that stands in the file.
pub async fn editable(app: &App, name: &str) -> Result<Option<Arc<Source>>, Problem> {
    app.registry.read_if_changed().await?;
    match app.registry.get(name) {
        Some(source) if source.origin == Origin::File => Err(problem(Refusal::OfFile)),
        found => Ok(found),
    }
}

/// What of a guard stands in requests.
fn guard(source: Option<&Source>) -> (Guard, Guarding) {
    let guard = source.map_or(Guard::Open {}, |source| source.guard.clone());
    let json = serde_json::to_value(&guard).unwrap_or_default();
    let text = |member: &str| json[member].as_str().unwrap_or_default().to_owned();
    let guarding = Guarding { place: text("in"), name: text("name"), prefix: text("prefix"), user: text("user") };
    (guard, guarding)
}

/// The guard and the limits, in words.
fn facts(guard: &Guard, source: Option<&Source>) -> Vec<(&'static str, String)> {
    let json = serde_json::to_value(guard).unwrap_or_default();
    let kind = kind(guard.kind());
    let mut facts = vec![("Kind", kind.lead.to_owned())];
    for field in kind.form(|member| {
        json[member].as_str().map(str::to_owned).or_else(|| json[member].as_i64().map(|number| number.to_string()))
    }) {
        let shown =
            field.choices.iter().find(|choice| choice.2).map_or(field.value.clone(), |choice| choice.1.to_owned());
        if !json[field.name].is_null() {
            facts.push((field.label, shown));
        }
    }
    let Some(source) = source else { return facts };
    if let Some(reason) = source.closed_because() {
        facts.push(("Nobody gets in", reason.into()));
    }
    if let Some(rate) = source.rate_per_minute() {
        facts.push(("At most", format!("{} requests a minute", grouped(rate.into()))));
    }
    if let Some(stale_s) = source.stale_after_s {
        facts.push(("Stale after", duration(stale_s)));
    }
    facts
}

/// Why a change is not made, as an answer.
pub fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Fields(errors) => {
            let texts: Vec<String> =
                errors.into_iter().map(|error| format!("{}: {}", error.field, error.problem)).collect();
            Problem::bad_request(format!("{}.", texts.join("; ")))
        }
        Refusal::OfFile => Problem::new(
            StatusCode::FORBIDDEN,
            "This source stands in the file of sources, which wins over the pages. Change it there, and start the consumer again.",
        ),
        Refusal::Exists => Problem::new(StatusCode::CONFLICT, "There is a source of this name. Choose another one."),
        Refusal::Missing => Problem::not_found("source of this name"),
        Refusal::Full { max } => Problem::new(
            StatusCode::FORBIDDEN,
            format!("There are {max} sources already, and no more are taken. Remove one first."),
        ),
        Refusal::Sealed => Problem::bad_request(
            "The secrets of this source cannot be opened, because SECRET_KEY was changed. Give it a new secret with the change.",
        ),
        Refusal::Database(error) => error.into(),
    }
}
