//! Making a source, and changing who may send to it.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    config::parse_duration,
    fields::Fields,
    page,
    problem::Problem,
    time::{now_ms, rfc3339},
    yaml::check_name,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    kinds::{FormField, KINDS, Kind, kind},
    said::after,
    show::{editable, problem},
};
use crate::{
    App,
    guards::{FieldError, Guard},
    sources::{Draft, Refusal, Source, fresh_secret},
};

#[derive(Deserialize)]
pub struct Asked {
    /// A kind of guard, to see its fields.
    kind: Option<String>,
}

#[derive(Template)]
#[template(path = "source_edit.html")]
struct EditPage {
    served_at: String,
    producer_url: String,
    title: String,
    own: String,
    action: String,
    is_new: bool,
    kinds: Vec<KindChoice>,
    kind: &'static str,
    name: String,
    errors: Vec<String>,
    fields: Vec<FormField>,
    secret_label: &'static str,
    secret: String,
    secret_usual: &'static str,
    has_more: bool,
    stale_after: String,
    usual_stale: String,
    rate: String,
}

/// A way to guard it, which leads to its fields.
struct KindChoice {
    href: String,
    label: &'static str,
    lead: &'static str,
    chosen: bool,
}

/// What stands in the form.
struct Form {
    kind: &'static Kind,
    name: String,
    fields: Vec<FormField>,
    secret: String,
    stale_after: String,
    rate: String,
    errors: Vec<String>,
}

/// `GET /new-source[?kind=…]`.
pub async fn new(State(app): State<App>, Query(asked): Query<Asked>) -> Response {
    let kind = kind(asked.kind.as_deref().unwrap_or("token"));
    let fields = kind.form(|_| None);
    let (name, secret, stale_after, rate) = Default::default();
    whole(&app, None, Form { kind, name, fields, secret, stale_after, rate, errors: Vec::new() })
}

/// `POST /new-source`.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Response, Problem> {
    let name = fields.owned("source");
    if let Err(error) = check_name(&name) {
        return Ok(refused(&app, None, &fields, vec![FieldError::new("", error)]));
    }
    save(&app, None, &name, &fields).await
}

/// `GET /sources/{name}/edit[?kind=…]`.
pub async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let source = editable(&app, &name).await?;
    let guard = serde_json::to_value(source.as_ref().map_or(&Guard::Open {}, |source| &source.guard));
    let guard = guard.map_err(|error| Problem::internal(&error))?;
    let present = guard["kind"].as_str().unwrap_or_default();
    let kind = kind(asked.kind.as_deref().unwrap_or(present));
    let fields = kind.form(|member| text(&guard[member]).filter(|_| kind.id == present));
    let stale_after = source.as_ref().and_then(|source| source.stale_after_s).map(seconds).unwrap_or_default();
    let rate = source.as_ref().and_then(|source| source.rate_per_minute()).map(|rate| rate.to_string());
    let (secret, rate) = (String::new(), rate.unwrap_or_default());
    let form = Form { kind, name: name.clone(), fields, secret, stale_after, rate, errors: Vec::new() };
    Ok(whole(&app, Some(&name), form))
}

/// `POST /sources/{name}/edit`.
pub async fn change(State(app): State<App>, Path(name): Path<String>, fields: Fields) -> Result<Response, Problem> {
    editable(&app, &name).await?;
    save(&app, Some(&name), &name, &fields).await
}

async fn save(app: &App, present: Option<&str>, name: &str, fields: &Fields) -> Result<Response, Problem> {
    let source = app.registry.get(name);
    let draft = match draft(name, source.as_deref(), fields) {
        Ok(draft) => draft,
        Err(errors) => return Ok(refused(app, present, fields, errors)),
    };
    let saved = match present {
        Some(_) => app.registry.save(draft).await,
        None => app.registry.create(draft).await,
    };
    match saved {
        Ok(()) => Ok(after(&format!("/sources/{name}"), if present.is_some() { "saved" } else { "made" })),
        Err(Refusal::Fields(errors)) => Ok(refused(app, present, fields, errors)),
        Err(Refusal::Exists) => {
            let error = format!("There is a source named {name}. Choose another name, or change that one.");
            Ok(refused(app, present, fields, vec![FieldError::new("", error)]))
        }
        Err(refusal) => Err(problem(refusal)),
    }
}

