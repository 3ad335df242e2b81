//! What the operator tells a device by the buttons of these pages.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use common::{fields::Fields, key, problem::Problem, time::now_ms};
use serde_json::{Map, Number, Value, json};
use uuid::Uuid;

use super::back::Back;
use crate::{
    App,
    actions::{administrator::Admin, definitions::DEFAULT_TTL_MS, functions::Function, screens::manage},
    pages::actions::typed::moment_ms,
    store::actions::executions,
};

/// `POST /screens/{id}/tell`: the button is the function, the fields its parameters. The same form sent twice tells it once.
pub async fn tell(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let name = fields.get("function");
    let function = Function::from_name(name)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("There is no function {name}.")))?;
    let device = manage::device(&app, &id).await?;
    let execution = execution_id(&id, &fields);
    if executions::by_id(&app.db, &execution).await?.is_none() {
        let order = (function, parameters(function, &fields)?, DEFAULT_TTL_MS);
        manage::tell(&app, &admin, &device, Some(&execution), order).await?;
    }
    let back = Back::of(&fields, &id);
    let shown = back.is_list().then_some(execution.as_str());
    Ok(back.after("told", shown))
}

/// What the execution is called: of the hidden id of the form, and of all that the form says, as a page has several buttons.
fn execution_id(device: &str, fields: &Fields) -> String {
    let Ok(once) = Uuid::parse_str(fields.get("once")) else { return Uuid::now_v7().to_string() };
    let said: Vec<&str> = SAID.iter().map(|name| fields.get(name)).collect();
    let hash = key::hex(&key::sha256(json!([once, device, said]).to_string().as_bytes()));
    let (time, rest) = (&once.simple().to_string()[..12], &hash[..18]);
    format!("{}-{}-7{}-8{}-{}", &time[..8], &time[8..], &rest[..3], &rest[3..6], &rest[6..])
}

/// Every field of a command.
const SAID: [&str; 16] = [
    "function",
    "url",
    "toast",
    "datasource",
    "emergency",
    "title",
    "color",
    "sound",
    "ends",
    "dev",
    "circuit",
    "value",
    "seconds",
    "sensor_id",
    "sensor_event",
    "sensor_value",
];

/// What the form says for the function; what it leaves empty is left out.
fn parameters(function: Function, fields: &Fields) -> Result<Value, Problem> {
    let mut parameters = Map::new();
    let mut take = |parameter: &str, field: &str| {
        if !fields.get(field).is_empty() {
            parameters.insert(parameter.to_owned(), json!(fields.get(field)));
        }
    };
    match function {
        Function::LoadUrl => take("url", "url"),
        Function::ShowToast => take("text", "toast"),
        Function::RefreshDatasource => take("datasource", "datasource"),
        Function::EnableEmergency => {
            take("title", "title");
            take("color", "color");
            take("text", "emergency");
            parameters.insert("sound".into(), json!(!fields.get("sound").is_empty()));
        }
        Function::SendSensorEventData => {
            let [id, event, value] = ["sensor_id", "sensor_event", "sensor_value"].map(|name| fields.get(name));
            parameters.insert("sensor_data".into(), json!({"id": id, "event": event, "value": value}));
        }
        Function::SetOutput => {
            take("dev", "dev");
            take("circuit", "circuit");
            parameters.insert("value".into(), json!(number(fields, "value", "Value is a number, such as 1.")?));
        }
        _ => {}
    }
    if let Some(seconds) = seconds(function, fields)? {
        parameters.insert("seconds".into(), json!(seconds));
    }
    Ok(Value::Object(parameters))
}

/// After how long it ends; `None`: it does not, or nothing was typed.
fn seconds(function: Function, fields: &Fields) -> Result<Option<Number>, Problem> {
    match function {
        Function::EnableEmergency if !fields.get("ends").is_empty() => ends(fields.get("ends")).map(Some),
        Function::LoadUrl | Function::ShowToast | Function::Snooze | Function::SetOutput
            if !fields.get("seconds").is_empty() =>
        {
            number(fields, "seconds", "Seconds is a whole number, or empty for no end.").map(Some)
        }
        _ => Ok(None),
    }
}

/// Seconds until an emergency ends: of a length of time, or of a moment that is still to come.
fn ends(text: &str) -> Result<Number, Problem> {
    let now_ms = now_ms();
    let left_ms = moment_ms(text, now_ms, 1).map(|at_ms| at_ms - now_ms).filter(|left_ms| *left_ms > 0);
    left_ms.map(|left_ms| Number::from((left_ms.saturating_add(999)) / 1000)).ok_or_else(|| {
        let how = "Ends is a length of time such as 90s, 15m or 8h, or a time to come such as 2026-12-31 18:00 (UTC).";
        Problem::bad_request(how)
    })
}

fn number(fields: &Fields, field: &str, error: &str) -> Result<Number, Problem> {
    fields.get(field).trim().parse().map_err(|_| Problem::bad_request(error))
}
