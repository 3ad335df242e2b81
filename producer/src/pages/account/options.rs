//! A subscription's options as a form has them: texts, and back.

use common::fields::Fields;
use serde_json::{Map, Value, json};

use crate::{service::options::changed, store::subscriptions::Options};

/// The options as they are typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The name of one; empty: PyWebhooks.
    pub profile: String,
    pub fifo: bool,
    /// Empty: no limit.
    pub rate: String,
    /// Patterns of event names, one a line; empty: all.
    pub events: String,
    /// JSON: the tests of the data; empty: none.
    pub tests: String,
    /// One `Name: value` a line.
    pub headers: String,
}

impl Typed {
    pub fn of(options: &Options) -> Self {
        let read = |json: &Option<String>| json.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let filter: Value = read(&options.filter).unwrap_or_default();
        let headers: Map<String, Value> =
            options.headers.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let texts = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let events: Vec<String> = texts(&filter["events"]);
        let lines = headers.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()));
        Self {
            profile: options.profile.as_str().to_owned(),
            fifo: options.fifo,
            rate: if options.rate_per_minute > 0 { options.rate_per_minute.to_string() } else { String::new() },
            events: events.join("\n"),
            tests: if filter["data"].is_null() { String::new() } else { filter["data"].to_string() },
            headers: lines.collect::<Vec<_>>().join("\n"),
        }
    }

    pub fn read(fields: &Fields) -> Self {
        Self {
            profile: fields.owned("profile"),
            fifo: !fields.get("fifo").is_empty(),
            rate: fields.owned("rate"),
            events: fields.owned("events"),
            tests: fields.owned("tests"),
            headers: fields.owned("headers"),
        }
    }

    /// # Errors
    /// Says what to change.
    pub fn options(&self) -> Result<Options, String> {
        let rate =
            if self.rate.is_empty() { Value::Null } else { self.rate.parse::<i64>().map_or(json!("?"), Value::from) };
        let members = [
            ("profile", if self.profile.is_empty() { Value::Null } else { json!(self.profile) }),
            ("fifo", json!(self.fifo)),
            ("rate_per_minute", rate),
            ("filter", self.filter()?),
            ("headers", self.own_headers()?),
        ];
        members
            .into_iter()
            .try_fold(Options::default(), |options, (name, value)| changed(options, (name.to_owned(), value)))
    }

    fn filter(&self) -> Result<Value, String> {
        let events: Vec<&str> = self.events.lines().map(str::trim).filter(|event| !event.is_empty()).collect();
        let mut filter = Map::new();
        if !events.is_empty() {
            filter.insert("events".into(), json!(events));
        }
        if !self.tests.is_empty() {
            let tests = serde_json::from_str(&self.tests).map_err(|error| {
                format!(
                    "Conditions: this is not JSON ({error}); write [{{\"pointer\": \"/amount\", \"greater\": 100}}]"
                )
            })?;
            filter.insert("data".into(), tests);
        }
        Ok(if filter.is_empty() { Value::Null } else { filter.into() })
    }

    fn own_headers(&self) -> Result<Value, String> {
        let mut headers = Map::new();
        for line in self.headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) =
                line.split_once(':').ok_or_else(|| format!("Headers: write Name: value, not {line:?}"))?;
            let name = name.trim();
            if headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(format!("Headers: {name} stands there twice; write it once"));
            }
            headers.insert(name.to_owned(), value.trim().into());
        }
        Ok(if headers.is_empty() { Value::Null } else { headers.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        Typed {
            profile: "standard".into(),
            fifo: true,
            rate: "600".into(),
            events: "order.*\nx,y".into(),
            tests: r#"[{"greater":100,"pointer":"/amount"}]"#.into(),
            headers: "X-Place: here\n".into(),
        }
    }

    #[test]
    fn what_is_typed_is_stored_and_shown_again() {
        let options = typed().options().unwrap();
        assert_eq!(
            options.filter.as_deref(),
            Some(r#"{"data":[{"greater":100,"pointer":"/amount"}],"events":["order.*","x,y"]}"#)
        );
        assert_eq!(Typed::of(&options), Typed { headers: "X-Place: here".into(), ..typed() });
        let default = Typed { profile: "pywebhooks".into(), ..Typed::default() };
        assert_eq!(Typed::of(&Typed::default().options().unwrap()), default);
        let bare = Typed { profile: "bare".into(), ..typed() };
        assert_eq!(Typed::of(&bare.options().unwrap()).profile, "bare");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (typed, name) in [
            (Typed { profile: "tasks".into(), ..typed() }, "profile"),
            (Typed { rate: "-1".into(), ..typed() }, "rate_per_minute"),
            (Typed { tests: "{".into(), ..typed() }, "Conditions"),
            (Typed { headers: "nonsense".into(), ..typed() }, "Headers"),
            (Typed { headers: "Host: a".into(), ..typed() }, "headers"),
            (Typed { headers: "a: 1\nA: 2".into(), ..typed() }, "Headers"),
        ] {
            assert!(typed.options().unwrap_err().starts_with(name), "{typed:?}");
        }
    }
}
