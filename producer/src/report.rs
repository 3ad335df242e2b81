//! Deliveries and their attempts as the API and the pages show them.

use common::{
    task::{Priority, Task},
    time::rfc3339,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::store::{attempts, deliveries};

/// One message on its way to one endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery {
    pub id: String,
    /// The `webhook-id`: the same at every attempt.
    pub message_id: String,
    pub to: String,
    pub batch: Option<String>,
    /// Place of the task in its batch, from 1.
    pub n: i64,
    /// `waiting`, `delivered`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Whether it is being sent just now.
    pub in_flight: bool,
    /// Attempts ever made.
    pub attempt: i64,
    /// Attempts made since it was put in the queue, of at most `attempts_max`.
    pub step: i64,
    pub attempts_max: usize,
    /// HTTP status of the last attempt.
    pub status: Option<i64>,
    pub reason: Option<String>,
    /// When it is tried next.
    pub next_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub owner: Option<String>,
    pub priority: Option<Priority>,
}

impl Delivery {
    /// `schedule`: how many attempts the engine's own has.
    pub fn of(stored: &deliveries::Delivery, schedule: usize) -> Self {
        let task: Option<Task> = serde_json::from_str(&stored.body).ok();
        Self {
            id: stored.id.clone(),
            message_id: stored.message_id.clone(),
            to: stored.url.clone(),
            batch: stored.batch_id.clone(),
            n: stored.position,
            state: stored.standing.state.as_str(),
            in_flight: stored.standing.in_flight,
            attempt: stored.standing.attempts,
            step: stored.standing.step,
            attempts_max: stored.standing.profile.attempts(stored.standing.once, schedule),
            status: stored.standing.status,
            reason: stored.standing.reason.clone(),
            next_at: stored.standing.next_ms().map(rfc3339),
            created_at: rfc3339(stored.standing.created_ms),
            updated_at: rfc3339(stored.standing.updated_ms),
            priority: task.as_ref().map(|task| task.priority),
            owner: task.map(|task| task.owner),
        }
    }
}

/// One POST and what it came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attempt {
    /// From 1, over the delivery's whole life.
    pub number: i64,
    pub at: String,
    pub duration_ms: i64,
    /// `delivered`, `retrying` or `failed`.
    pub outcome: String,
    pub status: Option<i64>,
    pub reason: Option<String>,
    /// What happened and what to do, in words.
    pub text: Option<String>,
    /// At most the first 4 KiB of the answer.
    pub response: Option<String>,
    pub next_at: Option<String>,
    /// What was sent to an account and what it answered: `[name, value]` each, what is secret masked.
    #[schema(value_type = Vec<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<Box<RawValue>>,
    #[schema(value_type = Vec<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers: Option<Box<RawValue>>,
}

impl Attempt {
    pub fn of(stored: attempts::Attempt) -> Self {
        Self {
            number: stored.number,
            at: rfc3339(stored.at_ms),
            duration_ms: stored.duration_ms,
            outcome: stored.outcome,
            status: stored.status,
            reason: stored.reason,
            text: stored.detail,
            response: stored.response,
            next_at: stored.next_ms.map(rfc3339),
            request_headers: headers(stored.request_headers),
            response_headers: headers(stored.response_headers),
        }
    }
}

fn headers(stored: Option<String>) -> Option<Box<RawValue>> {
    stored.and_then(|json| RawValue::from_string(json).ok())
}

/// A delivery with what it carries and its newest attempts, oldest of them first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryDetail {
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The body that is sent, to the byte.
    pub body: String,
    pub attempts: Vec<Attempt>,
}
