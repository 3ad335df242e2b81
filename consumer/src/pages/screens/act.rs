//! What the operator does with devices by these pages.

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
use serde_json::{Map, Value, json};

use super::{after, names, no_store};
use crate::{
    App,
    actions::{
        administrator::Admin,
        definitions::DEFAULT_TTL_MS,
        functions::Function,
        screens::{
            manage,
            pairing::{self, Terms},
        },
    },
};

#[derive(Template)]
#[template(path = "new_device.html")]
struct NewDevicePage {
    served_at: String,
    producer_url: String,
    error: Option<String>,
    name: String,
    groups: String,
    tags: String,
    /// Id and key of one that was just made.
    made: Option<(String, String)>,
}

/// `GET /new-device`.
pub async fn new(State(app): State<App>) -> Response {
    let (name, groups, tags) = Default::default();
    whole(&app, (name, groups, tags), None, None)
}

/// `POST /new-device`: the key of the new device is shown this once.
pub async fn make(State(app): State<App>, admin: Admin, fields: Fields) -> Response {
    let typed = (fields.owned("name"), fields.owned("groups"), fields.owned("tags"));
    let (groups, tags) = (names(&typed.1), names(&typed.2));
    match manage::make(&app, &admin, &typed.0, (&groups, &tags)).await {
        Ok(made) => no_store(whole(&app, typed, None, Some(made))),
        Err(problem) if problem.status.is_client_error() => {
            (problem.status, whole(&app, typed, Some(problem.detail), None)).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

fn whole(
    app: &App,
    (name, groups, tags): (String, String, String),
    error: Option<String>,
    made: Option<(String, String)>,
) -> Response {
    page::render(&NewDevicePage {
        served_at: rfc3339(now_ms()),
        producer_url: app.config.producer_url.clone(),
        error,
        name,
        groups,
        tags,
        made,
    })
}

/// `POST /screens/pairings/{code}/accept`: with groups and tags, but where it replaces a screen.
pub async fn accept(
    State(app): State<App>,
    admin: Admin,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let places = (names(fields.get("groups")), names(fields.get("tags")));
    let checked = |field: &str, names: &[String]| {
        crate::actions::targets::names_of(field, names).map_err(|error| Problem::bad_request(format!("{error}.")))
    };
    let places = (checked("groups", &places.0)?, checked("tags", &places.1)?);
    let is_placed = !(places.0.is_empty() && places.1.is_empty());
    let terms = Terms { name: None, places: is_placed.then_some(places) };
    pairing::accept(&app, &admin, &code, terms).await?;
    Ok(after("/screens", "accepted"))
}

/// `POST /screens/pairings/{code}/refuse`.
pub async fn refuse(State(app): State<App>, admin: Admin, Path(code): Path<String>) -> Result<Response, Problem> {
    pairing::refuse(&app, &admin, &code).await?;
    Ok(after("/screens", "refused"))
}

/// `POST /screens/{id}/place`.
pub async fn place(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (groups, tags) = (names(fields.get("groups")), names(fields.get("tags")));
    manage::place(&app, &admin, &id, (&groups, &tags)).await?;
    Ok(after(&back(&fields, &id), "placed"))
}

/// `POST /screens/{id}/forget`: its name has to be typed.
pub async fn forget(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let device = manage::device(&app, &id).await?;
    if !fields.confirms(&device.name, &id) {
        return Err(Problem::bad_request("Type the name of the device to forget it."));
    }
    manage::forget(&app, &admin, &id).await?;
    Ok(after("/screens", "forgotten"))
}

/// `POST /screens/{id}/tell`: the button is the function, the fields its parameters.
pub async fn tell(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let name = fields.get("function");
    let function = Function::from_name(name)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("There is no function {name}.")))?;
    let device = manage::device(&app, &id).await?;
    manage::tell(&app, &admin, &device, (function, parameters(function, &fields)?, DEFAULT_TTL_MS)).await?;
    Ok(after(&back(&fields, &id), "told"))
}

/// What the form says for the function; what it leaves empty is left out.
fn parameters(function: Function, fields: &Fields) -> Result<Value, Problem> {
    let mut parameters = Map::new();
    let mut take = |parameter: &str, field: &str| {
        if !fields.get(field).is_empty() {
            parameters.insert(parameter.to_owned(), json!(fields.get(field)));
        }
    };
    match function {
        Function::LoadUrl => take("url", "url"),
        Function::ShowToast => take("text", "toast"),
        Function::RefreshDatasource => take("datasource", "datasource"),
        Function::EnableEmergency => {
            take("text", "emergency");
            take("color", "color");
        }
        _ => {}
    }
    let seconds = fields.get("seconds");
    if !seconds.is_empty() && matches!(function, Function::LoadUrl | Function::Snooze) {
        let seconds: u32 =
            seconds.parse().map_err(|_| Problem::bad_request("Seconds is a whole number, or empty for no end."))?;
        parameters.insert("seconds".into(), seconds.into());
    }
    Ok(Value::Object(parameters))
}

fn back(fields: &Fields, id: &str) -> String {
    if fields.get("back") == "list" { "/screens".into() } else { format!("/screens/{id}") }
}
