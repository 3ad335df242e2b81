//! A clock that is set back by an hour would let commands be carried out an hour after their time; they are counted anew instead.

use std::time::Duration;

use common::{clock::Clock, time::now_ms};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{App, store::actions::commands};

const WAIT_AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until `stop`. It begins with what waits at the start: the clock may have been set while nobody ran.
pub async fn follow(app: App, stop: CancellationToken) {
    let following = async {
        let mut clock = Clock::default();
        loop {
            while let Err(error) = commands::count_from(&app.db, now_ms()).await {
                app.db.failed(&error, "cannot count anew when commands expire; trying again");
                time::sleep(WAIT_AFTER_ERROR).await;
            }
            while clock.set().await > 0 {}
        }
    };
    stop.run_until_cancelled(following).await;
}
