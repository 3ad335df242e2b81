//! Devices that obey: made with a key, put into groups, and deleted.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Admin, keys::secret, read};
use crate::{
    App,
    actions::{
        outputs::Controller,
        screens::{manage, showing::Showing},
    },
    store::actions::{
        devices::{self, Device},
        screens,
    },
};

/// A device to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// Unique; a target names it by this.
    name: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// The device is a controller with Evok, whose outputs obey; it needs no key.
    controller: Option<Controller>,
}

/// Where a device belongs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    groups: Vec<String>,
    tags: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ListedDevice)]
pub struct Listed {
    id: String,
    name: String,
    /// `client`, `screen` or `evok`.
    kind: &'static str,
    groups: Vec<String>,
    tags: Vec<String>,
    /// Whether it is connected, to whichever node.
    online: bool,
    /// Times are RFC 3339, UTC.
    paired_at: String,
    last_seen_at: Option<String>,
    /// What it said last that it shows.
    showing: Option<Showing>,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    devices: Vec<Listed>,
}

#[utoipa::path(get, path = "/api/action-devices", tag = "actions", operation_id = "list_action_devices", responses((status = 200, body = inline(List))))]
pub async fn list(State(app): State<App>) -> Result<Json<List>, Problem> {
    let now_ms = now_ms();
    let showing = screens::showing(&app.db).await?;
    let listed = |device: Device| Listed {
        showing: showing.get(&device.id).and_then(|json| Showing::stored(json)),
        online: device.online_until_ms > now_ms,
        paired_at: rfc3339(device.paired_ms),
        last_seen_at: device.last_seen_ms.map(rfc3339),
        id: device.id,
        name: device.name,
        kind: device.kind.as_str(),
        groups: device.groups,
        tags: device.tags,
    };
    Ok(Json(List { devices: devices::all(&app.db).await?.into_iter().map(listed).collect() }))
}

#[utoipa::path(post, path = "/api/action-devices", tag = "actions", operation_id = "create_action_device", request_body = inline(NewDevice),
    responses((status = 201, description = "`id`, and `key`, which is shown this once; a controller has none"), (status = 400), (status = 409, description = "The name is taken, or there are as many as may be")))]
pub async fn create(State(app): State<App>, admin: Admin, body: Bytes) -> Result<Response, Problem> {
    let NewDevice { name, groups, tags, controller } = read(&body)?;
    let made = if let Some(controller) = controller {
        let id = manage::make_controller(&app, &admin, (&name, &controller), (&groups, &tags)).await?;
        json!({"id": id})
    } else {
        let (id, key) = manage::make(&app, &admin, &name, (&groups, &tags)).await?;
        json!({"id": id, "key": key})
    };
    Ok((StatusCode::CREATED, secret(&made)).into_response())
}

#[utoipa::path(put, path = "/api/action-devices/{id}", tag = "actions", operation_id = "place_action_device", params(("id" = String, Path)),
    request_body = inline(Place), responses((status = 204), (status = 400), (status = 404)))]
pub async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let Place { groups, tags } = read(&body)?;
    manage::place(&app, &admin, &id, (&groups, &tags)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/action-devices/{id}", tag = "actions", operation_id = "delete_action_device", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    manage::forget(&app, &admin, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
