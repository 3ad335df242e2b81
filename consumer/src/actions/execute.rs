//! An execution: the actions of an event id become commands for their devices, in one commit, and an event of the log.

use std::{collections::BTreeSet, time::Duration};

use axum::http::StatusCode;
use common::time::{now_ms, rfc3339};
use serde_json::{Value, json};
use tokio::time;
use uuid::Uuid;

use super::{
    call::{Call, SensorData},
    functions::Function,
    reach::means,
    refusal::Refusal,
    targets::Target,
};
use crate::{
    App,
    event::{ACTIONS, NewEvent, Rank, Shown},
    store::actions::{
        audit::Entry,
        definitions::{self, Action},
        devices::{self, Device},
        executions::{self, Execution, Plan, Step, Word},
        keys::Key,
    },
};

/// Between tries to commit.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// Whom it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `None`: it was a dry run.
    pub execution_id: Option<String>,
    /// Devices that are connected, to whichever node.
    pub reached: usize,
    /// Devices that get it when they connect in time.
    pub queued: usize,
}

/// Who lets something happen: a key that was shown, the administrator, or a rule of a source.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The key that this is a use of; `None`: no key is needed.
    pub key: Option<&'a Key>,
    /// For people: the name of the key, `admin`, or of whom else.
    pub name: &'a str,
    pub from: &'a str,
    /// What the execution is called; of two with the same id only the first does something. `None`: a new one.
    pub id: Option<&'a str>,
}

/// Runs the actions of the call's event id, in their order, or says whom they would reach.
///
/// # Errors
/// 400, 403 or 404, and says what to change; nothing is done then.
pub async fn execute(app: &App, caller: &Caller<'_>, call: &Call) -> Result<Outcome, Refusal> {
    let actions = actions_of(app, &call.event_id).await?;
    run(app, caller, call, &actions).await
}

/// The same for a rule; its event in the log says by what it was fired.
///
/// # Errors
/// Like [`execute`].
pub async fn fire(app: &App, caller: &Caller<'_>, call: &Call, fired_by: &Value) -> Result<Outcome, Refusal> {
    let actions = actions_of(app, &call.event_id).await?;
    carry_out(app, (caller, Some(fired_by)), call, &actions).await
}

async fn actions_of(app: &App, event_id: &str) -> Result<Vec<Action>, Refusal> {
    let actions = definitions::of_event(&app.db, event_id).await?;
    if actions.is_empty() {
        let error = format!("No action has the event id {event_id}. Make one, or correct the event id.");
        return Err(Refusal::not_found(error));
    }
    Ok(actions)
}

/// Runs these actions, whatever their event id; that of the call may be empty: nobody named one.
///
/// # Errors
/// 400, 403 or 404, and says what to change; nothing is done then.
pub async fn run(app: &App, caller: &Caller<'_>, call: &Call, actions: &[Action]) -> Result<Outcome, Refusal> {
    carry_out(app, (caller, None), call, actions).await
}

/// A caller, and what it was fired by.
type By<'a> = (&'a Caller<'a>, Option<&'a Value>);

async fn carry_out(app: &App, by: By<'_>, call: &Call, actions: &[Action]) -> Result<Outcome, Refusal> {
    let at_ms = now_ms();
    let devices = devices::all(&app.db).await?;
    let steps = actions.iter().map(|action| step(action, &devices, call.sensor_data.as_ref(), at_ms));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    let meant: BTreeSet<&str> = steps.iter().flat_map(|step| &step.devices).map(|(id, _)| id.as_str()).collect();
    if meant.is_empty() {
        return Err(nobody(&steps));
    }
    let online = |device: &&Device| meant.contains(device.id.as_str()) && device.online_until_ms > at_ms;
    let reached = devices.iter().filter(online).count();
    let meant = meant.len();
    let mut outcome = Outcome { execution_id: None, reached, queued: meant - reached };
    if !call.dry_run {
        let plan = plan(by, call, at_ms, (steps, meant));
        outcome.execution_id = Some(commit(app, plan).await?);
    }
    Ok(outcome)
}

fn nobody(steps: &[Step]) -> Refusal {
    let targets: BTreeSet<String> =
        steps.iter().filter_map(|step| target(&step.target)).map(|it| it.describe()).collect();
    let targets = targets.into_iter().collect::<Vec<_>>().join("; ");
    Refusal::not_found(format!(
        "No device is meant by the target of this event id ({targets}). Pair a device, or correct the target."
    ))
}

fn target(json: &str) -> Option<Target> {
    serde_json::from_str(json).ok()
}

