//! Devices that obey: made with a key, put into groups, and deleted.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    key,
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Admin, keys::secret, read, wrong};
use crate::{
    App,
    actions::{
        doors,
        outputs::Controller,
        targets::{name_of, names_of},
    },
    store::actions::{
        controllers,
        devices::{self, Device, Kind},
    },
};

const MAX_DEVICES: i64 = 5000;
const KEY_BYTES: usize = 24;

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
}

#[derive(Serialize, ToSchema)]
pub struct List {
    devices: Vec<Listed>,
}

#[utoipa::path(get, path = "/api/action-devices", tag = "actions", operation_id = "list_action_devices", responses((status = 200, body = inline(List))))]
pub async fn list(State(app): State<App>) -> Result<Json<List>, Problem> {
    let now_ms = now_ms();
    let listed = |device: Device| Listed {
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
    let new: NewDevice = read(&body)?;
    let device = row(&new).map_err(wrong)?;
    let (id, name, key) = (device.id.clone(), device.name.clone(), key::random_hex(KEY_BYTES));
    let (hash, is_controller) = (doors::hash(&key), new.controller.is_some());
    let added = match new.controller {
        Some(controller) => {
            let controller = controller_json(&controller).map_err(wrong)?;
            controllers::add(&app.db, (device, controller), hash, MAX_DEVICES).await?
        }
        None => devices::add(&app.db, device, hash, MAX_DEVICES).await?,
    };
    if !added {
        return Err(Problem::conflict(format!("There is a device of this name, or there are {MAX_DEVICES} devices.")));
    }
    admin.did(&app, "device.create", &name, "").await?;
    let told = if is_controller { json!({"id": id}) } else { json!({"id": id, "key": key}) };
    Ok((StatusCode::CREATED, secret(&told)).into_response())
}

fn controller_json(controller: &Controller) -> Result<String, String> {
    controller.check()?;
    serde_json::to_string(controller).map_err(|error| error.to_string())
}

fn row(new: &NewDevice) -> Result<Device, String> {
    let now_ms = now_ms();
    Ok(Device {
        id: Uuid::now_v7().to_string(),
        name: name_of("name", &new.name)?,
        kind: if new.controller.is_some() { Kind::Evok } else { Kind::Client },
        groups: names_of("groups", &new.groups)?,
        tags: names_of("tags", &new.tags)?,
        paired_ms: now_ms,
        created_ms: now_ms,
        last_seen_ms: None,
        online_until_ms: 0,
    })
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
    let groups = names_of("groups", &groups).map_err(wrong)?;
    let tags = names_of("tags", &tags).map_err(wrong)?;
    let name = devices::place(&app.db, &id, &groups, &tags).await?;
    let name = name.ok_or_else(|| Problem::not_found("such device (any more)"))?;
    admin.did(&app, "device.update", &name, "").await?;
    // It comes back, and is told what holds for its groups.
    app.fleet.end(&id);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/action-devices/{id}", tag = "actions", operation_id = "delete_action_device", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn delete(State(app): State<App>, admin: Admin, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let name = devices::remove(&app.db, &id, now_ms()).await?;
    let name = name.ok_or_else(|| Problem::not_found("such device (any more)"))?;
    admin.did(&app, "device.delete", &name, "").await?;
    app.fleet.end(&id);
    Ok(StatusCode::NO_CONTENT)
}
