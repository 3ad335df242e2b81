//! From a body to its events: JSON in any of its forms, `CloudEvents`, or the fields of a form.

use std::{borrow::Cow, mem, sync::Arc};

use axum::http::{HeaderMap, HeaderName, header, request::Parts};
use common::{
    envelope::{
        self, Limits, Refusal,
        cloud_events::{self, CloudEvent},
        form,
    },
    problem::Problem,
    time::now_ms,
};

use super::{door::Place, kept, webhook_id};
use crate::{
    devices::Reading,
    event::{ACTIONS, NewEvent, Rank, Shown},
    firing::Fire,
    rules::{Rules, input::Input},
};

const LIMITS: Limits = Limits { max_events: 1000, max_depth: 128 };
const FORM: &str = "application/x-www-form-urlencoded";

/// The events of a request that may come in.
///
/// # Errors
/// 400 or 413, and what to change.
pub fn events(place: &Place<'_>, parts: &Parts, body: &[u8]) -> Result<Vec<NewEvent>, Problem> {
    let sent_id = webhook_id(&parts.headers)?;
    let bodies = bodies(&parts.headers, body).map_err(explain)?;
    let source: Arc<str> = place.name.into();
    let request = kept::describe(parts, bodies.len(), place.source.map(|source| &source.guard));
    let (received_ms, many) = (now_ms(), bodies.len() > 1);
    let events = bodies.into_iter().enumerate().map(|(nth, Body { id, text })| {
        let (rank, shown, fires) = read_by(place, parts, &text);
        NewEvent {
            // A space, which no sender's own id has.
            webhook_id: sent_id.map(|id| if many { format!("{id} {nth}") } else { id.to_owned() }).or(id),
            source: source.clone(),
            rank,
            reading: Reading::of(&text).map(Box::new),
            received_ms,
            request: request.clone(),
            body: text.into_owned(),
            shown,
            fires,
        }
    });
    Ok(events.collect())
}

/// What the rules of its source make of one event of the request; a header with the source's secret is none to them.
pub fn read_by(place: &Place<'_>, parts: &Parts, body: &str) -> (Rank, Shown, Vec<Fire>) {
    let built_in = Rules::default();
    let (rules, guard) = place.source.map_or((&built_in, None), |source| (&source.rules, Some(&source.guard)));
    let is_hidden = |name: &HeaderName| guard.is_some_and(|guard| guard.hides_header(name));
    let headers = |name: &str| {
        let (name, value) = parts.headers.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))?;
        (!is_hidden(name)).then(|| kept::text(value))
    };
    let mut reading = rules.read(&Input { body, headers: &headers });
    let mut fires = mem::take(&mut reading.fires);
    // What an execution says would fire the next one.
    fires.retain(|_| place.name != ACTIONS);
    (reading.rank, reading.shown(), fires)
}

/// The JSON of an event, and what a repeat of it is known by where that stands in the event itself.
struct Body<'a> {
    id: Option<String>,
    text: Cow<'a, str>,
}

fn bodies<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Vec<Body<'a>>, Refusal> {
    if let Some(mode) = cloud_events::mode(headers) {
        let events = cloud_events::read(mode, headers, body, LIMITS)?;
        return Ok(events.into_iter().map(|CloudEvent { key, body }| Body { id: Some(key), text: body }).collect());
    }
    match envelope::split(body, LIMITS) {
        Ok(texts) => Ok(texts.into_iter().map(|text| Body { id: None, text }).collect()),
        // Twilio and Slack send plain forms.
        Err(refusal @ Refusal::NotJson { .. }) if is_form(headers) && !looks_like_json(body) => {
            let fields = form::fields(body, LIMITS.max_events).ok_or(refusal)?;
            Ok(vec![Body { id: None, text: fields.into() }])
        }
        Err(refusal) => Err(refusal),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.get(..FORM.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(FORM))
}

/// Evok calls its JSON a form: where that is broken, its place is told.
fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

fn explain(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Empty | Refusal::NotAnEvent => Problem::bad_request(detail),
        Refusal::NotJson { line, column, offset, .. } => {
            Problem::bad_request(detail).with("line", line).with("column", column).with("offset", offset)
        }
        Refusal::TooDeep { offset, max_depth } => {
            Problem::bad_request(detail).with("offset", offset).with("max_depth", max_depth)
        }
        Refusal::Attribute { name, .. } => Problem::bad_request(detail).with("attribute", name),
        Refusal::TooMany { max_events } => Problem::too_large(detail).with("max_events", max_events),
    }
}
