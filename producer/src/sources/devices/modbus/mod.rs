//! Modbus TCP: registers and coils, read at every interval.

mod keys;
mod line;
mod plan;
mod value;
mod words;

use std::convert::Infallible;

use tokio::time::{MissedTickBehavior, interval};

use super::{feed::Feed, kind::Seen};
pub use keys::Modbus;
use line::Line;

/// Connects, and reads every point at every interval until the connection fails.
///
/// # Errors
/// Why the connection ended. A point that the device refuses to tell ends nothing: it is in the status.
pub async fn session(modbus: &Modbus, feed: &mut Feed) -> anyhow::Result<Infallible> {
    let mut line = Line::connect(modbus).await?;
    let mut tick = interval(modbus.poll_interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut greeted = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let Seen { readings, failing } = line.read().await?;
                if !std::mem::replace(&mut greeted, true) {
                    feed.connected();
                }
                feed.failing(failing);
                feed.take(readings).await;
            }
            () = feed.due() => feed.tell_due().await,
        }
    }
}

/// Connects once and reads every point.
///
/// # Errors
/// When it cannot be reached, or does not answer.
pub async fn look(modbus: &Modbus) -> anyhow::Result<Seen> {
    Line::connect(modbus).await?.read().await
}

#[cfg(test)]
mod fuzz;
