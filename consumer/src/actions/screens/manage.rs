//! What the operator does with devices that obey: by a page or by the API, it is the same and stands in the audit.

use common::{key, problem::Problem, time::now_ms};
use serde_json::{Value, json};
use uuid::Uuid;

use super::content::Content;
use crate::{
    App,
    actions::{
        administrator::{self, Admin},
        call::{Call, check_sensor},
        definitions::DEFAULT_TTL_MS,
        doors,
        execute::{self, Caller, Outcome},
        functions::Function,
        outputs::Controller,
        targets::{name_of, names_of},
    },
    store::actions::{
        controllers,
        definitions::Action,
        devices::{self, Device, Kind},
        screens,
    },
};

/// Devices that obey.
pub const MAX_DEVICES: i64 = 5000;
const KEY_BYTES: usize = 24;

/// The device.
///
/// # Errors
/// 404 when there is none.
pub async fn device(app: &App, id: &str) -> Result<Device, Problem> {
    devices::by_id(&app.db, id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("such device (any more)")
}

fn wrong(error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(format!("{error}."))
}

/// Makes a device for any socket.io client. Gives its id and its key, which is not shown again.
///
/// # Errors
/// 400 or 409, and says what to change.
pub async fn make(
    app: &App,
    admin: &Admin,
    name: &str,
    (groups, tags): (&[String], &[String]),
) -> Result<(String, String), Problem> {
    let device = new(name, Kind::Client, (groups, tags))?;
    let (id, name, key) = (device.id.clone(), device.name.clone(), key::random_hex(KEY_BYTES));
    let added = devices::add(&app.db, device, doors::hash(&key), MAX_DEVICES).await?;
    made(app, admin, &name, added).await?;
    Ok((id, key))
}

/// Makes a device of a controller, to which this side connects. Gives its id.
///
/// # Errors
/// 400 or 409, and says what to change.
pub async fn make_controller(
    app: &App,
    admin: &Admin,
    (name, controller): (&str, &Controller),
    (groups, tags): (&[String], &[String]),
) -> Result<String, Problem> {
    let device = new(name, Kind::Evok, (groups, tags))?;
    controller.check().map_err(wrong)?;
    let (id, name) = (device.id.clone(), device.name.clone());
    // Nobody is given the key, so nobody comes with it.
    let hash = doors::hash(&key::random_hex(KEY_BYTES));
    let added = controllers::add(&app.db, (device, json!(controller).to_string()), hash, MAX_DEVICES).await?;
    made(app, admin, &name, added).await?;
    Ok(id)
}

fn new(name: &str, kind: Kind, (groups, tags): (&[String], &[String])) -> Result<Device, Problem> {
    let now_ms = now_ms();
    Ok(Device {
        id: Uuid::now_v7().to_string(),
        name: name_of("name", name).map_err(wrong)?,
        kind,
        groups: names_of("groups", groups).map_err(wrong)?,
        tags: names_of("tags", tags).map_err(wrong)?,
        paired_ms: now_ms,
        created_ms: now_ms,
        last_seen_ms: None,
        online_until_ms: 0,
    })
}

async fn made(app: &App, admin: &Admin, name: &str, added: bool) -> Result<(), Problem> {
    if !added {
        return Err(Problem::conflict(format!("There is a device of this name, or there are {MAX_DEVICES} devices.")));
    }
    admin.did(app, "device.create", name, "").await?;
    app.fleet.moved();
    Ok(())
}

/// Puts a device into these groups, with these tags. It comes back and is told what holds for them.
///
/// # Errors
/// 400 or 404, and says what to change.
pub async fn place(app: &App, admin: &Admin, id: &str, (groups, tags): (&[String], &[String])) -> Result<(), Problem> {
    let groups = names_of("groups", groups).map_err(wrong)?;
    let tags = names_of("tags", tags).map_err(wrong)?;
    let device = devices::place(&app.db, id, &groups, &tags).await?.ok_or_else(missing)?;
    admin.did(app, "device.update", &device.name, "").await?;
    app.fleet.end(id);
    app.fleet.moved();
    Ok(())
}

/// Forgets a device and its key.
///
/// # Errors
/// 404 when there is none.
pub async fn forget(app: &App, admin: &Admin, id: &str) -> Result<(), Problem> {
    let name = devices::remove(&app.db, id, now_ms()).await?.ok_or_else(missing)?;
    admin.did(app, "device.delete", &name, "").await?;
    app.fleet.end(id);
    app.fleet.moved();
    Ok(())
}

/// The content of a screen.
///
/// # Errors
/// 404 when there is no such device, 409 when it is no screen.
pub async fn content(app: &App, id: &str) -> Result<Content, Problem> {
    let stored = screens::content(&app.db, id).await?;
    if stored.is_none() {
        device(app, id).await?;
        return Err(no_screen());
    }
    Ok(Content::stored(stored.flatten().as_deref()))
}

fn no_screen() -> Problem {
    Problem::conflict("Only a screen has content; this device is none.")
}

/// Keeps the content of a screen, which reads it again.
///
/// # Errors
/// 404 or 409, and says why.
pub async fn keep(app: &App, admin: &Admin, id: &str, content: &Content) -> Result<(), Problem> {
    let device = device(app, id).await?;
    if !screens::keep(&app.db, id, content.json()).await? {
        return Err(no_screen());
    }
    let detail = format!(
        "{} items, {} datasources, {} rules",
        content.items.len(),
        content.datasources.len(),
        content.rules.len()
    );
    admin.did(app, "screen.content", &device.name, &detail).await?;
    app.fleet.moved();
    // What somebody has it show meanwhile stays.
    let quietly = (Function::RefreshContent, json!({"quiet": true}), DEFAULT_TTL_MS);
    tell(app, admin, &device, None, quietly).await.map(drop)
}

/// Has one device do something, once for one `id` of an execution; `None`: a new one.
///
/// # Errors
/// 400, and says which parameter is wrong; 404 when it was forgotten meanwhile.
pub async fn tell(
    app: &App,
    admin: &Admin,
    device: &Device,
    id: Option<&str>,
    (function, parameters, ttl_ms): (Function, Value, i64),
) -> Result<Outcome, Problem> {
    let (mut parameters, mut sensor_data) = (parameters, None);
    if function == Function::SendSensorEventData {
        let said = parameters.as_object_mut().and_then(|members| members.remove("sensor_data")).unwrap_or_default();
        let said = serde_json::from_value(said).map_err(|error| wrong(format!("sensor_data: {error}")))?;
        check_sensor(&said).map_err(Problem::bad_request)?;
        sensor_data = Some(said);
    }
    let parameters = function.check(parameters).map_err(wrong)?;
    let now_ms = now_ms();
    let action = Action {
        id: String::new(),
        name: "by hand".into(),
        event_id: String::new(),
        function: function.as_str().to_owned(),
        parameters: parameters.to_string(),
        target: json!({"device": device.name}).to_string(),
        ttl_ms,
        position: 0,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let caller = Caller { key: None, name: administrator::NAME, from: admin.from(), id };
    let call = Call { event_id: String::new(), sensor_data, dry_run: false };
    Ok(execute::run(app, &caller, &call, &[action]).await?)
}
