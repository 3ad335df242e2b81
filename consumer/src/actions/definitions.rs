//! Actions: what one may be, and what the administrator does with them, by the pages or by the API.

use common::{problem::Problem, time::now_ms};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    administrator::{Admin, wrong},
    call::check_event_id,
    functions::Function,
    targets::{Target, name_of},
};
use crate::{
    App,
    store::actions::definitions::{self, Action},
};

const MAX_ACTIONS: i64 = 1000;
const MAX_OF_EVENT: i64 = 20;
/// How long a command waits for a device that is away.
pub const DEFAULT_TTL_MS: i64 = 120_000;
pub const MAX_TTL_MS: i64 = 7 * 24 * 3600 * 1000;

/// An action, as it is made or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAction {
    pub name: String,
    /// What a call names it by; several actions may have the same, and run in the order of `position`.
    pub event_id: String,
    pub function: Function,
    /// By its function: docs/actions.md.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// `"all"`, `{"device": NAME}`, `{"groups": [NAME, …]}` or `{"tags": [NAME, …]}`.
    pub target: Target,
    /// How long it waits for a device that is away, 1 to 604800000; 120000 unless told. An emergency waits until it ends.
    pub ttl_ms: Option<i64>,
    #[serde(default)]
    pub position: i64,
}

/// # Errors
/// 400 with the `field` that is wrong; 409 when there are as many as may be.
pub async fn create(app: &App, by: &Admin, new: NewAction) -> Result<Action, Problem> {
    let action = row(Uuid::now_v7().to_string(), new)?;
    if !definitions::add(&app.db, action.clone(), (MAX_ACTIONS, MAX_OF_EVENT)).await? {
        let detail = format!("There are {MAX_ACTIONS} actions, or {MAX_OF_EVENT} of this event id; delete one first.");
        return Err(Problem::conflict(detail).with("field", "event_id"));
    }
    by.did(app, "action.create", &action.name, &action.event_id).await?;
    Ok(action)
}

/// # Errors
/// 400 with the `field` that is wrong; 404.
pub async fn change(app: &App, by: &Admin, id: String, new: NewAction) -> Result<(), Problem> {
    let action = row(id, new)?;
    if !definitions::update(&app.db, action.clone()).await? {
        return Err(missing());
    }
    by.did(app, "action.update", &action.name, &action.event_id).await
}

/// # Errors
/// 404 when there is none.
pub async fn delete(app: &App, by: &Admin, id: &str) -> Result<(), Problem> {
    let name = definitions::remove(&app.db, id).await?.ok_or_else(missing)?;
    by.did(app, "action.delete", &name, "").await
}

/// Lets the action run one place earlier, or later, among those of its event id; at the end of them nothing changes.
///
/// # Errors
/// 404 when there is none.
pub async fn shift(app: &App, by: &Admin, id: &str, is_earlier: bool) -> Result<(), Problem> {
    let action = known(app, id).await?;
    let mut order: Vec<String> =
        definitions::of_event(&app.db, &action.event_id).await?.into_iter().map(|action| action.id).collect();
    let at = order.iter().position(|one| one == id).ok_or_else(missing)?;
    let to = if is_earlier { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < order.len()) };
    let Some(to) = to else { return Ok(()) };
    order.swap(at, to);
    definitions::order(&app.db, &order).await?;
    by.did(app, "action.order", &action.name, &action.event_id).await
}

/// The action of this id.
///
/// # Errors
/// 404 when there is none.
pub async fn known(app: &App, id: &str) -> Result<Action, Problem> {
    definitions::by_id(&app.db, id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("such action (any more)")
}

fn row(id: String, new: NewAction) -> Result<Action, Problem> {
    let name = name_of("name", &new.name).map_err(|error| wrong("name", error))?;
    check_event_id(&new.event_id).map_err(|error| wrong("event_id", error.trim_end_matches('.')))?;
    let ttl_ms = new.ttl_ms.unwrap_or(DEFAULT_TTL_MS);
    if !(1..=MAX_TTL_MS).contains(&ttl_ms) {
        return Err(wrong("ttl_ms", format!("ttl_ms is 1 to {MAX_TTL_MS}")));
    }
    let target = new.target.checked().map_err(|error| wrong("target", error))?;
    let parameters = new.function.check(new.parameters).map_err(|error| wrong("parameters", error))?;
    let now_ms = now_ms();
    Ok(Action {
        id,
        name,
        event_id: new.event_id,
        function: new.function.as_str().to_owned(),
        parameters: parameters.to_string(),
        target: serde_json::to_string(&target).map_err(|error| Problem::internal(&error))?,
        ttl_ms,
        position: new.position,
        created_ms: now_ms,
        updated_ms: now_ms,
    })
}
