//! Whom an action means: one device, groups, tags, or all.

use serde::{Deserialize, Serialize};

use super::call::is_plain;
use crate::store::actions::devices::Device;

const MAX_NAMES: usize = 50;
const MAX_NAME_CHARS: usize = 100;

/// A target, as it is written in JSON: `"all"`, `{"device": NAME}`, `{"groups": [NAME, …]}` or `{"tags": [NAME, …]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    All,
    Device(String),
    /// Devices in any of them.
    Groups(Vec<String>),
    /// Devices with any of them.
    Tags(Vec<String>),
}

impl Target {
    /// The target with its names in order, so that equal ones are written alike.
    ///
    /// # Errors
    /// Says what to change.
    pub fn checked(self) -> Result<Self, String> {
        match self {
            Self::All => Ok(self),
            Self::Device(name) => name_of("target.device", &name).map(Self::Device),
            Self::Groups(names) => some(names_of("target.groups", &names)?, "target.groups").map(Self::Groups),
            Self::Tags(names) => some(names_of("target.tags", &names)?, "target.tags").map(Self::Tags),
        }
    }

    /// Whether the device is meant.
    #[must_use]
    pub fn means(&self, device: &Device) -> bool {
        let any = |names: &[String], of: &[String]| names.iter().any(|name| of.contains(name));
        match self {
            Self::All => true,
            Self::Device(name) => *name == device.name,
            Self::Groups(names) => any(names, &device.groups),
            Self::Tags(names) => any(names, &device.tags),
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::All => "all devices".into(),
            Self::Device(name) => format!("device {name}"),
            Self::Groups(names) => format!("group {}", names.join(", ")),
            Self::Tags(names) => format!("tag {}", names.join(", ")),
        }
    }
}

fn some(names: Vec<String>, field: &str) -> Result<Vec<String>, String> {
    if names.is_empty() { Err(format!("{field} names at least one")) } else { Ok(names) }
}

/// Names of groups or tags, in order and each once.
///
/// # Errors
/// Says what to change.
pub fn names_of(field: &str, names: &[String]) -> Result<Vec<String>, String> {
    if names.len() > MAX_NAMES {
        return Err(format!("{field} has at most {MAX_NAMES} names"));
    }
    let mut names = names.iter().map(|name| name_of(field, name)).collect::<Result<Vec<_>, _>>()?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// A name without blanks around it.
///
/// # Errors
/// Says what to change.
pub fn name_of(field: &str, name: &str) -> Result<String, String> {
    let name = name.trim();
    let is_good = !name.is_empty() && is_plain(name, MAX_NAME_CHARS);
    is_good
        .then(|| name.to_owned())
        .ok_or_else(|| format!("{field} has 1 to {MAX_NAME_CHARS} characters and no control character"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::actions::devices::Kind;

    fn device(name: &str, groups: &[&str], tags: &[&str]) -> Device {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Device {
            id: name.into(),
            name: name.into(),
            kind: Kind::Client,
            groups: owned(groups),
            tags: owned(tags),
            paired_ms: 0,
            created_ms: 0,
            last_seen_ms: None,
            online_until_ms: 0,
        }
    }

    #[test]
    fn a_target_means_what_it_names() {
        let lobby = device("lobby-1", &["lobby", "south"], &["4k"]);
        let target = |json: &str| serde_json::from_str::<Target>(json).unwrap();
        for json in [r#""all""#, r#"{"device":"lobby-1"}"#, r#"{"groups":["north","south"]}"#, r#"{"tags":["4k"]}"#] {
            assert!(target(json).means(&lobby), "{json}");
        }
        for json in [r#"{"device":"lobby"}"#, r#"{"groups":["4k"]}"#, r#"{"tags":["lobby"]}"#] {
            assert!(!target(json).means(&lobby), "{json}");
        }
    }

    #[test]
    fn equal_targets_are_written_alike_and_empty_ones_are_refused() {
        let checked = |names: &[&str]| Target::Groups(names.iter().map(|name| (*name).into()).collect()).checked();
        assert_eq!(checked(&["b", " a", "b"]), checked(&["a", "b"]));
        assert!(checked(&[]).is_err() && checked(&[" "]).is_err() && checked(&["a\n"; 51]).is_err());
        assert!(Target::Device(String::new()).checked().is_err());
    }
}
