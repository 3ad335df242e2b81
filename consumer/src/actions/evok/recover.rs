//! What was acknowledged before the connection or the program ended: judged by what is read now.
//!
//! To set an output again to the same value does no harm. A pulse is never begun again: it is taken back when its time is over, or was not begun.

use common::time::now_ms;

use super::{obey::Wanted, outlet::name_of, pulses::Pulse, session::Session};
use crate::store::actions::commands::{self, Command, News};

impl Session<'_> {
    /// Ends, or goes on with, what was under way, in its order.
    pub async fn recover(&mut self) -> anyhow::Result<()> {
        for command in commands::under_way(&self.app.db, &self.device.id).await? {
            match self.wanted(&command) {
                Ok(wanted) => match wanted.seconds {
                    Some(seconds) => self.recover_pulse(&command, wanted, seconds).await?,
                    None => self.recover_set(&command, wanted).await?,
                },
                Err(said) => self.end(command.number, News::Failed(Some(said))).await?,
            }
        }
        Ok(())
    }

    async fn recover_set(&mut self, command: &Command, wanted: Wanted) -> anyhow::Result<()> {
        if self.outlets.is(&wanted.outlet, &wanted.value) {
            self.overtake(&wanted.outlet).await?;
            let said = format!("{} is {}, as was read after an interruption", name_of(&wanted.outlet), wanted.value);
            self.end(command.number, News::Done(Some(said))).await
        } else if command.expires_ms > now_ms() {
            self.act(command, wanted, now_ms()).await
        } else {
            let said = format!("interrupted, and then too late; {}", self.outlets.told(&wanted.outlet));
            self.end(command.number, News::Failed(Some(said))).await
        }
    }

    async fn recover_pulse(&mut self, command: &Command, wanted: Wanted, seconds: u32) -> anyhow::Result<()> {
        let Wanted { outlet, value, .. } = wanted;
        if self.outlets.is(&outlet, &value) {
            self.overtake(&outlet).await?;
            let at_ms = command.acknowledged_ms.unwrap_or_default();
            return self.begin(Pulse::new(command.number, (outlet, value), at_ms, seconds)).await;
        }
        let read = self.outlets.told(&outlet);
        // Only a pulse that was seen to begin has said something.
        let news = match command.said {
            Some(_) => News::Done(Some(format!("{read}, as was read after an interruption"))),
            None => News::Failed(Some(format!("interrupted before it was seen to begin, and not begun again; {read}"))),
        };
        self.end(command.number, news).await
    }
}
