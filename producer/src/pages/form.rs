//! The produce form: its fields, what was typed, and what is wrong with it.

use std::{collections::HashMap, time::Duration};

use common::problem::Problem;

use crate::{
    config::{Settings, words},
    receiver::{HARDWARE, below},
};

/// One input with what belongs to it.
pub struct Field {
    pub name: &'static str,
    pub class: &'static str,
    pub label: &'static str,
    pub value: String,
    pub placeholder: String,
    pub hint: String,
    pub inputmode: &'static str,
    pub error: Option<String>,
    /// The placeholder while *Hardware* is chosen; `None`: it is for made-up tasks only.
    pub of_hardware: Option<String>,
}

pub struct Form {
    /// What is wrong with the whole of it.
    pub error: Option<String>,
    /// What one press does when no field is touched.
    pub summary: String,
    /// The same while *Hardware* is chosen.
    pub summary_of_hardware: String,
    /// Whether *Hardware* is chosen.
    pub is_hardware: bool,
    /// Whether the options are unfolded.
    pub open: bool,
    pub fields: Vec<Field>,
}

impl Form {
    /// Nothing typed: the placeholders say what happens then.
    pub fn new(settings: &Settings) -> Self {
        let (least, most) = (settings.min_nbr_tasks, settings.max_nbr_tasks);
        let field = |name, label, placeholder: String, hint: String| Field {
            name,
            class: "",
            label,
            value: String::new(),
            placeholder,
            hint,
            inputmode: "text",
            error: None,
            of_hardware: None,
        };
        let receiver = below(&settings.webhook_receiver_url, HARDWARE);
        let seed = settings.seed.unwrap_or(0).to_string();
        let fields = vec![
            Field {
                inputmode: "numeric",
                ..field("count", "Number of tasks", format!("random, {least} to {most}"), String::new())
            },
            Field {
                of_hardware: Some(words(Duration::ZERO)),
                ..field("wait", "Wait between tasks", words(settings.wait_time), "e.g. 200ms; 0: full speed".into())
            },
            Field { inputmode: "numeric", ..field("seed", "Seed", seed, "same seed, same tasks".into()) },
            field("weights", "Weights", "1,1,1,1".into(), "Low, Moderate, Major, Critical".into()),
            Field {
                class: "wide",
                inputmode: "url",
                of_hardware: Some(receiver.to_string()),
                ..field("to", "Receiver", settings.webhook_receiver_url.to_string(), String::new())
            },
        ];
        let pace = if settings.wait_time.is_zero() {
            "at full speed".into()
        } else {
            format!("one every {}", words(settings.wait_time))
        };
        let summary = format!("{least} to {most} tasks, {pace}, to {}", settings.webhook_receiver_url);
        let summary_of_hardware = format!("this machine's sensors and what DEVICES names, to {receiver}");
        Self { error: None, summary, summary_of_hardware, is_hardware: false, open: false, fields }
    }

    /// The form as it was sent, with the problem beside the field it names.
    pub fn refused(settings: &Settings, body: &[u8], problem: &Problem) -> Self {
        let mut form = Self::new(settings);
        let sent: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        let named = problem.member("field").and_then(|name| name.as_str());
        for field in &mut form.fields {
            field.value = sent.get(field.name).cloned().unwrap_or_default();
            field.error = (named == Some(field.name)).then(|| without_name(&problem.detail, field.name));
        }
        form.is_hardware = sent.get("source").is_some_and(|source| source == HARDWARE);
        form.open = true;
        form.error = form.fields.iter().all(|field| field.error.is_none()).then(|| problem.detail.clone());
        form
    }
}

/// The sentence without the field's name in front: it stands under the field.
fn without_name(detail: &str, name: &str) -> String {
    let rest = detail.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(detail);
    let mut letters = rest.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Cli;

    #[test]
    fn what_was_typed_stays_and_the_error_stands_beside_its_field() {
        let settings = Cli::parse_from(["producer"]).settings;
        let problem = Problem::bad_request("count: write a whole number between 1 and 9.").with("field", "count");
        let form = Form::refused(&settings, b"count=x&seed=7", &problem);
        let shown: Vec<_> = form.fields.iter().map(|field| (field.value.as_str(), field.error.as_deref())).collect();
        assert_eq!(shown[0], ("x", Some("Write a whole number between 1 and 9.")));
        assert_eq!((shown[2], form.open, form.error), (("7", None), true, None));
        let whole = Form::refused(&settings, b"", &Problem::bad_request("The body is too large."));
        assert_eq!(whole.error.as_deref(), Some("The body is too large."));
    }
}
