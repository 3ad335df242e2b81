//! Actions: made, listed, changed and deleted.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use common::{problem::Problem, time::rfc3339};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Admin, read};
use crate::{
    App,
    actions::{
        definitions::{self, NewAction},
        targets::Target,
    },
    store::actions::definitions::{self as store, Action},
};

#[derive(Serialize, ToSchema)]
#[schema(as = ListedAction)]
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
    let actions = store::all(&app.db).await?.into_iter().map(Listed::from).collect();
    Ok(Json(List { actions }))
}

#[utoipa::path(post, path = "/api/actions", tag = "actions", operation_id = "create_action", request_body = inline(NewAction),
    responses((status = 201, body = inline(Listed)), (status = 400), (status = 409, description = "There are as many as may be")))]
pub async fn create(State(app): State<App>, admin: Admin, body: Bytes) -> Result<(StatusCode, Json<Listed>), Problem> {
    let action = definitions::create(&app, &admin, read(&body)?).await?;
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
    definitions::change(&app, &admin, id, read(&body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/actions/{id}", tag = "actions", operation_id = "delete_action", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    definitions::delete(&app, &admin, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
