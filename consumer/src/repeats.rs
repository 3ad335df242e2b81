//! Repeats of readings as live pages see them: they move no offset, so the newest events are looked at while somebody follows.

use std::{sync::Arc, time::Duration};

use common::db::Db;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{
    feed::Feed,
    store::{devices, events},
};

const LOOK: Duration = Duration::from_secs(1);
/// Offsets back from the head that a page may still show.
const REACH: i64 = 1000;

/// Runs until `stop`: keeps the feed's repeats as the log has them, whichever node counted them, while `is_followed`.
pub async fn follow(db: Db, feed: Arc<Feed>, is_followed: impl Fn() -> bool, stop: CancellationToken) {
    let mut known = None;
    loop {
        if is_followed()
            && let Err(error) = look(&db, &feed, &mut known).await
        {
            db.failed(&error, "cannot read what was repeated");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

async fn look(db: &Db, feed: &Feed, known: &mut Option<i64>) -> sqlx::Result<()> {
    let version = devices::version(db).await?;
    if *known != Some(version) {
        feed.set_repeated(events::repeated_since(db, feed.head() - REACH).await?);
        *known = Some(version);
    }
    Ok(())
}
