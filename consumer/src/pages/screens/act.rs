//! What the operator does with devices by these pages.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use common::{fields::Fields, problem::Problem};
use serde_json::{Map, Number, Value, json};

use super::{after, names};
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

/// `POST /screens/pairings/{code}/accept`: with groups and tags, but where it replaces a screen.
pub async fn accept(
    State(app): State<App>,
    admin: Admin,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    // A field that is left empty changes nothing of a screen that is there.
    let checked = |field: &str| {
        let names = Some(names(fields.get(field))).filter(|names| !names.is_empty());
        let names = names.map(|names| crate::actions::targets::names_of(field, &names)).transpose();
        names.map_err(|error| Problem::bad_request(format!("{error}.")))
    };
    let terms = Terms { name: None, groups: checked("groups")?, tags: checked("tags")? };
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
        Function::SetOutput => {
            take("dev", "dev");
            take("circuit", "circuit");
            parameters.insert("value".into(), json!(number(fields, "value", "Value is a number, such as 1.")?));
        }
        _ => {}
    }
    let may_end = matches!(function, Function::LoadUrl | Function::Snooze | Function::SetOutput);
    if may_end && !fields.get("seconds").is_empty() {
        let seconds = number(fields, "seconds", "Seconds is a whole number, or empty for no end.")?;
        parameters.insert("seconds".into(), json!(seconds));
    }
    Ok(Value::Object(parameters))
}

fn number(fields: &Fields, field: &str, error: &str) -> Result<Number, Problem> {
    fields.get(field).trim().parse().map_err(|_| Problem::bad_request(error))
}

fn back(fields: &Fields, id: &str) -> String {
    if fields.get("back") == "list" { "/screens".into() } else { format!("/screens/{id}") }
}
