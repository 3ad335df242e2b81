//! What the pages know of each function: its name for people, and the fields of its form.

use std::collections::BTreeSet;

use common::fields::Fields;
use serde_json::{Map, Value};

use crate::actions::functions::Function;

/// A function, as people choose it.
pub struct Kind {
    pub function: Function,
    pub label: &'static str,
    pub lead: &'static str,
    fields: &'static [Field],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Line,
    Text,
    /// Whole and not below 0.
    Number,
    /// Any number.
    Value,
    Check,
}

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    shape: Shape,
    /// It is sent also when nothing was typed, to be told that it is missing.
    is_needed: bool,
}

/// A field with what stands in it.
pub struct FormField {
    pub name: String,
    pub label: &'static str,
    pub hint: &'static str,
    pub value: String,
    pub is_text: bool,
    pub is_number: bool,
    pub is_check: bool,
}

const fn field(name: &'static str, label: &'static str, hint: &'static str, shape: Shape) -> Field {
    Field { name, label, hint, shape, is_needed: false }
}

const fn needed(name: &'static str, label: &'static str, hint: &'static str, shape: Shape) -> Field {
    Field { name, label, hint, shape, is_needed: true }
}

const fn kind(function: Function, label: &'static str, lead: &'static str, fields: &'static [Field]) -> Kind {
    Kind { function, label, lead, fields }
}

const SECONDS: &str = "Whole seconds.";

pub const KINDS: &[Kind] = &[
    kind(
        Function::EnableEmergency,
        "Enable emergency",
        "Full screen, above everything else, until it ends.",
        &[
            needed("text", "Message", "What people are to do.", Shape::Text),
            field("title", "Title", "", Shape::Line),
            field("color", "Colour", "Empty: #b00020.", Shape::Line),
            field("seconds", "Ends by itself after", "Whole seconds. Empty: until it is disabled.", Shape::Number),
            field("sound", "With a sound", "", Shape::Check),
        ],
    ),
    kind(Function::DisableEmergency, "Disable emergency", "Screens go on where they were.", &[]),
    kind(
        Function::LoadUrl,
        "Load URL",
        "Shows a page over the loop.",
        &[
            needed("url", "Address", "Begins with http:// or https://.", Shape::Line),
            field("seconds", "For", "Whole seconds. Empty: until the loop is resumed.", Shape::Number),
        ],
    ),
    kind(
        Function::ShowToast,
        "Show toast",
        "A short note in the corner.",
        &[needed("text", "Text", "", Shape::Text), field("seconds", "For", SECONDS, Shape::Number)],
    ),
    kind(
        Function::RefreshDatasource,
        "Refresh datasource",
        "Reads what cards show anew.",
        &[field("datasource", "Datasource", "Its name. Empty: all.", Shape::Line)],
    ),
    kind(Function::PauseLoop, "Pause loop", "Stays at what is shown.", &[]),
    kind(Function::ResumeLoop, "Resume loop", "Goes on with the loop.", &[]),
    kind(
        Function::SendSensorEventData,
        "Send sensor event data",
        "Hands on what the call says of a sensor; rules of the screens decide.",
        &[],
    ),
    kind(Function::RefreshContent, "Refresh content", "Reads what is to be shown anew.", &[]),
    kind(Function::RestartDevice, "Restart device", "The page, or the program, starts again.", &[]),
    kind(
        Function::Snooze,
        "Snooze",
        "A black screen.",
        &[field("seconds", "For", "Whole seconds. Empty: until it wakes.", Shape::Number)],
    ),
    kind(Function::Wake, "Wake", "Ends the snooze.", &[]),
    kind(
        Function::SetOutput,
        "Set output",
        "A relay, a lamp or an analog output of a controller with Evok.",
        &[
            needed("dev", "Kind of output", "ro, do, ao, led or relay.", Shape::Line),
            needed("circuit", "Circuit", "As Evok calls it, such as 1_01.", Shape::Line),
            needed("value", "Value", "0 or 1; of an ao 0 to 2000, in V, mA or Ω by its mode.", Shape::Value),
            field("seconds", "Set back after", "Whole seconds. Empty: it stays.", Shape::Number),
        ],
    ),
];

/// The kind of this name; the first where there is none.
pub fn of(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.function.as_str() == name).unwrap_or(&KINDS[0])
}

impl Kind {
    /// The fields, each with what `value` gives for its parameter.
    pub fn form(&self, value: impl Fn(&str) -> String) -> Vec<FormField> {
        let with = |field: &Field| FormField {
            name: format!("p.{}", field.name),
            label: field.label,
            hint: field.hint,
            value: value(field.name),
            is_text: field.shape == Shape::Text,
            is_number: matches!(field.shape, Shape::Number | Shape::Value),
            is_check: field.shape == Shape::Check,
        };
        self.fields.iter().map(with).collect()
    }

    /// Names and values of the fields that only other functions have, without the empty ones.
    pub fn others(&self, value: impl Fn(&str) -> String) -> Vec<(String, String)> {
        let own = |name: &str| self.fields.iter().any(|field| field.name == name);
        let names: BTreeSet<&str> = KINDS.iter().flat_map(|kind| kind.fields).map(|field| field.name).collect();
        let others = names.into_iter().filter(|name| !own(name)).map(|name| (format!("p.{name}"), value(name)));
        others.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The parameters that a form describes; whether they are good, the function says.
    pub fn parameters(&self, typed: &Fields) -> Value {
        let mut parameters = Map::new();
        for field in self.fields {
            let text = typed.get(&format!("p.{}", field.name)).replace("\r\n", "\n");
            let value = match field.shape {
                Shape::Check => Value::from(!text.is_empty()),
                Shape::Number => text.parse::<u32>().map_or_else(|_| Value::from(text.clone()), Value::from),
                Shape::Value => {
                    text.parse::<serde_json::Number>().map_or_else(|_| Value::from(text.clone()), Value::from)
                }
                Shape::Line | Shape::Text => Value::from(text.clone()),
            };
            if field.is_needed || !text.is_empty() {
                parameters.insert(field.name.to_owned(), value);
            }
        }
        parameters.into()
    }

    /// The form's field that an error of the parameters names.
    pub fn field_of(&self, error: &str) -> Option<String> {
        let rest = error.split_once(": ").map_or(error, |(_, rest)| rest);
        let is_it =
            |field: &&Field| rest.starts_with(field.name) || (field.shape == Shape::Number && rest.contains("u32"));
        self.fields.iter().find(is_it).map(|field| format!("p.{}", field.name))
    }
}

/// A parameter as a form shows it.
pub fn written(parameter: &Value) -> String {
    match parameter {
        Value::Null | Value::Bool(false) => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_function_can_be_chosen() {
        for name in
            ["load_url", "wake", "snooze", "send_sensor_event_data", "restart_device", "show_toast", "set_output"]
        {
            assert_eq!(of(name).function.as_str(), name);
        }
        assert_eq!(KINDS.len(), 13);
    }

    #[test]
    fn an_error_of_a_parameter_leads_to_its_field() {
        let url = of("load_url").function.check(json!({"url": "javascript:1"})).unwrap_err();
        assert_eq!(of("load_url").field_of(&url).as_deref(), Some("p.url"));
        let seconds = of("snooze").function.check(json!({"seconds": "soon"})).unwrap_err();
        assert_eq!(of("snooze").field_of(&seconds).as_deref(), Some("p.seconds"));
    }
}
