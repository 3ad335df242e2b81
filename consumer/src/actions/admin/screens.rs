//! Screens: who asks to be paired, what each shows by itself, and what one device is to do now.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use common::{
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Admin, read, wrong};
use crate::{
    App,
    actions::{
        definitions::{DEFAULT_TTL_MS, MAX_TTL_MS},
        functions::Function,
        screens::{
            content::Content,
            manage,
            pairing::{self, Terms},
        },
        targets::names_of,
    },
    store::actions::pairings,
};

/// A screen that asks to be paired.
#[derive(Serialize, ToSchema)]
pub struct Waiting {
    /// What it shows.
    code: String,
    name: String,
    from: String,
    /// Times are RFC 3339, UTC.
    since: String,
    expires_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    pairings: Vec<Waiting>,
}

/// Where a screen is put; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Instead of the name that it said.
    name: Option<String>,
    groups: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

/// What a device is to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommand {
    function: Function,
    /// By its function: docs/actions.md.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: Value,
    /// How long it waits for a device that is away, 1 to 604800000; 120000 unless told. An emergency waits until it ends.
    ttl_ms: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub struct Told {
    execution_id: Option<String>,
}

#[utoipa::path(get, path = "/api/pairings", tag = "actions", operation_id = "list_pairings", responses((status = 200, body = inline(List))))]
pub async fn list(State(app): State<App>) -> Result<Json<List>, Problem> {
    let waiting = |it: pairings::Pairing| Waiting {
        code: it.code,
        name: it.name,
        from: it.from,
        since: rfc3339(it.asked_ms),
        expires_at: rfc3339(it.expires_ms),
    };
    let pairings = pairings::waiting(&app.db, now_ms()).await?.into_iter().map(waiting).collect();
    Ok(Json(List { pairings }))
}

#[utoipa::path(post, path = "/api/pairings/{code}/accept", tag = "actions", operation_id = "accept_pairing", params(("code" = String, Path)),
    request_body = inline(Acceptance), responses((status = 201, description = "`id` of the screen, which keeps its content, groups and tags when there was one of its name"),
        (status = 400), (status = 404), (status = 409, description = "The name is another device's, or there are as many as may be")))]
pub async fn accept(
    State(app): State<App>,
    admin: Admin,
    Path(code): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Acceptance { name, groups, tags } =
        if body.is_empty() { read(&Bytes::from_static(b"{}"))? } else { read(&body)? };
    let names = |field: &str, names: Option<Vec<String>>| names.map(|names| names_of(field, &names)).transpose();
    let (groups, tags) = (names("groups", groups).map_err(wrong)?, names("tags", tags).map_err(wrong)?);
    let terms = Terms { name, groups, tags };
    let id = pairing::accept(&app, &admin, &code, terms).await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

#[utoipa::path(delete, path = "/api/pairings/{code}", tag = "actions", operation_id = "refuse_pairing", params(("code" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn refuse(State(app): State<App>, admin: Admin, Path(code): Path<String>) -> Result<StatusCode, Problem> {
    pairing::refuse(&app, &admin, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/api/action-devices/{id}/content", tag = "actions", operation_id = "screen_content", params(("id" = String, Path)),
    responses((status = 200, body = Content), (status = 404), (status = 409, description = "It is no screen")))]
pub async fn content(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Content>, Problem> {
    manage::content(&app, &id).await.map(Json)
}

#[utoipa::path(put, path = "/api/action-devices/{id}/content", tag = "actions", operation_id = "change_screen_content", params(("id" = String, Path)),
    request_body = Content, responses((status = 204, description = "The screen reads it again"), (status = 400, description = "Says which member is wrong"),
        (status = 404), (status = 409, description = "It is no screen")))]
pub async fn change(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let content = Content::read(read(&body)?).map_err(wrong)?;
    manage::keep(&app, &admin, &id, &content).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/action-devices/{id}/commands", tag = "actions", operation_id = "command_device", params(("id" = String, Path)),
    request_body = inline(NewCommand), responses((status = 201, body = inline(Told)), (status = 400), (status = 404)))]
pub async fn command(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let NewCommand { function, parameters, ttl_ms } = read(&body)?;
    let ttl_ms = ttl_ms.unwrap_or(DEFAULT_TTL_MS);
    if !(1..=MAX_TTL_MS).contains(&ttl_ms) {
        return Err(wrong(format!("ttl_ms is 1 to {MAX_TTL_MS}")));
    }
    let device = manage::device(&app, &id).await?;
    let outcome = manage::tell(&app, &admin, &device, None, (function, parameters, ttl_ms)).await?;
    Ok((StatusCode::CREATED, Json(Told { execution_id: outcome.execution_id })))
}
