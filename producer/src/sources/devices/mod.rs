//! Hardware: each source of `devices.yaml` is read by a task of its own, and what changes is triggered like everything else.

pub mod board;
mod changes;
pub mod check;
mod evok;
mod feed;
pub mod file;
pub mod hardware;
mod host;
mod kind;
mod lease;
mod modbus;
mod mqtt;
mod rate;
mod rules;
pub mod status;
mod webhook;

use std::{convert::Infallible, time::Duration};

use common::evok::reading;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::{App, service};
use feed::Feed;
use file::Source;
use kind::Kind;
use lease::Lease;

/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Registers the sources and begins to read them; the tasks end on the stop token.
///
/// # Errors
/// When the database fails.
pub async fn start(app: &App, sources: Vec<Source>, tasks: &TaskTracker) -> anyhow::Result<()> {
    for source in sources {
        let registration = service::devices::offer(app, &source.name, &source.webhook.addresses).await?;
        let feed = Feed::new(app.clone(), &source, registration);
        tasks.spawn(keep_reading(app.clone(), source.kind, feed));
    }
    Ok(())
}

/// Reads the source until the end, and tries again after each failure, later each time.
async fn keep_reading(app: App, mut kind: Kind, mut feed: Feed) {
    let mut lease = Lease::new(app.clone(), feed.source());
    let stop = app.stop.clone();
    let reading = async {
        let mut failures = 0;
        loop {
            let error = turn(&mut kind, &mut feed, &mut lease).await;
            failures = if feed.disconnected(&error) { 0 } else { failures + 1 };
            tracing::warn!(source = feed.source(), error = %format!("{error:#}"), "cannot read the devices");
            sleep(wait_after(failures)).await;
        }
    };
    let _: Option<Infallible> = stop.run_until_cancelled(reading).await;
    lease.release().await;
}

/// Waits for its turn and reads until something fails, or another producer took over.
async fn turn(kind: &mut Kind, feed: &mut Feed, lease: &mut Lease) -> anyhow::Error {
    if lease.wait().await {
        // Another one read meanwhile, and what was told is not known here.
        feed.forget();
    }
    tokio::select! {
        ended = kind.session(feed) => match ended {
            Err(error) => error,
            Ok(never) => match never {},
        },
        () = lease.keep() => anyhow::anyhow!("another producer on this database reads it now"),
    }
}

/// Half of the wait is left to chance, so that many do not come back at once.
fn wait_after(failures: u32) -> Duration {
    let wait = FIRST_WAIT.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT);
    wait.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}
