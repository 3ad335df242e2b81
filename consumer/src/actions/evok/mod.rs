//! Controllers with Evok: this side connects to them, and sets their outputs as a device would obey.
//!
//! `mod` keeps a task for each controller, with `patience` → `session` holds one connection → `obey` does a command by `outlet`, which sets and reads again;
//! `recover` judges what was cut off, `pulses` take back what was set for a time, and `alarm` follows the emergencies.

mod alarm;
mod obey;
mod outlet;
mod patience;
mod pulses;
mod recover;
mod session;

use std::{collections::HashMap, time::Duration};

use common::time::now_ms;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use self::patience::Patience;
use super::outputs::Controller;
use crate::{App, store::actions::controllers};

/// How often the table is asked which controllers there are, and whether one is free.
const LOOK: Duration = Duration::from_secs(1);

/// A task, and the JSON that it was started with.
type Running = (String, CancellationToken);

/// Keeps a task for each controller of the table, until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let mut running = HashMap::new();
    loop {
        match controllers::all(&app.db).await {
            Ok(all) => follow(&app, &mut running, &all, &stop),
            Err(error) => app.db.failed(&error, "cannot read which controllers there are"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(LOOK) => {}
        }
    }
}

fn follow(app: &App, running: &mut HashMap<String, Running>, all: &[controllers::Stored], stop: &CancellationToken) {
    running.retain(|id, (json, end)| {
        let stays = all.iter().any(|(other, controller)| other == id && controller == json);
        if !stays {
            end.cancel();
        }
        stays
    });
    for (id, json) in all {
        if !running.contains_key(id)
            && let Ok(controller) = serde_json::from_str(json)
        {
            let end = stop.child_token();
            app.tasks.spawn(keep(app.clone(), id.clone(), controller, end.clone()));
            running.insert(id.clone(), (json.clone(), end));
        }
    }
}

/// Connects again and again until `end`, while no other node does.
async fn keep(app: App, id: String, controller: Controller, end: CancellationToken) {
    let mut patience = Patience::new();
    while !end.is_cancelled() {
        let pause = match turn(&app, &id, (&controller, &mut patience), &end).await {
            Ok(()) => {
                patience.reset();
                LOOK
            }
            Err(error) => wait_after(&error, &id, &mut patience),
        };
        end.run_until_cancelled(time::sleep(pause)).await;
    }
}

/// Says what went wrong, unless the same went wrong before; gives how long to wait.
fn wait_after(error: &anyhow::Error, id: &str, patience: &mut Patience) -> Duration {
    let error = format!("{error:#}");
    let (wait, is_new) = patience.fail(error.clone());
    if is_new {
        tracing::warn!(error, device.id = id, "a controller is not served; connecting again until it is");
    } else {
        tracing::debug!(error, device.id = id, "a controller is still not served");
    }
    wait
}

/// Connects when the controller is free, and serves it as long as that lasts.
async fn turn(
    app: &App,
    id: &str,
    (controller, patience): (&Controller, &mut Patience),
    end: &CancellationToken,
) -> anyhow::Result<()> {
    if session::is_shared(app) && !controllers::is_free(&app.db, id, &app.fleet.node, now_ms()).await? {
        return Ok(());
    }
    let Some((session, ended)) = session::open(app, id, controller, end).await? else { return Ok(()) };
    let since = Instant::now();
    let served = session.serve(&ended).await;
    patience.served(since.elapsed());
    served
}
