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
