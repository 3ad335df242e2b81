//! `GET /actions`: every event id with its actions in the order in which they run, and whom they mean now.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use common::{
    fields::Fields,
    page::{self, duration, plural},
    problem::Problem,
    time::now_ms,
};

use super::{
    address,
    dry::Reach,
    head::{Head, Said},
    kinds,
};
use crate::{
    App,
    actions::{administrator::Admin, definitions, functions::Function, reach::target},
    store::actions::{
        definitions::{self as store, Action},
        devices::{self, Device},
    },
};

#[derive(Template)]
#[template(path = "actions.html")]
struct ActionsPage {
    head: Head,
    summary: String,
    has_devices: bool,
    groups: Vec<Group>,
}

/// The actions of one event id.
struct Group {
    event_id: String,
    href: String,
    add: String,
    rows: Vec<Row>,
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub function: &'static str,
    pub target: String,
    pub reach: String,
    pub waits: String,
    pub is_first: bool,
    pub is_last: bool,
}

/// `GET /actions`.
pub async fn show(State(app): State<App>, Query(said): Query<Said>) -> Result<Response, Problem> {
    let (actions, devices) = (store::all(&app.db).await?, devices::all(&app.db).await?);
    let groups: Vec<Group> =
        actions.chunk_by(|one, next| one.event_id == next.event_id).map(|some| group(some, &devices)).collect();
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let summary = format!("{} of {}", plural(count(actions.len()), "action"), plural(count(groups.len()), "event id"));
    Ok(page::render(&ActionsPage {
        head: Head::new(&app, "/actions").saying(&said),
        summary: if groups.is_empty() { String::new() } else { summary },
        has_devices: !devices.is_empty(),
        groups,
    }))
}

fn group(actions: &[Action], devices: &[Device]) -> Group {
    let event_id = actions[0].event_id.clone();
    Group {
        href: address("/actions/event", &[("id", &event_id)]),
        add: address("/actions/new", &[("event_id", &event_id)]),
        rows: rows(actions, devices),
        event_id,
    }
}

/// The actions of one event id, in their order.
pub fn rows(actions: &[Action], devices: &[Device]) -> Vec<Row> {
    let last = actions.len().saturating_sub(1);
    let row = |(at, action): (usize, &Action)| Row {
        id: action.id.clone(),
        name: action.name.clone(),
        function: kinds::of(&action.function).label,
        target: target(action).map_or_else(|| "nobody: it cannot be read".into(), |target| target.describe()),
        reach: Reach::new(&[action], devices, now_ms()).words(),
        waits: if action.function == Function::EnableEmergency.as_str() {
            "waits until it ends".into()
        } else {
            format!("waits {}", waits(action.ttl_ms))
        },
        is_first: at == 0,
        is_last: at == last,
    };
    actions.iter().enumerate().map(row).collect()
}

fn waits(ttl_ms: i64) -> String {
    if ttl_ms < 1000 { format!("{ttl_ms} ms") } else { duration(ttl_ms / 1000) }
}

/// `POST /actions/{id}/move`: the field `to` is `earlier` or `later`.
pub async fn shift(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    definitions::shift(&app, &admin, &id, fields.get("to") == "earlier").await?;
    Ok(Redirect::to("/actions").into_response())
}
