//! Making an action, and changing one: a function first, then its fields.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{fields::Fields, page, problem::Problem};
use serde::Deserialize;
use serde_json::Value;

use super::{
    address,
    head::{Head, after},
    kinds::{self, FormField, KINDS, Kind, written},
    target::{self, TargetForm},
    typed::{Wrong, length_ms, wrong},
};
use crate::{
    App,
    actions::{
        administrator::Admin,
        definitions::{self, DEFAULT_TTL_MS, NewAction},
        reach,
        targets::Target,
    },
    store::actions::{
        definitions::{self as store, Action},
        devices,
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A function, to see its fields.
    function: String,
    event_id: String,
}

#[derive(Template)]
#[template(path = "action_edit.html")]
struct EditPage {
    head: Head,
    title: String,
    action: String,
    /// Where it is deleted, and its name.
    delete: Option<(String, String)>,
    kinds: Vec<KindChoice>,
    function: &'static str,
    name: String,
    event_id: String,
    fields: Vec<FormField>,
    /// What was typed for another function, to be there again when that is chosen.
    kept: Vec<(String, String)>,
    target: TargetForm,
    ttl: String,
    wrong: Option<Wrong>,
}

struct KindChoice {
    /// What its button says.
    button: String,
    label: &'static str,
    lead: &'static str,
    chosen: bool,
}

/// What stands in the form.
struct Form {
    kind: &'static Kind,
    name: String,
    event_id: String,
    fields: Vec<FormField>,
    kept: Vec<(String, String)>,
    target: Target,
    ttl: String,
    wrong: Option<Wrong>,
}

impl EditPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|wrong| wrong.field == field).map(|wrong| wrong.text.as_str())
    }
}

/// `GET /actions/new[?function=…&event_id=…]`.
pub async fn new(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let kind = kinds::of(&asked.function);
    let form = Form {
        kind,
        name: String::new(),
        event_id: asked.event_id,
        fields: kind.form(|_| String::new()),
        kept: Vec::new(),
        target: Target::All,
        ttl: String::new(),
        wrong: None,
    };
    whole(&app, None, form).await
}

/// `GET /actions/{id}[?function=…]`.
pub async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let action = definitions::known(&app, &id).await?;
    let parameters: Value = serde_json::from_str(&action.parameters).unwrap_or_default();
    let kind = kinds::of(if asked.function.is_empty() { &action.function } else { &asked.function });
    let form = Form {
        kind,
        name: action.name.clone(),
        event_id: action.event_id.clone(),
        fields: kind.form(|name| written(&parameters[name])),
        kept: kind.others(|name| written(&parameters[name])),
        target: reach::target(&action).unwrap_or(Target::All),
        ttl: length(action.ttl_ms),
        wrong: None,
    };
    whole(&app, Some(&action), form).await
}

/// `POST /actions/new`: makes it, or shows the form again for the function that was chosen.
pub async fn create(State(app): State<App>, admin: Admin, fields: Fields) -> Result<Response, Problem> {
    if let Some(kind) = chosen(&fields) {
        return whole(&app, None, typed(kind, &fields, None)).await;
    }
    let last = store::of_event(&app.db, fields.get("event_id")).await?.last().map_or(0, |action| action.position);
    let made = match read(&fields, last.saturating_add(1)) {
        Ok(new) => definitions::create(&app, &admin, new).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(action) => Ok(after("/actions/event", &[("id", &action.event_id)], "made")),
        Err(problem) => again(&app, None, &fields, problem).await,
    }
}

/// `POST /actions/{id}`: changes it, or shows the form again for the function that was chosen.
pub async fn change(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let action = definitions::known(&app, &id).await?;
    if let Some(kind) = chosen(&fields) {
        return whole(&app, Some(&action), typed(kind, &fields, None)).await;
    }
    let changed = match read(&fields, action.position) {
        Ok(new) => definitions::change(&app, &admin, id, new).await,
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(after("/actions/event", &[("id", fields.get("event_id"))], "saved")),
        Err(problem) => again(&app, Some(&action), &fields, problem).await,
    }
}

