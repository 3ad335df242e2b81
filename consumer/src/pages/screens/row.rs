//! A device as a row of the list, and as the head of its own page.

use common::page::Stamp;

use crate::{
    actions::screens::showing::{Kind as Shown, Showing},
    store::actions::devices::{Device, Kind},
};

/// What is shown, as a small picture: a colour by its class, and a symbol for who does not see the colour.
pub struct Thumbnail {
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: &'static str,
    pub label: String,
}

impl Thumbnail {
    fn of(showing: Showing) -> Self {
        let (class, symbol, word) = match showing.kind {
            Shown::Web => ("moderate", "◱", "Page"),
            Shown::Image => ("low", "▣", "Image"),
            Shown::Dashboard => ("moderate", "▥", "Dashboard"),
            Shown::Card => ("low", "▤", "Card"),
            Shown::Emergency => ("critical", "◆", "Emergency"),
            Shown::Url => ("major", "↗", "Loaded page"),
            Shown::Rule => ("major", "⚑", "Rule"),
            Shown::Snoozed => ("other", "☾", "Snoozed"),
            Shown::Paused => ("other", "❚❚", "Paused"),
        };
        Self { class, symbol, word, label: showing.label }
    }
}

pub struct DeviceRow {
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    pub is_screen: bool,
    pub is_evok: bool,
    pub online: bool,
    pub seen: Option<Stamp>,
    pub showing: Option<Thumbnail>,
    pub groups: Vec<String>,
    pub tags: Vec<String>,
    /// As they are typed.
    pub groups_typed: String,
    pub tags_typed: String,
}

impl DeviceRow {
    pub fn of(device: Device, showing: Option<Showing>, now_ms: i64) -> Self {
        let kind = match device.kind {
            Kind::Screen => "Screen",
            Kind::Client => "Client",
            Kind::Evok => "Evok output",
        };
        Self {
            is_screen: device.kind == Kind::Screen,
            is_evok: device.kind == Kind::Evok,
            kind,
            online: device.online_until_ms > now_ms,
            seen: device.last_seen_ms.map(|at_ms| Stamp::of(at_ms, now_ms)),
            showing: showing.map(Thumbnail::of),
            groups_typed: device.groups.join(", "),
            tags_typed: device.tags.join(", "),
            id: device.id,
            name: device.name,
            groups: device.groups,
            tags: device.tags,
        }
    }
}