/// What one action does, and with whom. What cannot be read any more means nobody.
fn step(action: &Action, devices: &[Device], sensor: Option<&SensorData>, at_ms: i64) -> Result<Step, Refusal> {
    let function = Function::from_name(&action.function);
    let mut parameters: Value = serde_json::from_str(&action.parameters).unwrap_or_default();
    let mut emergency = None;
    let mut expires_ms = at_ms.saturating_add(action.ttl_ms);
    match function {
        Some(Function::SendSensorEventData) => {
            let data = sensor.ok_or_else(|| {
                Refusal::bad_request(format!(
                    "The action {} hands on what a sensor says: add sensor_data with id, event and value.",
                    action.name
                ))
            })?;
            parameters = json!({"sensor_data": data});
        }
        Some(Function::EnableEmergency) => {
            let until_ms = parameters["seconds"].as_i64().map(|seconds| at_ms.saturating_add(seconds * 1000));
            parameters["until"] = until_ms.map(rfc3339).into();
            // Who was away is still told, until it ends.
            expires_ms = until_ms.unwrap_or(i64::MAX);
            emergency = Some(Word::Begins { until_ms });
        }
        Some(Function::DisableEmergency) => emergency = Some(Word::Ends),
        _ => {}
    }
    let meant = function.zip(target(&action.target));
    let is_meant = |device: &&Device| meant.as_ref().is_some_and(|(function, target)| means(*function, target, device));
    let meant = devices.iter().filter(is_meant);
    Ok(Step {
        action: action.name.clone(),
        function: action.function.clone(),
        parameters: parameters.to_string(),
        target: action.target.clone(),
        expires_ms,
        devices: meant.map(|device| (device.id.clone(), device.name.clone())).collect(),
        emergency,
    })
}

fn plan((caller, fired_by): By<'_>, call: &Call, at_ms: i64, (steps, devices): (Vec<Step>, usize)) -> Plan {
    let id = caller.id.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let emergency = steps.iter().any(|step| matches!(step.emergency, Some(Word::Begins { .. })));
    let functions: Vec<&str> = steps.iter().map(|step| step.function.as_str()).collect();
    let detail = format!("{} on {devices} devices", functions.join(", "));
    let mut body = json!({
        "title": if call.event_id.is_empty() { detail.clone() } else { format!("{}: {detail}", call.event_id) },
        "event_id": call.event_id,
        "execution_id": id,
        "key": caller.name,
        "from": caller.from,
        "functions": functions,
        "devices": devices,
    });
    if let Some(fired_by) = fired_by {
        body["fired_by"] = fired_by.clone();
    }
    if emergency {
        body["priority"] = "Critical".into();
    }
    let audit = Entry {
        at_ms,
        who: caller.name.to_owned(),
        from: caller.from.to_owned(),
        what: "call".into(),
        subject: call.event_id.clone(),
        status: i64::from(StatusCode::OK.as_u16()),
        detail,
        execution: id.clone(),
    };
    let execution = Execution {
        id,
        event_id: call.event_id.clone(),
        key_id: caller.key.map(|key| key.id.clone()).unwrap_or_default(),
        key_name: caller.name.to_owned(),
        from: caller.from.to_owned(),
        at_ms,
        emergency,
    };
    Plan { execution, body: body.to_string(), steps, audit }
}

async fn commit(app: &App, plan: Plan) -> Result<String, Refusal> {
    let (execution, body) = (plan.execution.clone(), plan.body.clone());
    if !certainly(app, plan).await? {
        let error = "This API key is used up, or was deleted in this moment; nothing was done. Use another one.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    app.fleet.wake();
    let id = execution.id.clone();
    // The answer does not wait for the log; what it does not take now is brought to it later.
    app.tasks.spawn(record(app.clone(), execution, body));
    Ok(id)
}

/// Commits, trying again when the database chose it to give way to another transaction. It is done once: a second one would have the same id.
async fn certainly(app: &App, plan: Plan) -> sqlx::Result<bool> {
    for pause in PAUSES {
        let error = match executions::execute(&app.db, plan.clone()).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        app.db.failed(&error, "an execution is not committed");
        time::sleep(pause).await;
        if executions::by_id(&app.db, &plan.execution.id).await?.is_some() {
            return Ok(true);
        }
    }
    executions::execute(&app.db, plan).await
}

/// Makes the execution an event of the log; its id is what a repeat is known by.
pub async fn record(app: App, execution: Execution, body: String) {
    let Execution { id, from, at_ms, key_id, .. } = execution;
    // Only a key comes with a request.
    let path = if key_id.is_empty() { "" } else { "/public-api/integration/webhooks" };
    let request = json!({"method": "", "path": path, "remote": from, "headers": []});
    let event = NewEvent {
        webhook_id: Some(id.clone()),
        source: ACTIONS.into(),
        rank: Rank::of_task(&body).unwrap_or(Rank::Other),
        received_ms: at_ms,
        request: request.to_string().into(),
        body,
        shown: Shown::default(),
        reading: None,
        fires: Vec::new(),
    };
    if let Err(refused) = app.log.append(vec![event]).await {
        tracing::warn!(?refused, execution.id = id, "the log did not take an execution; trying again");
        return;
    }
    if let Err(error) = executions::logged(&app.db, &id).await {
        app.db.failed(&error, "an execution is brought to the log again, which knows it");
    }
}
