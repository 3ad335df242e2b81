//! What goes on beside the calls: commands expire, executions that the log did not take are brought to it, and who is connected stays known.

use std::{collections::HashSet, time::Duration};

use common::time::now_ms;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{devices::LEASE_MS, execute};
use crate::{
    App,
    store::actions::{commands, devices, executions},
};

const LOOK: Duration = Duration::from_millis(250);
/// Every how many looks the slower things are done: about 4 s, within a device's lease.
const SLOW: u32 = 16;
/// An execution of this age is no longer on its way to the log by itself.
const LATE_MS: i64 = 2000;

/// Runs until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    for round in (0..SLOW).cycle() {
        if let Err(error) = look(&app, round == 0).await {
            app.db.failed(&error, "cannot keep commands up to date");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

async fn look(app: &App, slow: bool) -> sqlx::Result<()> {
    let now_ms = now_ms();
    commands::expire(&app.db, now_ms).await?;
    if !slow {
        return Ok(());
    }
    for (execution, body) in executions::not_logged(&app.db, now_ms - LATE_MS).await? {
        execute::record(app.clone(), execution, body).await;
    }
    stay(app, now_ms).await
}

/// Renews the lease of who is here, and ends connections that have a newer one elsewhere, or whose device was deleted.
async fn stay(app: &App, now_ms: i64) -> sqlx::Result<()> {
    let here = app.fleet.connections();
    if here.is_empty() {
        return Ok(());
    }
    devices::stay(&app.db, &app.fleet.node, now_ms, now_ms + LEASE_MS).await?;
    let newest: HashSet<(String, String)> = devices::served(&app.db, &app.fleet.node).await?.into_iter().collect();
    for (device, session) in here {
        if !newest.contains(&(device.clone(), session)) {
            app.fleet.end(&device);
        }
    }
    Ok(())
}
