//! The one way in: whatever a source has to say becomes queued deliveries here.

use std::{collections::BTreeSet, time::Instant};

use common::time::{now_ms, now_us};
use serde_json::Value;

pub use crate::store::{Result, batches::Batch, registrations::Registration};
use crate::{
    App,
    filter::Filter,
    hand::Reserved,
    receiver::place,
    store::{
        batches::NewBatch,
        subscribers::Subscriber,
        triggered::{NewEvent, Stored, Triggered},
    },
};

/// Bodies of one source that belong together.
pub struct Messages {
    /// Id of the batch; the bodies may name it.
    pub batch: String,
    /// Where they go.
    pub url: String,
    /// What kind of message they are, such as `task`.
    pub kind: &'static str,
    /// What they were made of: `tasks` or `hardware`.
    pub source: &'static str,
    /// JSON texts, sent to the byte as they are.
    pub bodies: Vec<String>,
    pub seed: u64,
    /// Time between two of them.
    pub wait_ms: i64,
}

/// Commits the messages as deliveries, and wakes whoever delivers; what is returned is stored.
///
/// # Errors
/// When the database fails; nothing is queued then.
pub async fn queue(app: &App, messages: Messages) -> Result<Batch> {
    let Messages { batch: id, url, kind, source, bodies, seed, wait_ms } = messages;
    let count = bodies.len();
    let now_ms = now_ms();
    let first_wait = app.settings.retry_schedule.wait_after(0).unwrap_or_default();
    let first_due_ms = now_ms.saturating_add(i64::try_from(first_wait.as_millis()).unwrap_or(i64::MAX));
    let new = NewBatch { id, url, seed, wait_ms, kind, source, bodies, now_ms, first_due_ms };
    let batch = app.store.queue_batch(&new).await?;
    tracing::info!(batch.id = %batch.id, tasks = count, to = place(&batch.url), "queued");
    app.metrics.queued(count);
    app.queued();
    Ok(batch)
}

/// An event of a registration.
pub struct Event {
    pub registration: Registration,
    /// Canonical JSON to send this once instead of the registered data.
    pub data: Option<String>,
    /// The same one within a day triggers once.
    pub key: Option<String>,
}

/// Commits the event with a delivery for each subscription whose filter lets it through, and wakes whoever delivers; gives the first one, with no
/// deliveries, for a key that was used before.
///
/// # Errors
/// When the database fails; nothing is triggered then.
pub async fn fire(app: &App, event: Event) -> Result<Stored> {
    let Event { registration, data, key } = event;
    let body = data.unwrap_or(registration.event_data);
    let (read_at, now_ms) = (Instant::now(), now_ms());
    let mut subscribers = app.store.subscribers(&registration.id, now_ms).await?;
    keep_wanting(&mut subscribers, &registration.event, &body);
    let triggered =
        Triggered { id: uuid::Uuid::new_v4().to_string(), registration_id: registration.id, created_us: now_us() };
    let mut new = NewEvent {
        triggered,
        kind: "webhook",
        event: registration.event,
        body,
        idempotency: key.map(|key| (registration.account_id, key)),
        subscribers,
        lease: None,
        max_failed_count: app.settings.max_failed_count,
        now_ms,
    };
    let reserved = app.hand.reserve(&mut new, read_at);
    let app = app.clone();
    // Who asks may go away meanwhile: what is stored is sent all the same.
    let storing = tokio::spawn(async move { store(&app, new, reserved).await });
    storing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

async fn store(app: &App, new: NewEvent, reserved: Option<Reserved>) -> Result<Stored> {
    let stored = app.store.trigger(&new).await?;
    if !stored.ids.is_empty() {
        if let Some(reserved) = reserved {
            reserved.fill(new.claimed(&stored));
        }
        announce(app, &new).await;
    }
    Ok(stored)
}

/// Keeps those whose filter lets the event through; a filter that cannot be read, which is never stored, lets everything through.
fn keep_wanting(subscribers: &mut Vec<Subscriber>, event: &str, body: &str) {
    if subscribers.iter().all(|subscriber| subscriber.filter.is_none()) {
        return;
    }
    let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let (event, data) = (read(event), read(body));
    subscribers.retain(|subscriber| {
        let filter = subscriber.filter.as_deref().and_then(|filter| Filter::parse(filter).ok());
        filter.is_none_or(|filter| filter.matches(&event, &data))
    });
}

/// Wakes whoever delivers and whoever looks; an account that was enabled while its event was held gets it now.
async fn announce(app: &App, new: &NewEvent) {
    app.metrics.queued(new.subscribers.len());
    let held: BTreeSet<&str> = new.held().map(|subscriber| subscriber.account_id.as_str()).collect();
    for account in held {
        if let Err(error) = app.store.release_late(account, (new.max_failed_count, new.now_ms)).await {
            app.store.db.failed(&error, "cannot look whether an account was enabled meanwhile");
        }
    }
    for subscriber in &new.subscribers {
        app.progress.moved(&format!("account:{}", subscriber.account_id));
    }
    if !new.subscribers.iter().all(|subscriber| subscriber.at_once) {
        app.queued();
    }
}
