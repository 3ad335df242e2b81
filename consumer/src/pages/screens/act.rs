//! What the operator does with devices by these pages.

use axum::{
    extract::{Path, State},
    response::Response,
};
use common::{fields::Fields, problem::Problem};

use super::{after, back::Back, names};
use crate::{
    App,
    actions::{
        administrator::Admin,
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
    Ok(Back::of(&fields, &id).after("placed", None))
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
