//! What a screen shows by itself: the items of its loop, where it gets data from, and what sensors make it show.

use common::{key, yaml};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::super::{
    call::is_plain,
    functions::{color, text, url},
};

const MAX_ITEMS: usize = 100;
const MAX_DATASOURCES: usize = 20;
const MAX_RULES: usize = 50;
const MAX_WORD_CHARS: usize = 256;
/// Half of the hash is enough to see that something changed.
const VERSION_CHARS: usize = 16;
const DAY_S: u32 = 86_400;
const LEAST_EVERY_S: u32 = 5;
const USUAL_SECONDS: u32 = 30;

/// The content of a screen, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Content {
    pub items: Vec<Item>,
    pub datasources: Vec<Datasource>,
    pub rules: Vec<Rule>,
}

/// A part of the loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Item {
    #[serde(flatten)]
    pub show: Show,
    pub seconds: u32,
}

/// Something to be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Show {
    Web {
        url: String,
    },
    Image {
        url: String,
    },
    Dashboard {},
    Card {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        text: String,
        /// Whose members stand in the text as `{{a.b}}`.
        #[serde(skip_serializing_if = "Option::is_none")]
        datasource: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        color: Option<String>,
    },
}

/// JSON that the server fetches for the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Datasource {
    pub name: String,
    pub url: String,
    pub every_seconds: u32,
}

/// What is shown when a sensor says something; it matches when each of its members is equal to what the sensor said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub show: Show,
    pub seconds: u32,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sensor: Option<String>,
    event: Option<String>,
    value: Option<Value>,
    show: Show,
    seconds: u32,
}

impl Default for Content {
    /// The dashboard, and nothing else.
    fn default() -> Self {
        let item = Item { show: Show::Dashboard {}, seconds: USUAL_SECONDS };
        Self { items: vec![item], datasources: Vec::new(), rules: Vec::new() }
    }
}

impl Content {
    /// What is stored, as it was checked; the default where nothing is.
    #[must_use]
    pub fn stored(json: Option<&str>) -> Self {
        let value = json.and_then(|json| serde_json::from_str(json).ok());
        value.and_then(|value| Self::read(value).ok()).unwrap_or_default()
    }

    /// Reads and checks what somebody wrote.
    ///
    /// # Errors
    /// Says which member is wrong, and what it is.
    pub fn read(value: Value) -> Result<Self, String> {
        let mut members = object(value)?;
        let items = each(&mut members, "items", MAX_ITEMS, item)?;
        let datasources = each(&mut members, "datasources", MAX_DATASOURCES, datasource)?;
        let rules = each(&mut members, "rules", MAX_RULES, rule)?;
        if let Some(name) = members.keys().next() {
            return Err(format!("there is no member {name}; there are items, datasources and rules"));
        }
        if items.is_empty() {
            return Err(format!("items has 1 to {MAX_ITEMS} of them"));
        }
        let content = Self { items, datasources, rules };
        content.check_names()?;
        Ok(content)
    }

    /// Names of datasources are unique, and those that cards speak of are there.
    fn check_names(&self) -> Result<(), String> {
        let names: Vec<&str> = self.datasources.iter().map(|one| one.name.as_str()).collect();
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(format!("datasources[{at}]: name: there is another datasource {name}"));
            }
        }
        let items = self.items.iter().enumerate().map(|(at, item)| (format!("items[{at}]"), &item.show));
        let rules = self.rules.iter().enumerate().map(|(at, rule)| (format!("rules[{at}]: show"), &rule.show));
        for (place, show) in items.chain(rules) {
            if let Show::Card { datasource: Some(name), .. } = show
                && !names.contains(&name.as_str())
            {
                return Err(format!("{place}: datasource: there is no datasource {name}; add it, or leave it out"));
            }
        }
        Ok(())
    }

    /// As it is stored.
    ///
    /// # Panics
    /// Never: texts and numbers are always JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    /// Another one when the content is another.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hash = key::hex(&key::sha256(self.json().as_bytes()));
        hash.truncate(VERSION_CHARS);
        hash
    }
}

fn object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("it is a JSON object".into()),
    }
}

/// Each element of a list that may be missing; errors begin with its place.
fn each<T>(
    members: &mut Map<String, Value>,
    name: &str,
    max: usize,
    read: fn(Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = match members.remove(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= max => list,
        Some(Value::Array(list)) => return Err(format!("{name} has at most {max} of them, not {}", list.len())),
        Some(_) => return Err(format!("{name} is a list")),
    };
    let one =
        |(at, value): (usize, Value)| object(value).and_then(read).map_err(|error| format!("{name}[{at}]: {error}"));
    list.into_iter().enumerate().map(one).collect()
}

fn typed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())
}

fn item(mut members: Map<String, Value>) -> Result<Item, String> {
    let length = members.remove("seconds").ok_or_else(|| wrong_seconds("seconds", 1))?;
    let length: Option<u32> = serde_json::from_value(length).ok();
    let length = seconds("seconds", length.unwrap_or(0), 1)?;
    let show = typed(members)?;
    check(&show)?;
    Ok(Item { show, seconds: length })
}

fn check(show: &Show) -> Result<(), String> {
    match show {
        Show::Web { url: it } | Show::Image { url: it } => url(it),
        Show::Dashboard {} => Ok(()),
        Show::Card { title, text: it, color: of, datasource: _ } => {
            text("text", it)?;
            title.as_deref().map_or(Ok(()), |title| text("title", title))?;
            color(of.as_deref())
        }
    }
}

fn datasource(members: Map<String, Value>) -> Result<Datasource, String> {
    let it: Datasource = typed(members)?;
    if it.name.is_empty() {
        return Err("name is missing".into());
    }
    yaml::check_name(&it.name)?;
    url(&it.url)?;
    let address: url::Url = it.url.parse().map_err(|error| format!("url: {error}"))?;
    if !address.username().is_empty() || address.password().is_some() {
        return Err("url may carry no user name or password: they would be shown and stored".into());
    }
    seconds("every_seconds", it.every_seconds, LEAST_EVERY_S)?;
    Ok(it)
}

fn rule(members: Map<String, Value>) -> Result<Rule, String> {
    let Written { sensor, event, value, show, seconds: length } = typed(members)?;
    let value = value.map(as_text).transpose()?;
    for (name, word) in [("sensor", &sensor), ("event", &event), ("value", &value)] {
        if !word.as_deref().is_none_or(|word| is_plain(word, MAX_WORD_CHARS)) {
            return Err(format!("{name} has at most {MAX_WORD_CHARS} characters and no control character"));
        }
    }
    check(&show).map_err(|error| format!("show: {error}"))?;
    Ok(Rule { sensor, event, value, show, seconds: seconds("seconds", length, 1)? })
}

/// A value is compared as text, so it is kept as one.
fn as_text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err("value is a text, a number, true or false".into()),
    }
}

fn seconds(name: &str, seconds: u32, least: u32) -> Result<u32, String> {
    if (least..=DAY_S).contains(&seconds) { Ok(seconds) } else { Err(wrong_seconds(name, least)) }
}

fn wrong_seconds(name: &str, least: u32) -> String {
    format!("{name} is a whole number from {least} to {DAY_S}")
}

#[cfg(test)]
mod tests;
