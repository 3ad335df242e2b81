//! API keys: made, listed, changed, shown again, and deleted.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{problem::Problem, time::rfc3339};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Admin, read};
use crate::{
    App,
    actions::keys::{self, NewKey},
    store::actions::keys::{self as store, Key},
};

#[derive(Serialize, ToSchema)]
#[schema(as = ListedKey)]
pub struct Listed {
    id: String,
    name: String,
    /// null: all.
    event_ids: Option<Vec<String>>,
    /// Times are RFC 3339, UTC.
    expires_at: Option<String>,
    rate_per_minute: i64,
    max_uses: Option<i64>,
    uses: i64,
    last_used_at: Option<String>,
    last_used_from: Option<String>,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    keys: Vec<Listed>,
}

impl From<Key> for Listed {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            event_ids: key.event_ids,
            expires_at: key.expires_ms.map(rfc3339),
            rate_per_minute: key.rate_per_minute,
            max_uses: key.max_uses,
            uses: key.uses,
            last_used_at: key.last_used_ms.map(rfc3339),
            last_used_from: key.last_used_from,
            created_at: rfc3339(key.created_ms),
        }
    }
}

#[utoipa::path(get, path = "/api/keys", tag = "actions", operation_id = "list_keys", responses((status = 200, body = inline(List))))]
pub async fn list(State(app): State<App>) -> Result<Json<List>, Problem> {
    let keys = store::all(&app.db).await?.into_iter().map(Listed::from).collect();
    Ok(Json(List { keys }))
}

#[utoipa::path(post, path = "/api/keys", tag = "actions", operation_id = "create_key", request_body = inline(NewKey),
    responses((status = 201, description = "`id` and `key`"), (status = 400), (status = 409, description = "The name is taken, or there are as many as may be")))]
pub async fn create(State(app): State<App>, admin: Admin, body: Bytes) -> Result<Response, Problem> {
    let (row, key) = keys::create(&app, &admin, read(&body)?).await?;
    Ok((StatusCode::CREATED, secret(&json!({"id": row.id, "key": key}))).into_response())
}

#[utoipa::path(put, path = "/api/keys/{id}", tag = "actions", operation_id = "update_key", params(("id" = String, Path)),
    request_body = inline(NewKey), responses((status = 204, description = "The key itself and its uses stay"), (status = 400), (status = 404), (status = 409, description = "The name is taken")))]
pub async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    keys::change(&app, &admin, &id, read(&body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer that no cache keeps.
pub fn secret(value: &serde_json::Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

#[utoipa::path(get, path = "/api/keys/{id}/key", tag = "actions", operation_id = "reveal_key", params(("id" = String, Path)),
    responses((status = 200, description = "`key`; the audit has that it was shown"), (status = 404), (status = 409, description = "It was sealed with another SECRET_KEY")))]
pub async fn reveal(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, key) = keys::reveal(&app, &admin, &id, "").await?;
    Ok(secret(&json!({"key": key})))
}

#[utoipa::path(delete, path = "/api/keys/{id}", tag = "actions", operation_id = "delete_key", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    keys::delete(&app, &admin, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
