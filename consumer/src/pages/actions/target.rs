//! Whom an action means, as a form chooses it from the devices that there are.

use std::collections::BTreeSet;

use common::fields::Fields;

use crate::{actions::targets::Target, store::actions::devices::Device};

/// Names that a form offers.
const OFFERED: usize = 300;

pub struct TargetForm {
    /// `all`, `device`, `groups` or `tags`.
    pub kind: &'static str,
    pub device: String,
    pub devices: Vec<String>,
    pub all: String,
    pub groups: Vec<(String, bool)>,
    pub tags: Vec<(String, bool)>,
}

impl TargetForm {
    pub fn new(target: &Target, devices: &[Device]) -> Self {
        let none = Vec::new();
        let (kind, device, groups, tags) = match target {
            Target::All => ("all", "", &none, &none),
            Target::Device(name) => ("device", name.as_str(), &none, &none),
            Target::Groups(names) => ("groups", "", names, &none),
            Target::Tags(names) => ("tags", "", &none, names),
        };
        Self {
            kind,
            device: device.to_owned(),
            devices: devices.iter().map(|device| device.name.clone()).collect(),
            all: common::page::plural(i64::try_from(devices.len()).unwrap_or(0), "device"),
            groups: offered(devices.iter().flat_map(|device| &device.groups), groups),
            tags: offered(devices.iter().flat_map(|device| &device.tags), tags),
        }
    }
}

/// What is chosen is offered also when no device has it any more.
fn offered<'a>(names: impl Iterator<Item = &'a String>, chosen: &'a [String]) -> Vec<(String, bool)> {
    let names: BTreeSet<&String> = chosen.iter().chain(names).collect();
    names.into_iter().take(OFFERED).map(|name| (name.clone(), chosen.contains(name))).collect()
}

/// The target that a form describes; whether it is good, it says itself.
pub fn read(fields: &Fields) -> Target {
    let all = |name: &str| fields.all(name).filter(|text| !text.is_empty()).map(str::to_owned).collect();
    match fields.get("target") {
        "device" => Target::Device(fields.owned("device")),
        "groups" => Target::Groups(all("group")),
        "tags" => Target::Tags(all("tag")),
        _ => Target::All,
    }
}
