//! A clock that is set back by an hour would make everything that waits for a time wait an hour longer; what waits is counted anew instead.

use std::time::Duration;

use common::{clock::Clock, time::now_ms};
use tokio::time::sleep;

use super::{WAIT_AFTER_ERROR, ms};
use crate::{App, store};

/// Runs until the app stops. It begins with what an earlier process left: the clock may have been set while nobody ran.
pub async fn follow(app: App, lease: Duration) {
    let following = async {
        let mut clock = Clock::default();
        loop {
            while let Err(error) = count_anew(&app, lease).await {
                app.store.db.failed(&error, "cannot count anew what waits; trying again");
                sleep(WAIT_AFTER_ERROR).await;
            }
            while clock.set().await > 0 {}
        }
    };
    app.stop.run_until_cancelled(following).await;
}

async fn count_anew(app: &App, lease: Duration) -> store::Result<()> {
    let moved = app.store.count_from(now_ms(), ms(lease)).await?;
    if moved > 0 {
        tracing::info!(deliveries = moved, "what a clock that was ahead made wait is counted from now");
        app.work.notify_one();
    }
    Ok(())
}
