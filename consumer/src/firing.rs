//! What rules fire: an event id with an event, carried out once, after the commit that both are in.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    devices::Reading,
    event::{NewEvent, title},
};

/// What a rule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fire {
    /// Its number among the rules of the source, from 1.
    pub rule: i64,
    pub event_id: Arc<str>,
    /// How often a minute the source may fire this event id.
    pub rate_per_minute: i64,
}

/// The same, with the event that it is fired by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    pub offset: i64,
    pub rule: i64,
    /// The id of the execution that comes of it.
    pub execution: String,
    pub source: Arc<str>,
    pub event_id: String,
    pub rate_per_minute: i64,
    /// JSON: what the event says as a sensor.
    pub sensor: String,
}

/// What the event fires when it gets this place.
#[must_use]
pub fn of(event: &NewEvent, offset: i64) -> Vec<Firing> {
    let sensor = if event.fires.is_empty() { String::new() } else { sensor(event).to_string() };
    let firing = |fire: &Fire| Firing {
        offset,
        rule: fire.rule,
        execution: Uuid::now_v7().to_string(),
        source: event.source.clone(),
        event_id: fire.event_id.to_string(),
        rate_per_minute: fire.rate_per_minute,
        sensor: sensor.clone(),
    };
    event.fires.iter().map(firing).collect()
}

/// A device's reading says its circuit, its kind and its value; what is none says its source and its title.
fn sensor(event: &NewEvent) -> Value {
    if let Some(Reading { circuit, dev, value, .. }) = event.reading.as_deref() {
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        return json!({"id": circuit, "event": dev, "value": value});
    }
    let title = event.shown.title.clone().unwrap_or_else(|| title(&event.body));
    json!({"id": event.source, "event": title, "value": null})
}
