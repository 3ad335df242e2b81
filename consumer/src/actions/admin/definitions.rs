//! Actions: made, listed, changed and deleted.

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
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Admin, DEFAULT_TTL_MS, MAX_TTL_MS, read, wrong};
use crate::{
    App,
    actions::{
        call::check_event_id,
        functions::Function,
        targets::{Target, name_of},
    },
    store::actions::definitions::{self, Action},
};

const MAX_ACTIONS: i64 = 1000;
const MAX_OF_EVENT: i64 = 20;

/// An action, as it is made or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAction {
    name: String,
    /// What a call names it by; several actions may have the same, and run in the order of `position`.
    event_id: String,
    function: Function,
    /// By its function: docs/actions.md.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: Value,
    /// `"all"`, `{"device": NAME}`, `{"groups": [NAME, …]}` or `{"tags": [NAME, …]}`.
    target: Target,
    /// How long it waits for a device that is away, 1 to 604800000; 120000 unless told. An emergency waits until it ends.
    ttl_ms: Option<i64>,
    #[serde(default)]
    position: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Listed {
    id: String,
    name: String,
    event_id: String,
    function: String,
    #[schema(value_type = Object)]
    parameters: Value,
    #[schema(value_type = Target)]
    target: Value,
    ttl_ms: i64,
    position: i64,
    /// Times are RFC 3339, UTC.
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    actions: Vec<Listed>,
}

impl From<Action> for Listed {
    fn from(action: Action) -> Self {
        Self {
            id: action.id,
            name: action.name,
            event_id: action.event_id,
            function: action.function,
            parameters: serde_json::from_str(&action.parameters).unwrap_or_default(),
            target: serde_json::from_str(&action.target).unwrap_or_default(),
            ttl_ms: action.ttl_ms,
            position: action.position,
            created_at: rfc3339(action.created_ms),
            updated_at: rfc3339(action.updated_ms),
        }
    }
}

#[utoipa::path(get, path = "/api/actions", tag = "actions", operation_id = "list_actions", responses((status = 200, body = inline(List))))]
pub async fn list(State(app): State<App>) -> Result<Json<List>, Problem> {
    let actions = definitions::all(&app.db).await?.into_iter().map(Listed::from).collect();
    Ok(Json(List { actions }))
}

#[utoipa::path(post, path = "/api/actions", tag = "actions", operation_id = "create_action", request_body = inline(NewAction),
    responses((status = 201, body = inline(Listed)), (status = 400), (status = 409, description = "There are as many as may be")))]
pub async fn create(State(app): State<App>, admin: Admin, body: Bytes) -> Result<(StatusCode, Json<Listed>), Problem> {
    let action = row(Uuid::now_v7().to_string(), read(&body)?).map_err(wrong)?;
    if !definitions::add(&app.db, action.clone(), (MAX_ACTIONS, MAX_OF_EVENT)).await? {
        let detail = format!("There are {MAX_ACTIONS} actions, or {MAX_OF_EVENT} of this event id; delete one first.");
        return Err(Problem::conflict(detail));
    }
    admin.did(&app, "action.create", &action.name, &action.event_id).await?;
    Ok((StatusCode::CREATED, Json(action.into())))
}

#[utoipa::path(put, path = "/api/actions/{id}", tag = "actions", operation_id = "update_action", params(("id" = String, Path)),
    request_body = inline(NewAction), responses((status = 204), (status = 400), (status = 404)))]
pub async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let action = row(id, read(&body)?).map_err(wrong)?;
    if !definitions::update(&app.db, action.clone()).await? {
        return Err(Problem::not_found("such action (any more)"));
    }
    admin.did(&app, "action.update", &action.name, &action.event_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/actions/{id}", tag = "actions", operation_id = "delete_action", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let name = definitions::remove(&app.db, &id).await?.ok_or_else(|| Problem::not_found("such action (any more)"))?;
    admin.did(&app, "action.delete", &name, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

fn row(id: String, new: NewAction) -> Result<Action, String> {
    let name = name_of("name", &new.name)?;
    check_event_id(&new.event_id)?;
    let ttl_ms = new.ttl_ms.unwrap_or(DEFAULT_TTL_MS);
    if !(1..=MAX_TTL_MS).contains(&ttl_ms) {
        return Err(format!("ttl_ms is 1 to {MAX_TTL_MS}"));
    }
    let target = serde_json::to_string(&new.target.checked()?).map_err(|error| error.to_string())?;
    let now_ms = now_ms();
    Ok(Action {
        id,
        name,
        event_id: new.event_id,
        function: new.function.as_str().to_owned(),
        parameters: new.function.check(new.parameters)?.to_string(),
        target,
        ttl_ms,
        position: new.position,
        created_ms: now_ms,
        updated_ms: now_ms,
    })
}
