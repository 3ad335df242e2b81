//! Trying rules on an event before they are saved.

use std::collections::BTreeMap;

use axum::{Json, body::Bytes, extract::State};
use common::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    App,
    event::title,
    firing::Fire,
    rules::{
        Matched, RuleOutcome, Rules, WrittenRule,
        input::{Input, KeptHeaders},
    },
    store::events,
};

/// Rules, and what to try them on: a body, or an event that was received.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial<'a> {
    /// A list of rules, or a text with one in YAML.
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<WrittenRule>>)]
    rules: Option<&'a RawValue>,
    /// The JSON of one event.
    #[serde(borrow)]
    #[schema(value_type = Option<serde_json::Value>)]
    body: Option<&'a RawValue>,
    /// The id of a received event, or its offset.
    event: Option<EventName>,
    /// Headers that the event comes with; instead of those of the received one.
    headers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum EventName {
    Offset(i64),
    Id(String),
}

/// What the rules make of it.
#[derive(Serialize, ToSchema)]
pub struct Verdict {
    /// `Low`, `Moderate`, `Major`, `Critical` or `other`.
    priority: &'static str,
    /// What a list calls it.
    title: String,
    owner: Option<String>,
    /// What matched: `{"index": 0}`, a place among the rules, or `{"built_in": "evok"}`; null: nothing did.
    #[schema(value_type = Option<Object>)]
    rule: Option<Matched>,
    /// How each rule of the list went.
    tests: Vec<RuleOutcome>,
    /// What would be fired, in the order of the rules.
    fires: Vec<WouldFire>,
}

#[derive(Serialize, ToSchema)]
struct WouldFire {
    event_id: String,
    /// The place of the rule among the rules.
    index: i64,
    /// How many devices it would reach now.
    devices: usize,
    /// Why it would reach none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[utoipa::path(post, path = "/api/rules/test", tag = "rules", operation_id = "test_rules", request_body = inline(Trial),
    responses((status = 200, body = inline(Verdict)),
        (status = 400, description = "A rule is wrong: says its number and what to change"), (status = 404, description = "No such event (any more)")))]
pub async fn test(State(app): State<App>, request: Bytes) -> Result<Json<Verdict>, Problem> {
    let trial: Trial = serde_json::from_slice(&request)
        .map_err(|error| Problem::bad_request(format!("The request is not as it should be: {error}.")))?;
    let rules = trial.rules.map(read_rules).transpose()?.unwrap_or_default();
    let (body, kept) = match (trial.body, trial.event) {
        (Some(body), None) => (one_event(body)?.to_owned(), KeptHeaders::default()),
        (None, Some(name)) => received(&app, name).await?,
        _ => {
            return Err(Problem::bad_request(
                "Give either body, the JSON of an event, or event, the id of a received one.",
            ));
        }
    };
    let headers = trial.headers.map_or(kept, |headers| headers.into_iter().collect());
    Ok(Json(verdict(&app, &rules, &body, &headers).await))
}

async fn verdict(app: &App, rules: &Rules, body: &str, headers: &KeptHeaders) -> Verdict {
    let (reading, tests) = rules.explain(&Input { body, headers: &|name| headers.get(name) });
    let mut fires = Vec::with_capacity(reading.fires.len());
    for Fire { event_id, rule, .. } in &reading.fires {
        let reach = app.reach(event_id).await;
        let (devices, error) = reach.map_or_else(|error| (0, Some(error)), |devices| (devices, None));
        fires.push(WouldFire { event_id: event_id.to_string(), index: rule - 1, devices, error });
    }
    Verdict {
        priority: reading.rank.as_str(),
        title: reading.title.unwrap_or_else(|| title(body)),
        owner: reading.owner,
        rule: reading.rule,
        tests,
        fires,
    }
}

fn read_rules(written: &RawValue) -> Result<Rules, Problem> {
    let rules = match serde_json::from_str::<String>(written.get()) {
        Ok(yaml) => Rules::from_yaml(&yaml),
        Err(_) => serde_json::from_str(written.get()).map_err(|error| error.to_string()),
    };
    rules.map_err(|reason| Problem::bad_request(format!("The rules cannot be read: {reason}.")).with("field", "rules"))
}

/// A body with one event in a list, as devices send it, is that event.
fn one_event(body: &RawValue) -> Result<&str, Problem> {
    match serde_json::from_str::<Vec<&RawValue>>(body.get()).as_deref() {
        Ok([only]) => Ok(only.get()),
        Ok(list) => {
            let detail =
                format!("body is a list of {} events: give one of them, as each is read by itself.", list.len());
            Err(Problem::bad_request(detail).with("field", "body"))
        }
        Err(_) => Ok(body.get()),
    }
}

async fn received(app: &App, name: EventName) -> Result<(String, KeptHeaders), Problem> {
    let name = match name {
        EventName::Offset(offset) => format!("@{offset}"),
        EventName::Id(id) => id,
    };
    let event = events::named(&app.db, &name).await?;
    let event = event.ok_or_else(|| Problem::not_found(format!("event {name} (any more)")))?;
    Ok((event.body.clone(), KeptHeaders::of(&event.request)))
}