/// `POST /actions/{id}/delete`: its name has to be typed.
pub async fn delete(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let action = definitions::known(&app, &id).await?;
    if !fields.confirms(&action.name, &id) {
        return Err(Problem::bad_request("Type the name of the action to delete it."));
    }
    definitions::delete(&app, &admin, &id).await?;
    Ok(after("/actions", &[], "deleted"))
}

/// The function whose button was pressed; `None`: it was another button.
fn chosen(fields: &Fields) -> Option<&'static Kind> {
    fields.get("do").strip_prefix("kind-").map(kinds::of)
}

fn read(fields: &Fields, position: i64) -> Result<NewAction, Problem> {
    let kind = kinds::of(fields.get("function"));
    let parameters = kind.parameters(fields);
    if let Err(error) = kind.function.check(parameters.clone()) {
        let said = error.split_once(": ").map_or(error.as_str(), |(_, rest)| rest);
        return Err(wrong(&kind.field_of(&error).unwrap_or_default(), format!("{}.", plain(said))));
    }
    Ok(NewAction {
        name: fields.owned("name"),
        event_id: fields.owned("event_id"),
        function: kind.function,
        parameters,
        target: target::read(fields),
        ttl_ms: length_ms(fields, "ttl_ms", "The waiting time")?,
        position,
    })
}

/// What a reader of numbers says, in words for a person.
fn plain(said: &str) -> &str {
    if said.contains("u32") { "This is a whole number, or empty" } else { said }
}

/// The form as it was typed, with what is wrong beside its field.
async fn again(app: &App, present: Option<&Action>, fields: &Fields, problem: Problem) -> Result<Response, Problem> {
    let status = problem.status;
    let form = typed(kinds::of(fields.get("function")), fields, Some(Wrong::of(problem)?));
    let page = whole(app, present, form).await?;
    Ok((StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_REQUEST), page).into_response())
}

fn typed(kind: &'static Kind, typed: &Fields, wrong: Option<Wrong>) -> Form {
    Form {
        kind,
        name: typed.owned("name"),
        event_id: typed.owned("event_id"),
        fields: kind.form(|name| typed.owned(&format!("p.{name}"))),
        kept: kind.others(|name| typed.owned(&format!("p.{name}"))),
        target: target::read(typed),
        ttl: typed.owned("ttl_ms"),
        wrong,
    }
}

async fn whole(app: &App, present: Option<&Action>, form: Form) -> Result<Response, Problem> {
    let devices = devices::all(&app.db).await?;
    let action = present.map_or_else(|| "/actions/new".to_owned(), |action| format!("/actions/{}", action.id));
    let href = |kind: &Kind| address(&action, &[("function", kind.function.as_str()), ("event_id", &form.event_id)]);
    let choice = |kind: &Kind| KindChoice {
        button: format!("kind-{}", kind.function.as_str()),
        label: kind.label,
        lead: kind.lead,
        chosen: kind.function == form.kind.function,
    };
    Ok(page::render(&EditPage {
        head: Head::new(app, href(form.kind)),
        title: present.map_or_else(|| "New action".to_owned(), |action| action.name.clone()),
        delete: present.map(|action| (format!("/actions/{}/delete", action.id), action.name.clone())),
        kinds: KINDS.iter().map(choice).collect(),
        function: form.kind.function.as_str(),
        fields: form.fields,
        kept: form.kept,
        target: TargetForm::new(&form.target, &devices),
        name: form.name,
        event_id: form.event_id.clone(),
        ttl: form.ttl,
        wrong: form.wrong,
        action: action.clone(),
    }))
}

/// `2m`, as it is typed; empty for the usual one.
fn length(ttl_ms: i64) -> String {
    match ttl_ms {
        DEFAULT_TTL_MS => String::new(),
        ttl if ttl % 60_000 == 0 => format!("{}m", ttl / 60_000),
        ttl if ttl % 1000 == 0 => format!("{}s", ttl / 1000),
        ttl => format!("{ttl}ms"),
    }
}
