//! The rules of a source: written, tried on a body that is pasted or was received, saved, and applied to what is here already.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    fields::Fields,
    page::{self, plural},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::Deserialize;

use super::{
    said::{Said, after},
    show::{editable, known, problem},
    tried::{Outcome, attempt},
};
use crate::{
    App,
    event::Event,
    rereading::{Progress, State as Standing},
    rules::{Rules, input::KeptHeaders},
    sources::Source,
    store::events::{self, Search},
};

const RECEIVED: i64 = 8;
const EXAMPLE: &str = "\
- when:
    - {pointer: /alarm/level, greater: 5}
    - {pointer: /zone, matches: \"^hall\"}
  priority: Critical
  owner: \"{/zone}\"
  title: \"Alarm {/alarm/level} in {/zone}\"
- when: [{header: x-github-event, equals: star}]
  priority: Low
- when: [{priority: Critical}]
  fire: evacuate";

#[derive(Deserialize)]
pub struct Asked {
    /// The offset of a received event to try the rules on.
    event: Option<i64>,
    #[serde(flatten)]
    said: Said,
}

#[derive(Template)]
#[template(path = "source_rules.html")]
struct RulesPage {
    served_at: String,
    producer_url: String,
    said: Option<&'static str>,
    name: String,
    is_editable: bool,
    example: &'static str,
    rules: String,
    error: Option<String>,
    body: String,
    headers: String,
    try_error: Option<String>,
    outcome: Option<Outcome>,
    received: Vec<Received>,
    has_events: bool,
    reread: String,
    is_rereading: bool,
}

/// A received event to choose.
struct Received {
    number: i64,
    title: String,
    chosen: bool,
}

/// What stands in the form.
#[derive(Default)]
struct Form {
    rules: String,
    body: String,
    headers: String,
    event: Option<i64>,
}

/// `GET /sources/{name}/rules[?event=OFFSET]`; with an event it is tried at once.
pub async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let source = app.registry.get(&name);
    let mut form = Form { rules: written(source.as_deref()), event: asked.event, ..Form::default() };
    if let Some(event) = received(&app, &name, asked.event).await? {
        form.body.clone_from(&event.body);
        form.headers = KeptHeaders::of(&event.request).lines();
    }
    let tried = if form.body.is_empty() { Ok(None) } else { attempt(&form.rules, &form.body, &form.headers) };
    let said = asked.said.words();
    whole(&app, (&name, source.as_deref()), form, (said, None, tried)).await
}

/// `POST /sources/{name}/rules`: `do` is `save` or `try`; what cannot be read comes back as it was typed.
pub async fn change(State(app): State<App>, Path(name): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let source = app.registry.get(&name);
    let form = Form {
        rules: fields.raw("rules").replace("\r\n", "\n"),
        body: fields.raw("body").replace("\r\n", "\n"),
        headers: fields.owned("headers"),
        event: None,
    };
    let rules = match Rules::from_yaml(&form.rules) {
        Ok(rules) => rules,
        Err(error) => return refused(&app, (&name, source.as_deref()), form, error).await,
    };
    if fields.get("do") != "save" {
        let tried = attempt(&form.rules, &form.body, &form.headers);
        return whole(&app, (&name, source.as_deref()), form, (None, None, tried)).await;
    }
    editable(&app, &name).await?;
    app.registry.set_rules(&name, rules).await.map_err(problem)?;
    Ok(after(&format!("/sources/{name}/rules"), "rules"))
}

/// `POST /sources/{name}/reread`.
pub async fn read_again(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let rules = known(&app, &name).await?.map(|source| source.rules.clone()).unwrap_or_default();
    app.rereadings.begin(&name, rules);
    Ok(after(&format!("/sources/{name}/rules"), "reread"))
}

async fn refused(app: &App, source: (&str, Option<&Source>), form: Form, error: String) -> Result<Response, Problem> {
    let page = whole(app, source, form, (None, Some(error), Ok(None))).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// The rules as they are shown to be changed; nothing for none.
fn written(source: Option<&Source>) -> String {
    source.filter(|source| !source.rules.is_empty()).map(|source| source.rules.to_yaml()).unwrap_or_default()
}

async fn received(app: &App, name: &str, offset: Option<i64>) -> Result<Option<Event>, Problem> {
    let Some(offset) = offset else { return Ok(None) };
    let event = events::named(&app.db, &format!("@{offset}")).await?;
    Ok(event.filter(|event| &*event.source == name))
}

async fn whole(
    app: &App,
    (name, source): (&str, Option<&Source>),
    form: Form,
    (said, error, tried): (Option<&'static str>, Option<String>, Result<Option<Outcome>, String>),
) -> Result<Response, Problem> {
    let newest = Search { source: Some(name.to_owned()), newest_first: true, limit: RECEIVED, ..Search::default() };
    let newest = events::find(&app.db, &newest).await?;
    let progress = app.rereadings.progress(name);
    let (outcome, try_error) = match tried {
        Ok(Some(mut outcome)) => {
            outcome.ask(app).await;
            (Some(outcome), None)
        }
        Ok(None) => (None, None),
        Err(error) => (None, Some(error)),
    };
    Ok(page::render(&RulesPage {
        served_at: rfc3339(now_ms()),
        producer_url: app.config.producer_url.clone(),
        said,
        name: name.to_owned(),
        is_editable: source.is_none_or(|source| source.origin == crate::sources::Origin::Page),
        example: EXAMPLE,
        error,
        outcome,
        try_error,
        received: newest
            .iter()
            .map(|event| Received {
                number: event.offset,
                title: event.summary().title,
                chosen: form.event == Some(event.offset),
            })
            .collect(),
        rules: form.rules,
        body: form.body,
        headers: form.headers,
        has_events: !newest.is_empty(),
        reread: told(progress),
        is_rereading: progress.is_some_and(|progress| progress.state == Standing::Running),
    }))
}

/// Where reading old events again stands.
fn told(progress: Option<Progress>) -> String {
    let Some(Progress { state, outcome }) = progress else {
        return "Events that are here already keep the priority, the owner and the title they came with, until they are read again with the rules as saved.".into();
    };
    let read = plural(i64::try_from(outcome.read).unwrap_or(i64::MAX), "event");
    let so_far = format!("{read} read, {} changed", page::grouped(i64::try_from(outcome.changed).unwrap_or(i64::MAX)));
    match state {
        Standing::Running => format!("Under way: {so_far} so far."),
        Standing::Done => format!("Done: {so_far}."),
        Standing::Stopped => format!("Stopped after {so_far}. Begin anew: what is right already is left alone."),
    }
}
