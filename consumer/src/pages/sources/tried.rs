//! Rules tried on a body, before they are saved.

use common::{
    envelope::{self, Limits},
    page::plural,
};
use serde_json::Value;

use super::super::row::{Look, look};
use crate::{
    App,
    event::title,
    firing::Fire,
    rules::{
        Matched, RuleOutcome, Rules, TestOutcome,
        input::{Input, KeptHeaders},
    },
};

const LIMITS: Limits = Limits { max_events: 1000, max_depth: 128 };

/// What the rules make of the body.
pub struct Outcome {
    pub rank: Look,
    pub title: String,
    pub owner: String,
    pub matched: String,
    /// What it fires; with whom that reaches once it is asked.
    pub fires: Vec<Fired>,
    pub rules: Vec<RuleTried>,
}

pub struct Fired {
    pub event_id: String,
    pub words: String,
}

pub struct RuleTried {
    pub matches: bool,
    pub tests: Vec<TestTried>,
}

pub struct TestTried {
    pub holds: bool,
    pub words: String,
}

/// The first event of the body, judged by the rules.
///
/// # Errors
/// Says why nothing can be tried.
pub fn attempt(rules: &str, body: &str, headers_typed: &str) -> Result<Option<Outcome>, String> {
    let rules = Rules::from_yaml(rules)?;
    if body.trim().is_empty() {
        return Err("Paste a body, or choose one that was received.".into());
    }
    let events = envelope::split(body.as_bytes(), LIMITS).map_err(|refusal| refusal.to_string())?;
    let Some(event) = events.first() else { return Err("The array is empty: there is no event in it.".into()) };
    let headers = headers(headers_typed)?;
    let (reading, tried) = rules.explain(&Input { body: event, headers: &|name| headers.get(name) });
    let matched = match reading.rule {
        Some(Matched::Own(index)) => format!("Rule {} matches.", index + 1),
        Some(Matched::BuiltIn(name)) => format!("No rule matches; the built-in ones for {name} do."),
        None => "No rule matches, and no built-in one.".into(),
    };
    let more = if events.len() > 1 {
        format!(" The body has {}; this is the first.", plural(i64::try_from(events.len()).unwrap_or(0), "event"))
    } else {
        String::new()
    };
    let fired = |fire: &Fire| Fired { event_id: fire.event_id.to_string(), words: String::new() };
    Ok(Some(Outcome {
        fires: reading.fires.iter().map(fired).collect(),
        rank: look(reading.rank),
        title: reading.title.unwrap_or_else(|| title(event)),
        owner: reading.owner.unwrap_or_default(),
        matched: matched + &more,
        rules: tried
            .into_iter()
            .zip(rules.written())
            .map(|(outcome, rule)| tried_rule(outcome, rule.when.iter().map(ToString::to_string)))
            .collect(),
    }))
}

impl Outcome {
    /// Says of each event id whom it would reach now.
    pub async fn ask(&mut self, app: &App) {
        for Fired { event_id, words } in &mut self.fires {
            *words = match app.reach(event_id).await {
                Ok(count) => {
                    let devices = plural(i64::try_from(count).unwrap_or(i64::MAX), "device");
                    format!("Would fire {event_id} (reaches {devices}).")
                }
                Err(reason) => format!("Would fire {event_id}, which does nothing: {reason}"),
            };
        }
    }
}

fn tried_rule(outcome: RuleOutcome, words: impl Iterator<Item = String>) -> RuleTried {
    let test = |(test, words): (TestOutcome, String)| {
        let saw = match &test.saw {
            Value::Null => "nothing is there".to_owned(),
            value => format!("{value} is there"),
        };
        TestTried { holds: test.holds, words: format!("{words}: {saw}") }
    };
    RuleTried { matches: outcome.matches, tests: outcome.tests.into_iter().zip(words).map(test).collect() }
}

/// `Name: value`, one a line.
fn headers(text: &str) -> Result<KeptHeaders, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("Headers: write Name: value, not {line:?}."))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(pair).collect()
}
