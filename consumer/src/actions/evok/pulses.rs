//! Outputs that are set for a time: the command stays acknowledged until the output is taken back, at a time that the table knows.

use std::time::Duration;

use common::time::{now_ms, rfc3339};
use serde_json::Number;
use tokio::time::Instant;

use super::{
    outlet::{Outlet, name_of},
    session::Session,
};
use crate::{
    actions::outputs::other,
    store::actions::{commands::News, devices},
};

/// An output that is to be set back.
pub struct Pulse {
    pub number: i64,
    pub outlet: Outlet,
    pub value: Number,
    pub seconds: u32,
    /// As it is told.
    due_ms: i64,
    /// As it is kept: a clock that is set makes no output stay longer.
    pub due: Instant,
}

impl Pulse {
    /// Of a command that was acknowledged then.
    pub fn new(number: i64, (outlet, value): (Outlet, Number), at_ms: i64, seconds: u32) -> Self {
        let due_ms = at_ms.saturating_add(i64::from(seconds) * 1000);
        let due = moment(due_ms).min(Instant::now() + Duration::from_secs(seconds.into()));
        Self { number, outlet, value, seconds, due_ms, due }
    }
}

/// When the clock will show this, if nobody sets it.
pub fn moment(at_ms: i64) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms())).unwrap_or(0))
}

impl Session<'_> {
    /// The output is set: from now on it is to be set back.
    pub async fn begin(&mut self, pulse: Pulse) -> anyhow::Result<()> {
        let said = format!("{} is {} until {}", name_of(&pulse.outlet), pulse.value, rfc3339(pulse.due_ms));
        let number = pulse.number;
        self.pulses.push(pulse);
        self.end(number, News::Going(said)).await
    }

    /// A later command has the output: who set it for a time is done with it.
    pub async fn overtake(&mut self, outlet: &Outlet) -> anyhow::Result<()> {
        while let Some(place) = self.pulses.iter().position(|pulse| pulse.outlet == *outlet) {
            let said = "a later command set the output before the time was over".to_owned();
            self.end(self.pulses[place].number, News::Done(Some(said))).await?;
            self.pulses.remove(place);
        }
        Ok(())
    }

    /// Sets back everything when the device was deleted: nobody comes after this connection who would.
    pub async fn forsake(&mut self) {
        if self.pulses.is_empty() || !matches!(devices::by_id(&self.app.db, &self.device.id).await, Ok(None)) {
            return;
        }
        for Pulse { outlet, value, .. } in std::mem::take(&mut self.pulses) {
            let said = match self.outlets.set(&outlet, &other(&value)).await {
                Ok(Ok(())) => continue,
                Ok(Err(said)) => said,
                Err(error) => format!("{}: {error:#}", name_of(&outlet)),
            };
            tracing::warn!(said, device.name = self.device.name, "an output of a deleted device was not set back");
        }
    }

    /// Sets back what is due.
    pub async fn take_back_due(&mut self) -> anyhow::Result<()> {
        while let Some(place) = self.pulses.iter().position(|pulse| pulse.due <= Instant::now()) {
            let Pulse { number, outlet, value, seconds, .. } = &self.pulses[place];
            let news = match self.outlets.set(outlet, &other(value)).await? {
                Ok(()) => News::Done(Some(format!("{} was {value} for {seconds} s", name_of(outlet)))),
                Err(said) => News::Failed(Some(format!("it was not set back: {said}"))),
            };
            self.end(*number, news).await?;
            self.pulses.remove(place);
        }
        Ok(())
    }
}
