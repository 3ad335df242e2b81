//! The one way in: whatever a source has to say becomes queued deliveries here.

use common::time::now_ms;

pub use crate::store::{Result, batches::Batch};
use crate::{App, store::batches::NewBatch};

/// Bodies of one source that belong together.
pub struct Messages {
    /// Id of the batch; the bodies may name it.
    pub batch: String,
    /// Where they go.
    pub url: String,
    /// What kind of message they are, such as `task`.
    pub kind: &'static str,
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
    let Messages { batch: id, url, kind, bodies, seed, wait_ms } = messages;
    let count = bodies.len();
    let now_ms = now_ms();
    let first_wait = app.settings.retry_schedule.wait_after(0).unwrap_or_default();
    let first_due_ms = now_ms.saturating_add(i64::try_from(first_wait.as_millis()).unwrap_or(i64::MAX));
    let new = NewBatch { id, url, seed, wait_ms, kind, bodies, now_ms, first_due_ms };
    let batch = app.store.queue_batch(&new).await?;
    tracing::info!(batch.id = %batch.id, tasks = count, to = place(&batch.url), "queued");
    app.metrics.queued(count);
    app.queued();
    Ok(batch)
}

/// The URL as it stands in the log: without its query, which may hold a key.
pub fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_key_in_a_query_stays_out_of_the_log() {
        assert_eq!(place("https://example.com/hooks?key=secret"), "https://example.com/hooks");
        assert_eq!(place("https://example.com/hooks#secret"), "https://example.com/hooks");
    }
}