/// What the form describes.
///
/// # Errors
/// What cannot be read; whether it may be, the draft says itself.
fn draft(name: &str, source: Option<&Source>, fields: &Fields) -> Result<Draft, Vec<FieldError>> {
    let guard = kind(fields.get("kind")).guard(fields);
    let guard: Guard = serde_json::from_value(guard).map_err(|error| vec![FieldError::new("", error.to_string())])?;
    let typed = fields.get("secret");
    let is_needed = !guard.is_open() && source.is_none_or(|source| source.guard.is_open());
    let secret = match (typed, is_needed) {
        ("", true) => Some(fresh_secret(&guard)),
        ("", false) => None,
        (typed, _) => Some(typed.to_owned()),
    };
    let stale_after_s = optional(fields.get("stale_after"), |text| {
        let time = parse_duration(text).map_err(|error| vec![FieldError::new("stale_after", error)])?;
        Ok::<_, Vec<FieldError>>(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    })?;
    let rate_per_minute = optional(fields.get("rate"), |text| {
        text.parse().map_err(|_| vec![FieldError::new("rate_per_minute", "is a whole number, or empty for no limit")])
    })?;
    Ok(Draft { name: name.to_owned(), guard, secret, rules: None, stale_after_s, rate_per_minute })
}

fn optional<T, E>(text: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, E> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// The form as it was typed, with what is wrong beside its fields.
fn refused(app: &App, present: Option<&str>, typed: &Fields, errors: Vec<FieldError>) -> Response {
    let kind = kind(typed.get("kind"));
    let mut fields = kind.form(|member| Some(typed.raw(member).to_owned()));
    let mut others = Vec::new();
    for FieldError { field, problem } in errors {
        match fields.iter_mut().find(|one| one.name == field) {
            Some(one) => one.error = Some(format!("{}: {problem}", one.label)),
            None => others.push(explained(field, &problem)),
        }
    }
    let form = Form {
        kind,
        name: present.map_or_else(|| typed.owned("source"), str::to_owned),
        fields,
        secret: typed.owned("secret"),
        stale_after: typed.owned("stale_after"),
        rate: typed.owned("rate"),
        errors: others,
    };
    (StatusCode::BAD_REQUEST, whole(app, present, form)).into_response()
}

fn explained(field: &str, problem: &str) -> String {
    match field {
        "" => problem.to_owned(),
        "secret" => format!("Secret: {problem}"),
        "rate_per_minute" => format!("Most requests a minute: {problem}"),
        "stale_after" => format!("Stale after: {problem}"),
        other => format!("{other}: {problem}"),
    }
}

fn whole(app: &App, present: Option<&str>, form: Form) -> Response {
    let action = present.map_or_else(|| "/new-source".to_owned(), |name| format!("/sources/{name}/edit"));
    let choice = |one: &Kind| KindChoice {
        href: format!("{action}?kind={}", one.id),
        label: one.label,
        lead: one.lead,
        chosen: one.id == form.kind.id,
    };
    page::render(&EditPage {
        served_at: rfc3339(now_ms()),
        producer_url: app.config.producer_url.clone(),
        title: present.map_or_else(|| "New source".to_owned(), |name| format!("Guard of {name}")),
        own: format!("{action}?kind={}", form.kind.id),
        kinds: KINDS.iter().map(choice).collect(),
        is_new: present.is_none(),
        kind: form.kind.id,
        name: form.name,
        errors: form.errors,
        fields: form.fields,
        secret_label: form.kind.secret,
        secret: form.secret,
        secret_usual: if present.is_some() {
            "empty: it stays as it is, or a random one"
        } else {
            "empty: a random one"
        },
        has_more: !(form.stale_after.is_empty() && form.rate.is_empty()),
        stale_after: form.stale_after,
        usual_stale: seconds(i64::try_from(app.config.stale_after.as_secs()).unwrap_or(0)),
        rate: form.rate,
        action,
    })
}

/// A member of the guard as it is typed; `None`: it is not there.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A length of time in the largest unit that it is whole in.
fn seconds(seconds: i64) -> String {
    let (size, unit) = [(86_400, "d"), (3600, "h"), (60, "m")]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds % size == 0)
        .unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}
