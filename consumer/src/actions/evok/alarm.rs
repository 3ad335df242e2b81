//! The emergency output follows the emergencies, also one that began while the controller was away, and one whose time is over.

use std::time::Duration;

use tokio::time::Instant;

use super::{pulses::moment, session::Session};
use crate::{
    actions::{functions::Function, orders},
    store::actions::commands::Command,
};

/// After an output that does not do as it is told.
const TRY_AGAIN: Duration = Duration::from_secs(5);

impl Session<'_> {
    /// Sets the emergency output as the last word on emergencies says; nothing was said: as it is.
    pub async fn follow_alarm(&mut self) -> anyhow::Result<()> {
        self.alarm = None;
        let Some(output) = &self.controller.emergency_output else { return Ok(()) };
        let Some(word) = orders::last_word(&self.app.db, &self.device).await? else { return Ok(()) };
        let is_on = orders::is_lasting(&word);
        let value = if is_on { &output.on } else { &output.off };
        let set = match self.outlets.find(&output.dev, &output.circuit) {
            Ok(outlet) if self.outlets.is(&outlet, value) => Ok(()),
            Ok(outlet) => self.outlets.set(&outlet, value).await?,
            Err(said) => Err(said),
        };
        self.alarm = word.until_ms.filter(|_| is_on).map(moment);
        if let Err(said) = set {
            tracing::warn!(
                said,
                device.name = self.device.name,
                "the emergency output is not as it should be; trying again"
            );
            self.alarm = Some(Instant::now() + TRY_AGAIN);
        }
        Ok(())
    }

    /// After a command of an emergency: when it ends by itself.
    pub async fn watch_alarm(&mut self, command: &Command) -> anyhow::Result<()> {
        if is_of_emergencies(command) {
            let word = orders::last_word(&self.app.db, &self.device).await?;
            self.alarm = word.filter(orders::is_lasting).and_then(|word| word.until_ms).map(moment);
        }
        Ok(())
    }

    /// After a command of an emergency that failed: when the output is looked at again.
    pub fn retry_alarm(&mut self, command: &Command) {
        if is_of_emergencies(command) {
            self.alarm = Some(Instant::now() + TRY_AGAIN);
        }
    }
}

fn is_of_emergencies(command: &Command) -> bool {
    let function = Function::from_name(&command.function);
    matches!(function, Some(Function::EnableEmergency | Function::DisableEmergency))
}
