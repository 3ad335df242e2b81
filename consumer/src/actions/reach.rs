//! Whom an event id means now.

use super::{functions::Function, targets::Target};
use crate::store::actions::{
    definitions::Action,
    devices::{Device, Kind},
};

/// The devices that any of the actions means, in the order of their names.
#[must_use]
pub fn reach<'a>(actions: &[&Action], devices: &'a [Device]) -> Vec<&'a Device> {
    let targets: Vec<(Function, Target)> =
        actions.iter().filter_map(|action| Some((Function::from_name(&action.function)?, target(action)?))).collect();
    let is_meant = |device: &&Device| targets.iter().any(|(function, target)| means(*function, target, device));
    devices.iter().filter(is_meant).collect()
}

/// Whether the device is told the function by an action with this target.
#[must_use]
pub fn means(function: Function, target: &Target, device: &Device) -> bool {
    // Nobody else has outputs.
    target.means(device) && (function != Function::SetOutput || device.kind == Kind::Evok)
}

/// The target of an action; `None`: it cannot be read any more, and means nobody.
#[must_use]
pub fn target(action: &Action) -> Option<Target> {
    serde_json::from_str(&action.target).ok()
}
