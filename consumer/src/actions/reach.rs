//! Whom an event id means now.

use super::targets::Target;
use crate::store::actions::{definitions::Action, devices::Device};

/// The devices that any of the actions means, in the order of their names.
#[must_use]
pub fn reach<'a>(actions: &[&Action], devices: &'a [Device]) -> Vec<&'a Device> {
    let targets: Vec<Target> = actions.iter().filter_map(|action| target(action)).collect();
    devices.iter().filter(|device| targets.iter().any(|target| target.means(device))).collect()
}

/// The target of an action; `None`: it cannot be read any more, and means nobody.
#[must_use]
pub fn target(action: &Action) -> Option<Target> {
    serde_json::from_str(&action.target).ok()
}
