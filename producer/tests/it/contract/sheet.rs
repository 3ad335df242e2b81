//! Rows of the contract as values; a sheet plays them, and reports all that failed together.

use std::{cell::RefCell, ops::RangeInclusive};

use serde_json::{Map, Value};

use crate::support::{
    stage::is_hex40,
    wire::{Request, Told, Wire},
};

/// One row: a request, and what has to come back.
pub struct Row {
    pub id: &'static str,
    pub request: Request,
    status: RangeInclusive<u16>,
    body: Body,
}

/// The row has this status and body.
pub fn row(id: &'static str, request: Request, status: u16, body: Body) -> Row {
    Row { id, request, status: status..=status, body }
}

/// The row is a client's mistake, answered with some 4xx and words.
pub fn refused(id: &'static str, request: Request) -> Row {
    Row { id, request, status: 400..=499, body: Body::Words }
}

/// The row is anything but a failure of the server, in JSON.
pub fn harmless(id: &'static str, request: Request) -> Row {
    Row { id, request, status: 200..=499, body: Body::AnyJson }
}

/// `{"Error": text}`
pub fn error(text: &'static str) -> Body {
    Body::Is(serde_json::json!({ "Error": text }))
}

/// The six counters, of which one counts something.
pub fn counts(name: &str, number: i64) -> Body {
    let names = ["deleted", "errors", "inserted", "replaced", "skipped", "unchanged"];
    let count = |each: &str| (each.to_owned(), Value::from(if each == name { number } else { 0 }));
    Body::Is(Value::Object(names.iter().map(|each| count(each)).collect()))
}

/// What a body has to be.
#[derive(Clone, Debug)]
pub enum Body {
    /// No byte.
    Empty,
    /// These bytes, of this type.
    Text(&'static str, &'static str),
    /// A page that contains this.
    Page(&'static str),
    /// Exactly this, as JSON.
    Is(Value),
    /// An object with this key at least.
    Has(&'static str),
    /// `{"Error": text}` with some text.
    Words,
    AnyJson,
    /// An object with exactly these keys.
    Record(Vec<(&'static str, Kind)>),
    /// An object whose key holds so many records, with this `next_start` or without any.
    List(&'static str, usize, Option<i64>),
}

/// What a value has to be.
#[derive(Clone, Debug)]
pub enum Kind {
    Hex40,
    Uuid,
    Epoch,
    /// A text that does not contain this one.
    Hash(String),
    Is(Value),
}

pub fn is(value: impl Into<Value>) -> Kind {
    Kind::Is(value.into())
}

impl Kind {
    pub fn fits(&self, value: &Value) -> bool {
        let text = value.as_str().unwrap_or_default();
        match self {
            Self::Hex40 => is_hex40(text),
            Self::Uuid => uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text),
            Self::Epoch => value.is_f64() && value.as_f64().is_some_and(|epoch| (1.6e9..1e10).contains(&epoch)),
            Self::Hash(plain) => !text.is_empty() && !text.contains(plain),
            Self::Is(expected) => value == expected,
        }
    }
}

impl Body {
    fn fits(&self, told: &Told) -> bool {
        let typed = |expected: &str| told.content_type == expected;
        let is_json = typed("application/json") && !told.text.is_empty();
        match self {
            Self::Empty => told.text.is_empty(),
            Self::Text(text, content_type) => told.text == *text && typed(content_type),
            Self::Page(part) => told.content_type.starts_with("text/html") && told.text.contains(part),
            Self::Is(expected) => is_json && told.json == *expected,
            Self::Has(key) => is_json && told.json.get(key).is_some(),
            Self::Words => is_json && only_key(&told.json).is_some_and(|text| !text.is_empty()),
            Self::AnyJson => is_json && serde_json::from_str::<Value>(&told.text).is_ok(),
            Self::Record(kinds) => is_json && told.json.as_object().is_some_and(|record| fit(record, kinds)),
            Self::List(key, count, next) => is_json && is_list(&told.json, key, *count, *next),
        }
    }
}

/// The text of an object that is nothing but an error.
fn only_key(json: &Value) -> Option<&str> {
    json.as_object().filter(|object| object.len() == 1)?.get("Error")?.as_str()
}

fn fit(record: &Map<String, Value>, kinds: &[(&str, Kind)]) -> bool {
    record.len() == kinds.len()
        && kinds.iter().all(|(key, kind)| record.get(*key).is_some_and(|value| kind.fits(value)))
}

fn is_list(json: &Value, key: &str, count: usize, next: Option<i64>) -> bool {
    let records = json[key].as_array().map(Vec::len);
    let keys = json.as_object().map_or(0, Map::len);
    records == Some(count)
        && json.get("next_start").and_then(Value::as_i64) == next
        && keys == 1 + usize::from(next.is_some())
}

/// Plays rows.
pub struct Sheet {
    wire: Wire,
    failures: RefCell<Vec<String>>,
}

impl Sheet {
    pub fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), failures: RefCell::default() }
    }

    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Plays one row; gives what came back, right or not.
    pub async fn play(&self, row: Row) -> Told {
        let told = self.wire.send(&row.request).await;
        if !(row.status.contains(&told.status) && row.body.fits(&told)) {
            let (expected, Told { status, text, content_type, .. }) = (Self::words(&row), &told);
            self.fail(row.id, &format!("expected {expected}, got {status} {content_type:?} {text:?}"));
        }
        told
    }

    pub async fn all(&self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            self.play(row).await;
        }
    }

    /// What else has to hold for the row.
    pub fn holds(&self, id: &str, holds: bool, what: &str) {
        if !holds {
            self.fail(id, what);
        }
    }

    /// What else has to be equal for the row.
    pub fn same<T: PartialEq + std::fmt::Debug>(&self, id: &str, seen: &T, expected: &T) {
        if seen != expected {
            self.fail(id, &format!("expected {expected:?}, got {seen:?}"));
        }
    }

    fn fail(&self, id: &str, what: &str) {
        self.failures.borrow_mut().push(format!("{id}: {what}"));
    }

    fn words(row: &Row) -> String {
        let Request { method, path, .. } = &row.request;
        let (from, to) = (row.status.start(), row.status.end());
        let status = if from == to { from.to_string() } else { format!("{from} to {to}") };
        format!("{status} {:?} for {method} {path}", row.body)
    }

    /// Reports every row that failed.
    pub fn end(self) {
        let failures = self.failures.into_inner();
        assert!(failures.is_empty(), "{} rows of the contract fail:\n{}", failures.len(), failures.join("\n"));
    }
}
