//! `GET /api/devices`: how the sources of devices are doing.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, sources::devices::status::Status};

#[derive(Serialize, ToSchema)]
pub struct Devices {
    /// In the order of their names; those of this process.
    pub sources: Vec<Status>,
}

/// The sources of DEVICES and how they are doing.
#[utoipa::path(get, path = "/api/devices", tag = "devices", responses((status = 200, body = Devices)))]
pub async fn list(State(app): State<App>) -> Json<Devices> {
    Json(Devices { sources: app.devices.all() })
}
