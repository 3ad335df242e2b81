//! What a controller does with a command.

use common::time::now_ms;
use serde_json::Number;

use super::{
    outlet::{Outlet, name_of},
    pulses::Pulse,
    session::Session,
};
use crate::{
    actions::{
        functions::Function,
        orders,
        outputs::{SetOutput, other},
    },
    store::actions::commands::{Command, News},
};

/// What a command asks of an output.
pub struct Wanted {
    pub outlet: Outlet,
    pub value: Number,
    /// For so long only.
    pub seconds: Option<u32>,
}

impl Session<'_> {
    /// Acknowledges the command, does it, and says what became of it.
    pub async fn obey(&mut self, command: &Command) -> anyhow::Result<()> {
        self.app.fleet.mention(orders::report((&self.device.id, &self.id), command.number, News::Sent));
        let at_ms = now_ms();
        if !self.report(command.number, at_ms, News::Acknowledged).await? {
            return Ok(());
        }
        match self.wanted(command) {
            Ok(wanted) => self.act(command, wanted, at_ms).await,
            Err(said) => self.fail(command, said).await,
        }
    }

    /// # Errors
    /// Says why it cannot be done.
    pub fn wanted(&self, command: &Command) -> Result<Wanted, String> {
        let emergency = |on: bool| {
            let output = self.controller.emergency_output.as_ref();
            let output = output.ok_or("an output cannot do this: the controller has no emergency_output")?;
            let value = if on { &output.on } else { &output.off };
            let outlet = self.outlets.find(&output.dev, &output.circuit)?;
            Ok(Wanted { outlet, value: value.clone(), seconds: None })
        };
        match Function::from_name(&command.function) {
            Some(Function::SetOutput) => {
                let set: SetOutput = serde_json::from_str(&command.parameters).map_err(|error| error.to_string())?;
                let outlet = self.outlets.find(&set.dev, &set.circuit)?;
                Ok(Wanted { outlet, value: set.value, seconds: set.seconds })
            }
            Some(Function::EnableEmergency) => emergency(true),
            Some(Function::DisableEmergency) => emergency(false),
            _ => Err("an output cannot do this".into()),
        }
    }

    /// Sets the output; a pulse stays under way after that.
    pub async fn act(&mut self, command: &Command, wanted: Wanted, at_ms: i64) -> anyhow::Result<()> {
        let Wanted { outlet, value, seconds } = wanted;
        if let Err(said) = self.outlets.set(&outlet, &value).await? {
            if seconds.is_some() {
                // It may still come to be set: then not for ever.
                self.outlets.set(&outlet, &other(&value)).await?.ok();
            }
            return self.fail(command, said).await;
        }
        // Not before: when the set fails, the pulse is still to be taken back.
        self.overtake(&outlet).await?;
        if let Some(seconds) = seconds {
            return self.begin(Pulse::new(command.number, (outlet, value), at_ms, seconds)).await;
        }
        self.end(command.number, News::Done(Some(format!("{} is {value}", name_of(&outlet))))).await?;
        self.watch_alarm(command).await
    }

    /// The end of a command that could not be done; the emergency output is tried again by itself.
    async fn fail(&mut self, command: &Command, said: String) -> anyhow::Result<()> {
        self.retry_alarm(command);
        self.end(command.number, News::Failed(Some(said))).await
    }

    /// The end of a command.
    pub async fn end(&self, number: i64, news: News) -> anyhow::Result<()> {
        self.report(number, now_ms(), news).await.map(drop)
    }
}
