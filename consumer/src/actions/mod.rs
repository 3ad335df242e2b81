//! Actions: an API key and an event id tell devices what to do.
//!
//! A call → `call` reads it → `doors` looks at its key → `execute` commits a command for each device, which is an event of the log too → `fleet`
//! hands commands to the devices that are connected (`devices`, `evok`), which say what became of them; `upkeep` ends what was not taken in time. What
//! rules fire comes in by `firing`.

pub mod admin;
pub mod administrator;
pub mod call;
mod clock;
pub mod definitions;
pub mod devices;
mod doors;
mod evok;
pub mod execute;
mod firing;
mod fleet;
pub mod functions;
pub mod keys;
mod orders;
pub mod outcome;
pub mod outputs;
pub mod public;
pub mod reach;
pub mod refusal;
pub mod screens;
pub mod targets;
pub mod trail;
mod upkeep;

use tokio::{sync::mpsc, task::JoinSet};

pub use doors::Doors;
pub use fleet::{Fleet, Waiting};

use crate::App;

/// Starts what goes on beside the calls; it ends with the service.
pub fn start(app: &App, reports: mpsc::Receiver<Waiting>, vital: &mut JoinSet<()>) {
    let stop = &app.stop;
    vital.spawn(fleet::store_reports(app.clone(), reports, stop.clone()));
    vital.spawn(fleet::dispatch(app.clone(), stop.clone()));
    vital.spawn(firing::run(app.clone(), stop.clone()));
    app.tasks.spawn(screens::showing::store(app.clone(), stop.clone()));
    app.tasks.spawn(clock::follow(app.clone(), stop.clone()));
    app.tasks.spawn(upkeep::run(app.clone(), stop.clone()));
    app.tasks.spawn(evok::run(app.clone(), stop.clone()));
}
