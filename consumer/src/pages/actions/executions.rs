//! Executions: the newest of them, and what becomes of one on each device.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use common::{
    page::{self, Stamp, took},
    problem::Problem,
    time::now_ms,
};

use super::{
    address,
    head::{Head, Said},
    kinds,
    states::Pill,
};
use crate::{
    App,
    store::actions::{
        commands::Command,
        executions::{self, Execution},
    },
};

const SHOWN: i64 = 100;
/// Commands that the page of one execution lists; those that went wrong come first.
const LISTED: usize = 500;

#[derive(Template)]
#[template(path = "action_executions.html")]
struct ListPage {
    head: Head,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    at: Stamp,
    title: String,
    by: String,
    is_emergency: bool,
    states: Vec<Pill>,
}

impl Row {
    fn of(execution: Execution, states: &[(String, i64)], now_ms: i64) -> Self {
        Self {
            at: Stamp::of(execution.at_ms, now_ms),
            title: if execution.event_id.is_empty() { "without an event id".into() } else { execution.event_id },
            by: format!("{} from {}", execution.key_name, execution.from),
            is_emergency: execution.emergency,
            states: Pill::counted(states),
            id: execution.id,
        }
    }
}

/// `GET /actions/executions`.
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let found = executions::newest(&app.db, SHOWN).await?;
    let ids: Vec<&str> = found.iter().map(|execution| execution.id.as_str()).collect();
    let mut states = HashMap::<String, Vec<(String, i64)>>::new();
    for (id, state, count) in executions::counts(&app.db, &ids).await? {
        states.entry(id).or_default().push((state, count));
    }
    let now_ms = now_ms();
    let row = |execution: Execution| {
        let of_it = states.remove(&execution.id).unwrap_or_default();
        Row::of(execution, &of_it, now_ms)
    };
    Ok(page::render(&ListPage {
        head: Head::new(&app, "/actions/executions"),
        rows: found.into_iter().map(row).collect(),
    }))
}

#[derive(Template)]
#[template(path = "action_execution.html")]
struct OnePage {
    head: Head,
    row: Row,
    /// Where its event id is; empty: it had none.
    event: String,
    commands: Vec<CommandRow>,
    more: Option<String>,
    /// Nothing of it is waited for any more.
    is_over: bool,
}

struct CommandRow {
    device: String,
    action: String,
    function: &'static str,
    pill: Pill,
    /// How long after the call it was sent, acknowledged and ended.
    times: Vec<(&'static str, String)>,
    said: String,
}

impl CommandRow {
    fn of(command: Command) -> Self {
        let from = command.queued_ms;
        let steps = [("sent", command.sent_ms), ("acknowledged", command.acknowledged_ms), ("ended", command.ended_ms)];
        let times = steps.into_iter().filter_map(|(word, at_ms)| Some((word, took(at_ms? - from))));
        Self {
            times: times.collect(),
            device: command.device_name,
            action: command.action,
            function: kinds::of(&command.function).label,
            pill: Pill::of(&command.state),
            said: command.said.unwrap_or_default(),
        }
    }
}

/// `GET /actions/executions/{id}`.
pub async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Result<Response, Problem> {
    let found = executions::by_id(&app.db, &id).await?;
    let execution = found.ok_or_else(|| Problem::not_found("such execution (any more)"))?;
    let mut commands = executions::commands(&app.db, &id).await?;
    let mut states = Vec::<(String, i64)>::new();
    for command in &commands {
        match states.iter_mut().find(|(state, _)| *state == command.state) {
            Some((_, count)) => *count += 1,
            None => states.push((command.state.clone(), 1)),
        }
    }
    commands.sort_by_key(|command| !matches!(command.state.as_str(), "failed" | "expired"));
    let is_over = commands.iter().all(|command| matches!(command.state.as_str(), "done" | "failed" | "expired"));
    let total = commands.len();
    let event_id = execution.event_id.clone();
    Ok(page::render(&OnePage {
        head: Head::new(&app, format!("/actions/executions/{id}")).saying(&said),
        event: if event_id.is_empty() { event_id } else { address("/actions/event", &[("id", &event_id)]) },
        row: Row::of(execution, &states, now_ms()),
        commands: commands.into_iter().take(LISTED).map(CommandRow::of).collect(),
        more: (total > LISTED)
            .then(|| format!("The first {LISTED} of {total} are listed, those that went wrong before the others.")),
        is_over,
    }))
}
