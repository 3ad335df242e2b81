//! One event id: its actions, whom they would reach, its link, and a test that really runs it.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{fields::Fields, page, problem::Problem, time::now_ms};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    address,
    dry::Reach,
    head::{Head, Said, after},
    link::{LinkForm, Links},
    list::{Row, rows},
    typed::{Wrong, wrong},
};
use crate::{
    App,
    actions::{
        administrator::{self, Admin},
        call::{self, Call},
        execute::{self, Caller},
        functions::Function,
        refusal::Refusal,
    },
    store::actions::{
        definitions::{self, Action},
        devices, executions,
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    id: String,
}

#[derive(Template)]
#[template(path = "action_event.html")]
struct EventPage {
    head: Head,
    event_id: String,
    add: String,
    rows: Vec<Row>,
    reach: Reach,
    wants_sensor: bool,
    sensor: Sensor,
    /// What a test is called, so that sending its form twice does it once.
    test_id: String,
    link: LinkForm,
    links: Option<Links>,
    wrong: Option<Wrong>,
}

impl EventPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|wrong| wrong.field == field).map(|wrong| wrong.text.as_str())
    }
}

/// What a sensor says, as it was typed.
#[derive(Default)]
pub struct Sensor {
    pub id: String,
    pub event: String,
    pub value: String,
}

impl Sensor {
    pub fn of(fields: &Fields) -> Self {
        Self { id: fields.owned("sensor_id"), event: fields.owned("sensor_event"), value: fields.owned("sensor_value") }
    }

    /// The body of a call.
    pub fn body(&self, event_id: &str) -> serde_json::Value {
        if self.id.is_empty() && self.event.is_empty() {
            return serde_json::json!({"event_id": event_id});
        }
        let data = serde_json::json!({"id": self.id, "event": self.event, "value": self.value});
        serde_json::json!({"sensor_data": data, "event_id": event_id})
    }
}

/// What stands on the page beside what is known of the event id.
#[derive(Default)]
pub struct Beside {
    pub sensor: Sensor,
    pub link: Option<LinkForm>,
    pub links: Option<Links>,
    pub wrong: Option<Wrong>,
    pub said: Said,
}

/// `GET /actions/event?id=…`.
pub async fn show(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(said): Query<Said>,
) -> Result<Response, Problem> {
    whole(&app, &asked.id, Beside { said, ..Beside::default() }).await
}

/// The page of an event id.
///
/// # Errors
/// 404 when no action has it.
pub async fn whole(app: &App, event_id: &str, beside: Beside) -> Result<Response, Problem> {
    let actions = definitions::of_event(&app.db, event_id).await?;
    if actions.is_empty() {
        return Err(Problem::not_found("action with this event id (any more)"));
    }
    let devices = devices::all(&app.db).await?;
    let link = match beside.link {
        Some(link) => link,
        None => LinkForm::new(app, event_id).await?,
    };
    Ok(page::render(&EventPage {
        head: Head::new(app, address("/actions/event", &[("id", event_id)])).saying(&beside.said),
        event_id: event_id.to_owned(),
        add: address("/actions/new", &[("event_id", event_id)]),
        rows: rows(&actions, &devices),
        reach: Reach::new(&actions.iter().collect::<Vec<_>>(), &devices, now_ms()),
        wants_sensor: wants_sensor(&actions),
        sensor: beside.sensor,
        test_id: Uuid::now_v7().to_string(),
        link,
        links: beside.links,
        wrong: beside.wrong,
    }))
}

fn wants_sensor(actions: &[Action]) -> bool {
    actions.iter().any(|action| action.function == Function::SendSensorEventData.as_str())
}

/// The call that the form describes.
///
/// # Errors
/// 400 at a field.
pub fn called(event_id: &str, sensor: &Sensor) -> Result<Call, Problem> {
    call::from_body(sensor.body(event_id).to_string().as_bytes()).map_err(|error| {
        let field = if error.contains("sensor_data.event") { "sensor_event" } else { "sensor_id" };
        wrong(
            field,
            error.replace("sensor_data.id", "The sensor's id").replace("sensor_data.event", "The sensor's event"),
        )
    })
}

/// `POST /actions/event/test`: runs it as the administrator, and leads to what becomes of it.
pub async fn test(State(app): State<App>, admin: Admin, fields: Fields) -> Result<Response, Problem> {
    let (event_id, sensor) = (fields.owned("event_id"), Sensor::of(&fields));
    let id = Uuid::parse_str(fields.get("test")).unwrap_or_else(|_| Uuid::now_v7()).to_string();
    let call = match called(&event_id, &sensor) {
        Ok(call) => call,
        Err(problem) => return again(&app, &event_id, sensor, Wrong::of(problem)?).await,
    };
    // Whoever presses twice is led to the same execution.
    if executions::by_id(&app.db, &id).await?.is_none() {
        let by = Caller { key: None, name: administrator::NAME, from: admin.from(), id: Some(&id) };
        if let Err(refusal) = execute::execute(&app, &by, &call).await {
            admin.was_refused(&app, &event_id, &refusal).await?;
            return again(&app, &event_id, sensor, at_a_field(refusal)).await;
        }
    }
    Ok(after(&format!("/actions/executions/{id}"), &[], "tested"))
}

fn at_a_field(refusal: Refusal) -> Wrong {
    let field = if refusal.error.contains("sensor_data") { "sensor_id" } else { "test" };
    Wrong { field: field.into(), text: refusal.error }
}

async fn again(app: &App, event_id: &str, sensor: Sensor, wrong: Wrong) -> Result<Response, Problem> {
    let page = whole(app, event_id, Beside { sensor, wrong: Some(wrong), ..Beside::default() }).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}
