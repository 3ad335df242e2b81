//! Event ids that rules fired with an event are carried out, in the order of the log, each once however many nodes there are and whichever dies.
//!
//! The table has them from the commit of their event on, each with the id that its execution will have: of two that carry it out, only the
//! first does something. So the node that committed it goes first, and any other takes what is still there a moment later.

use std::{collections::HashSet, time::Duration};

use axum::http::StatusCode;
use common::{db, time::now_ms};
use serde_json::json;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{
    call::Call,
    execute::{self, Caller},
    refusal::Refusal,
};
use crate::{
    App,
    firing::Firing,
    store::actions::{audit::Entry, firings},
};

/// How often the table is asked without news: after a start, or when another node died between the commit and this.
const POLL_ALONE: Duration = Duration::from_secs(5);
const POLL_AMONG_NODES: Duration = Duration::from_millis(500);
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(500);
const PAGE: i64 = 100;
const MINUTE_MS: i64 = 60_000;
/// What the audit calls a firing that was too many.
const HELD_BACK: &str = "held back";

/// Runs until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let poll = if app.db.kind == db::Kind::Postgres { POLL_AMONG_NODES } else { POLL_ALONE };
    while !stop.is_cancelled() {
        let wait = match look(&app, &stop).await {
            Ok(()) => poll,
            Err(refusal) => {
                refusal.told(&app.db, "cannot carry out what rules fired");
                WAIT_AFTER_ERROR
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.log.fired() => {}
            () = time::sleep(wait) => {}
        }
    }
}

async fn look(app: &App, stop: &CancellationToken) -> Result<(), Refusal> {
    while !stop.is_cancelled() {
        let some = firings::waiting(&app.db, PAGE).await?;
        let Some(last) = some.last() else { break };
        let last = last.offset;
        let mut too_many = HashSet::new();
        for firing in some {
            let kind = (firing.source.clone(), firing.event_id.clone(), firing.rate_per_minute);
            if too_many.contains(&kind) {
                continue;
            }
            if within_rate(app, &firing).await? {
                carry_out(app, &firing).await?;
            } else {
                too_many.insert(kind);
                hold_back(app, &firing, last).await?;
            }
        }
    }
    Ok(())
}

/// What the caller is called, and what its executions are counted by.
fn name(firing: &Firing) -> String {
    format!("rule of source {}", firing.source)
}

fn from(firing: &Firing) -> String {
    format!("event {}, rule {}", firing.offset, firing.rule)
}

async fn within_rate(app: &App, firing: &Firing) -> sqlx::Result<bool> {
    let times = firings::times(&app.db, &name(firing), &firing.event_id, now_ms() - MINUTE_MS).await?;
    Ok(times < firing.rate_per_minute)
}

/// Executes it. What cannot be executed is refused like a call, and does not hold up the next one.
async fn carry_out(app: &App, firing: &Firing) -> Result<(), Refusal> {
    let (name, from) = (name(firing), from(firing));
    let caller = Caller { key: None, name: &name, from: &from, id: Some(&firing.execution) };
    let sensor_data = serde_json::from_str(&firing.sensor).ok();
    let call = Call { event_id: firing.event_id.clone(), sensor_data, dry_run: false };
    let fired_by = json!({"source": firing.source, "event": firing.offset, "rule": firing.rule});
    match execute::fire(app, &caller, &call, &fired_by).await {
        Ok(_) => firings::done(&app.db, firing).await?,
        Err(refusal) if refusal.status.is_server_error() => return Err(refusal),
        Err(refusal) => {
            let line = app.doors.may_audit().then(|| line(firing, "call", &refusal));
            firings::refuse(&app.db, firing, line).await?;
        }
    }
    Ok(())
}

/// The event id rests, until the minute has room again: what was to fire it up to the place `last` is forgotten.
async fn hold_back(app: &App, first: &Firing, last: i64) -> Result<(), Refusal> {
    let error = format!(
        "held back: the source {} fired it {} times within a minute; a loop? It goes on by itself; rate_per_minute of the rule sets how often.",
        first.source, first.rate_per_minute
    );
    let line = line(first, HELD_BACK, &Refusal::new(StatusCode::TOO_MANY_REQUESTS, error));
    Ok(firings::hold_back(&app.db, (first, last), line, now_ms() - MINUTE_MS).await?)
}

fn line(firing: &Firing, what: &str, refusal: &Refusal) -> Entry {
    Entry {
        at_ms: now_ms(),
        who: name(firing),
        from: from(firing),
        what: what.into(),
        subject: firing.event_id.clone(),
        status: i64::from(refusal.status.as_u16()),
        detail: refusal.error.clone(),
        execution: String::new(),
    }
}

impl App {
    /// How many devices an event id would reach now, connected or not.
    ///
    /// # Errors
    /// Why it would reach none.
    pub async fn reach(&self, event_id: &str) -> Result<usize, String> {
        let caller = Caller { key: None, name: "admin", from: "", id: None };
        let sensor_data = serde_json::from_value(json!({"id": "try", "event": "try", "value": null})).ok();
        let call = Call { event_id: event_id.to_owned(), sensor_data, dry_run: true };
        let outcome = execute::execute(self, &caller, &call).await.map_err(|refusal| refusal.error)?;
        Ok(outcome.reached + outcome.queued)
    }
}
