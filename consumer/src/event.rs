//! An event of the log: what one webhook said, where it came from, and its place in the order.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use common::{
    task::{Priority, Task},
    time::rfc3339,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::{RawValue, to_raw_value};

use crate::{devices::Reading, firing::Fire};

/// The source of the events that executions are.
pub const ACTIONS: &str = "actions";

/// A bar of the chart: a task's priority, or whatever has none of the four. Written as its place among the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "i64", from = "i64")]
pub enum Rank {
    Task(Priority),
    Other,
}

impl Rank {
    pub const ALL: [Self; 5] = [
        Self::Task(Priority::Low),
        Self::Task(Priority::Moderate),
        Self::Task(Priority::Major),
        Self::Task(Priority::Critical),
        Self::Other,
    ];

    /// Its place among the bars, 0 to 4; stored in the column `priority`.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Task(priority) => priority as usize,
            Self::Other => 4,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task(priority) => priority.as_str(),
            Self::Other => "other",
        }
    }

    /// The rank of that name; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.as_str() == name)
    }

    /// The rank of what is no alarm, such as how things stand at a start: at most Low.
    #[must_use]
    pub const fn calm(self) -> Self {
        match self {
            Self::Task(_) => Self::Task(Priority::Low),
            Self::Other => Self::Other,
        }
    }

    /// The rank of what says its priority itself, in one of the four words, as the tutorial's task does; `None` for everything else, and for
    /// devices, which have rules.
    ///
    /// It is the shortest way to what the built-in rules say of a task, and must say the same.
    #[must_use]
    pub fn of_task(body: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Probe<'a> {
            #[serde(borrow)]
            priority: Option<Cow<'a, str>>,
            dev: Option<IgnoredAny>,
            circuit: Option<IgnoredAny>,
        }
        let probe = object::<Probe>(body)?;
        let is_device = probe.dev.is_some() && probe.circuit.is_some();
        probe.priority.filter(|_| !is_device)?.parse().ok().map(Self::Task)
    }
}

impl From<i64> for Rank {
    /// The rank at a place, `other` for a place that no bar has.
    fn from(index: i64) -> Self {
        usize::try_from(index).ok().and_then(|index| Self::ALL.get(index).copied()).unwrap_or(Self::Other)
    }
}

impl From<Rank> for i64 {
    fn from(rank: Rank) -> Self {
        Self::try_from(rank.index()).unwrap_or(4)
    }
}

/// The body as `T` when it is a JSON object; serde reads the elements of an array as a struct's members too.
fn object<'a, T: Deserialize<'a>>(body: &'a str) -> Option<T> {
    body.starts_with('{').then(|| serde_json::from_str(body).ok())?
}

/// An event that has not got its place yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The sender's `webhook-id`; `None`: it sent none, and every request is an event of its own.
    pub webhook_id: Option<String>,
    pub source: Arc<str>,
    pub rank: Rank,
    pub received_ms: i64,
    pub request: Arc<str>,
    pub body: String,
    pub shown: Shown,
    /// What it says of a device, if it is a reading.
    pub reading: Option<Box<Reading>>,
    /// What rules fire with it; nothing when it turns out to be a repeat.
    pub fires: Vec<Fire>,
}

/// What is said of an event for people that its body does not say plainly; stored as JSON, and empty for most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A device said how things stand, not that something changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub snapshot: bool,
}

impl Shown {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        [&self.title, &self.owner].into_iter().flatten().map(|text| text.len() + 20).sum()
    }
}

/// An event of the log.
#[derive(Debug)]
pub struct Event {
    record: Record,
    /// The body as a JSON string, for the tutorial's clients; made when the first of them is there.
    quoted: OnceLock<Box<RawValue>>,
}

/// What another node, or the database, tells of an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its place: 1, 2, 3 … without holes.
    pub offset: i64,
    pub id: String,
    pub source: Arc<str>,
    pub rank: Rank,
    pub received_ms: i64,
    pub request: Arc<str>,
    pub body: String,
    #[serde(default, skip_serializing_if = "Shown::is_empty")]
    pub shown: Shown,
    /// The device whose reading it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<i64>,
    /// How often the same reading came again, and when it last did.
    #[serde(default)]
    pub repeats: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated_ms: Option<i64>,
}

/// How often the reading that an event is came again, and when it last did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    pub offset: i64,
    pub repeats: i64,
    pub repeated_ms: i64,
}

impl From<Record> for Event {
    fn from(record: Record) -> Self {
        Self { record, quoted: OnceLock::new() }
    }
}

impl Deref for Event {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

impl Event {
    /// The argument of `msg`: a JSON string that holds the event's JSON.
    ///
    /// # Panics
    /// Never: a text is always a JSON string.
    #[must_use]
    pub fn quoted(&self) -> &RawValue {
        self.quoted.get_or_init(|| to_raw_value(&self.body).expect("a text is always a JSON string"))
    }

    /// About how many bytes it takes on the way to the database.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.body.len() + self.request.len() + self.id.len() + self.source.len() + self.shown.size() + 60
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.body.len() * 2 + self.request.len() + self.id.len() + self.shown.size() + 200
    }

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

    #[test]
    fn what_says_one_of_the_four_priorities_is_seen_at_once() {
        let cases = [
            (r#"{"priority":"Low"}"#, Some(Priority::Low)),
            (r#"{"owner":"x","priority":"Cr\u0069tical","dev":"x"}"#, Some(Priority::Critical)),
            (r#"{"priority":"Low","dev":"ai","circuit":"1"}"#, None),
            (r#"{"priority":"low"}"#, None),
            (r#"{"priority":7}"#, None),
            (r#"{"priority":null}"#, None),
            (r#"{"a":1}"#, None),
            ("7", None),
            (r#"["Low"]"#, None),
        ];
        for (body, expected) in cases {
            assert_eq!(Rank::of_task(body), expected.map(Rank::Task), "{body}");
        }
    }

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
