//! What a list shows of an event: the name for it that says most, and its task.

use std::{borrow::Cow, collections::HashMap};

use common::{task::Task, time::rfc3339};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Event, object};

/// What a list shows of an event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Summary<'a> {
    pub offset: i64,
    pub id: &'a str,
    /// RFC 3339, UTC.
    pub received_at: String,
    pub source: &'a str,
    /// `Low`, `Moderate`, `Major`, `Critical` or `other`.
    pub priority: &'a str,
    /// The owner of a task; else what names the event best.
    pub title: String,
    /// Who or what it is of, where the rules of its source say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'a str>,
    /// A device said how things stand, not that something changed.
    pub snapshot: bool,
    /// How often the same reading of a device came again without a change.
    pub repeats: i64,
    /// When it last did: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_at: Option<String>,
    /// Bytes of the body.
    pub size: usize,
    /// The body when it is a task of the streaming tutorial, else null.
    pub task: Option<Task>,
}

impl Event {
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            offset: self.offset,
            id: &self.id,
            received_at: rfc3339(self.received_ms),
            source: &self.source,
            priority: self.rank.as_str(),
            title: self.shown.title.clone().unwrap_or_else(|| title(&self.body)),
            owner: self.shown.owner.as_deref(),
            snapshot: self.shown.snapshot,
            repeats: self.repeats,
            repeated_at: self.repeated_ms.map(rfc3339),
            size: self.body.len(),
            task: object(&self.body).map(shown),
        }
    }
}

const TITLE_CHARS: usize = 120;
const MAX_TASK_CHARS: usize = 200;

/// Members that name an event for a person, the best first.
const NAMES: [&str; 7] = ["owner", "title", "name", "event", "type", "alias", "message"];

/// The first member that names the event for a person, a device's `dev` and `circuit` where it has no name, or the beginning of its JSON.
#[must_use]
pub fn title(body: &str) -> String {
    let members: HashMap<Cow<str>, &RawValue> = object(body).unwrap_or_default();
    let text = |name: &str| {
        let text = serde_json::from_str::<String>(members.get(name)?.get()).ok();
        text.filter(|text| !text.trim().is_empty())
    };
    let device = || Some(format!("{} {}", text("dev")?, text("circuit")?));
    let device = || text("alias").or_else(|| text("name")).filter(|_| members.contains_key("dev")).or_else(device);
    let named = device().or_else(|| NAMES.iter().find_map(|name| text(name)));
    let text = named.map_or(Cow::Borrowed(body), Cow::Owned);
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(TITLE_CHARS).collect()
}

/// A list shows many tasks at once: of long texts it shows the beginning.
fn shown(task: Task) -> Task {
    let cut = |text: String| text.chars().take(MAX_TASK_CHARS).collect();
    Task { batchid: cut(task.batchid), owner: cut(task.owner), ..task }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Rank, Record, Shown};

    #[test]
    fn an_event_is_named_by_its_owner_or_by_what_names_it_best() {
        let cases = [
            (r#"{"owner":"Norma Fisher","priority":"Low"}"#, "Norma Fisher"),
            (r#"{"type":"invoice.paid","owner":" "}"#, "invoice.paid"),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"owner":"Norma","type":5}"#, "Norma"),
            (r#"{"owner":7,"title":"seven"}"#, "seven"),
            (r#"{"dev":"di","circuit":"1_01","value":1}"#, "di 1_01"),
            (r#"{"dev":"do","circuit":"1_03","value":1,"alias":"al_pump"}"#, "al_pump"),
            (r#"{"dev":"temp","circuit":"28","type":"DS18B20"}"#, "temp 28"),
            (r#"{"dev":7,"circuit":"28","name":"CO2"}"#, "CO2"),
            (r#"["Norma"]"#, r#"["Norma"]"#),
            ("{\"owner\":\"a\\nb\"}", "a b"),
        ];
        for (body, expected) in cases {
            assert_eq!(title(body), expected, "{body}");
        }
        assert_eq!(title(&format!(r#"{{"owner":"{}"}}"#, "ä".repeat(500))).chars().count(), TITLE_CHARS);
    }

    #[test]
    fn a_task_is_shown_as_a_task_and_nothing_else_is() {
        let task = |body: &str| {
            let record = Record {
                offset: 1,
                id: "a".into(),
                source: "s".into(),
                rank: Rank::Other,
                received_ms: 0,
                request: "{}".into(),
                body: body.into(),
                shown: Shown::default(),
                device: None,
                repeats: 0,
                repeated_ms: None,
            };
            Event::from(record).summary().task
        };
        assert!(task(r#"{"batchid":"b","id":1,"owner":"o","priority":"Low","more":1}"#).is_some());
        for other in
            [r#"{"batchid":"b","id":1,"owner":"o","priority":"Urgent"}"#, r#"{"dev":"do"}"#, r#"["b",1,"o","Low"]"#]
        {
            assert!(task(other).is_none(), "{other}");
        }
        let long = "ä".repeat(500);
        let task = task(&format!(r#"{{"batchid":"{long}","id":1,"owner":"{long}","priority":"Low"}}"#)).unwrap();
        assert_eq!((task.owner.chars().count(), task.batchid.chars().count()), (200, 200));
    }
}
