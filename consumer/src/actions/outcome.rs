//! How a command stands, as it is told outside.

use common::time::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::actions::commands::Command;

/// What became of one action on one device.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandState {
    /// Its name.
    device: String,
    /// The name of the action.
    action: String,
    function: String,
    /// The id that the device knows it by.
    command: i64,
    /// `queued`, `sent`, `acknowledged`, `done`, `failed` or `expired`.
    state: String,
    /// Times are RFC 3339, UTC.
    queued_at: String,
    sent_at: Option<String>,
    acknowledged_at: Option<String>,
    /// When it was done, failed or expired.
    ended_at: Option<String>,
    /// What the device said at the end, or why it expired.
    text: Option<String>,
}

impl From<Command> for CommandState {
    fn from(command: Command) -> Self {
        Self {
            device: command.device_name,
            action: command.action,
            function: command.function,
            command: command.number,
            state: command.state,
            queued_at: rfc3339(command.queued_ms),
            sent_at: command.sent_ms.map(rfc3339),
            acknowledged_at: command.acknowledged_ms.map(rfc3339),
            ended_at: command.ended_ms.map(rfc3339),
            text: command.said,
        }
    }
}
