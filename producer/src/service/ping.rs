//! A test event to one subscription, and its attempt.

use std::time::Duration;

use common::time::{now_ms, now_us};
use tokio::time::timeout;

use super::Refused;
use crate::{
    App,
    store::{
        log::Logged,
        subscriptions::Subscription,
        triggered::{NewEvent, Triggered},
    },
};

/// So long the attempt is waited for.
const PATIENCE: Duration = Duration::from_secs(8);
/// Another process may make the attempt.
const SLOW_POLL: Duration = Duration::from_secs(1);
const GONE: Refused = Refused::Missing("There is no such subscription of yours");

/// Sends a test event with the registered data, or with `data` (canonical JSON), and waits for its one attempt; when it does not come in time, the
/// delivery has no attempt yet. It counts for nothing, and neither the filter nor a disabled endpoint stops it.
///
/// # Errors
/// When the subscription is gone, its account has no endpoint, or the database fails.
pub async fn ping(app: &App, subscription: &Subscription, data: Option<String>) -> Result<Logged, Refused> {
    let (event, body) = match (app.store.registration(&subscription.registration_id).await?, data) {
        (Some(registration), data) => (registration.event, data.unwrap_or(registration.event_data)),
        (None, data) => ("\"ping\"".into(), data.unwrap_or_else(|| "{\"message\": \"ping\"}".into())),
    };
    let subscriber = app.store.subscriber(&subscription.id, now_ms()).await?;
    let subscriber = subscriber.ok_or(Refused::Missing("Endpoint not found"))?;
    let registration_id = subscription.registration_id.clone();
    let new = NewEvent {
        triggered: Triggered { id: String::new(), registration_id, created_us: now_us() },
        kind: "ping",
        event,
        body,
        idempotency: None,
        subscribers: vec![subscriber],
        lease: None,
        max_failed_count: app.settings.max_failed_count,
        now_ms: now_ms(),
    };
    let delivery = app.store.ping(&new).await?.ok_or(GONE)?;
    attempted(app, &delivery).await
}

async fn attempted(app: &App, delivery: &str) -> Result<Logged, Refused> {
    let mut moved = app.progress.follow(&format!("delivery:{delivery}"));
    app.queued();
    let ended = timeout(PATIENCE, async {
        loop {
            moved.borrow_and_update();
            let stored = app.store.logged(delivery).await?.ok_or(GONE)?;
            if stored.standing.attempts > 0 {
                return Ok::<_, Refused>(stored);
            }
            let _ = timeout(SLOW_POLL, moved.changed()).await;
        }
    });
    match ended.await {
        Ok(stored) => stored,
        Err(_) => app.store.logged(delivery).await?.ok_or(GONE),
    }
}
