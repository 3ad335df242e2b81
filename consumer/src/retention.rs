//! Forgetting in the background what is older, or more, than is to be kept.

use std::{sync::Arc, time::Duration};

use common::{db::Db, time::now_ms};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Retention,
    feed::Feed,
    store::{devices, events, retention},
};

const INTERVAL: Duration = Duration::from_secs(30);
/// Events that go in one commit, and the pause after it: appending goes first.
const STEP: i64 = 500;
const PAUSE: Duration = Duration::from_millis(20);
/// A device that was silent for so long, or as long as events are kept, is forgotten with its last event; never before a day is over.
const SILENT_MS: i64 = 30 * 24 * 3_600_000;
const SHORTEST_SILENCE_MS: i64 = 24 * 3_600_000;
/// The longest window of the chart of rates, and an hour.
const RATES_S: i64 = 25 * 3600;

/// Runs until `stop`.
pub async fn run(db: Db, feed: Arc<Feed>, keep: Retention, stop: CancellationToken) {
    loop {
        if let Err(error) = forget(&db, &feed, keep, &stop).await {
            db.failed(&error, "cannot forget old events");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(INTERVAL) => {}
        }
    }
}

async fn forget(db: &Db, feed: &Feed, keep: Retention, stop: &CancellationToken) -> sqlx::Result<()> {
    let age_ms = keep.age.and_then(|age| i64::try_from(age.as_millis()).ok());
    let before_ms = age_ms.map_or(i64::MIN, |age_ms| now_ms() - age_ms);
    let count = keep.count.unwrap_or(i64::MAX);
    let mut forgotten = 0;
    while !stop.is_cancelled() {
        let gone = retention::forget(db, before_ms, count, STEP).await?;
        forgotten += gone;
        if gone == 0 {
            break;
        }
        time::sleep(PAUSE).await;
    }
    let silent_ms = age_ms.unwrap_or(SILENT_MS).max(SHORTEST_SILENCE_MS);
    devices::forget(db, now_ms() - silent_ms).await?;
    retention::forget_rates(db, now_ms() / 1000 - RATES_S).await?;
    feed.set_tail(events::span(db).await?.0);
    if forgotten > 0 {
        tracing::info!(events = forgotten, "forgot old events");
    }
    Ok(())
}
