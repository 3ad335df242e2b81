//! API keys: made, listed, shown again, and deleted.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{
    key,
    problem::Problem,
    time::{now_ms, parse_rfc3339, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Admin, read, wrong};
use crate::{
    App,
    actions::{call::check_event_id, doors, targets::name_of},
    store::actions::keys::{self, Key},
};

const MAX_KEYS: i64 = 1000;
const MAX_EVENT_IDS: usize = 100;
const DEFAULT_RATE: i64 = 60;
const MAX_RATE: i64 = 6000;
const KEY_BYTES: usize = 24;

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Unique.
    name: String,
    /// The event ids it may call; none: all.
    event_ids: Option<Vec<String>>,
    /// RFC 3339; none: it does not expire.
    expires_at: Option<String>,
    /// Calls a minute, 1 to 6000; 60 unless told. Each node counts for itself.
    rate_per_minute: Option<i64>,
    /// Calls it is good for, such as 1 for a link that works once; none: any number.
    max_uses: Option<i64>,
}

#[derive(Serialize, ToSchema)]
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
    let keys = keys::all(&app.db).await?.into_iter().map(Listed::from).collect();
    Ok(Json(List { keys }))
}

#[utoipa::path(post, path = "/api/keys", tag = "actions", operation_id = "create_key", request_body = inline(NewKey),
    responses((status = 201, description = "`id` and `key`"), (status = 400), (status = 409, description = "The name is taken, or there are as many as may be")))]
pub async fn create(State(app): State<App>, admin: Admin, body: Bytes) -> Result<Response, Problem> {
    let (row, key) = row(&app, read(&body)?).map_err(wrong)?;
    let (id, name) = (row.id.clone(), row.name.clone());
    if !keys::add(&app.db, row, MAX_KEYS).await? {
        return Err(Problem::conflict(format!("There is a key of this name, or there are {MAX_KEYS} keys.")));
    }
    admin.did(&app, "key.create", &name, "").await?;
    Ok((StatusCode::CREATED, secret(&json!({"id": id, "key": key}))).into_response())
}

fn row(app: &App, new: NewKey) -> Result<(Key, String), String> {
    let in_range = |name: &str, value: Option<i64>, max: i64| match value {
        Some(value) if !(1..=max).contains(&value) => Err(format!("{name} is 1 to {max}")),
        value => Ok(value),
    };
    if let Some(ids) = &new.event_ids {
        if ids.is_empty() || ids.len() > MAX_EVENT_IDS {
            return Err(format!("event_ids names 1 to {MAX_EVENT_IDS} event ids; leave it out for all"));
        }
        ids.iter().try_for_each(|id| check_event_id(id))?;
    }
    let expires = new.expires_at.map(|at| parse_rfc3339(&at).ok_or("expires_at is written like 2026-12-31T18:00:00Z"));
    let (id, key) = (Uuid::now_v7().to_string(), key::random_hex(KEY_BYTES));
    let row = Key {
        name: name_of("name", &new.name)?,
        key_sha256: doors::hash(&key),
        sealed: app.vault.seal(&key, &context(&id)),
        event_ids: new.event_ids,
        expires_ms: expires.transpose()?,
        rate_per_minute: in_range("rate_per_minute", new.rate_per_minute, MAX_RATE)?.unwrap_or(DEFAULT_RATE),
        max_uses: in_range("max_uses", new.max_uses, i64::from(u32::MAX))?,
        uses: 0,
        last_used_ms: None,
        last_used_from: None,
        created_ms: now_ms(),
        id,
    };
    Ok((row, key))
}

/// What a key is sealed for.
fn context(id: &str) -> String {
    format!("api key {id}")
}

/// An answer that no cache keeps.
pub fn secret(value: &serde_json::Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

#[utoipa::path(get, path = "/api/keys/{id}/key", tag = "actions", operation_id = "reveal_key", params(("id" = String, Path)),
    responses((status = 200, description = "`key`; the audit has that it was shown"), (status = 404), (status = 409, description = "It was sealed with another SECRET_KEY")))]
pub async fn reveal(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<Response, Problem> {
    let row = keys::by_id(&app.db, &id).await?.ok_or_else(|| Problem::not_found("such key (any more)"))?;
    let opened = app.vault.open(&row.sealed, &context(&id));
    let key = opened.ok_or_else(|| {
        Problem::conflict(
            "This key cannot be shown: SECRET_KEY was changed. It still works; set SECRET_KEY back, or make a new key.",
        )
    })?;
    admin.did(&app, "key.reveal", &row.name, "").await?;
    Ok(secret(&json!({"key": key})))
}

#[utoipa::path(delete, path = "/api/keys/{id}", tag = "actions", operation_id = "delete_key", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let name = keys::remove(&app.db, &id).await?.ok_or_else(|| Problem::not_found("such key (any more)"))?;
    admin.did(&app, "key.delete", &name, "").await?;
    Ok(StatusCode::NO_CONTENT)
}
