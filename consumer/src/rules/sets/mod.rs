//! The built-in sets: rules for what many people receive, written as people write theirs.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{
    Matched, Reading, WrittenRule,
    conditions::{Test, WrittenTest},
    input::Facts,
    rule::{self, Rule},
};
use crate::event::Rank;

/// The set of the streaming tutorial's tasks.
pub const TASK: &str = "task";

/// In the order in which they are asked; each as its text stands in its file.
pub const TEXTS: [(&str, &str); 6] = [
    ("evok", include_str!("evok.yaml")),
    (TASK, include_str!("task.yaml")),
    ("github", include_str!("github.yaml")),
    ("alerts", include_str!("alerts.yaml")),
    ("cloudevents", include_str!("cloudevents.yaml")),
    ("changed", include_str!("changed.yaml")),
];

/// A set: the first of its rules that matches speaks, when all of its own tests hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    when: Vec<WrittenTest>,
    rules: Vec<WrittenRule>,
}

struct Set {
    name: &'static str,
    when: Vec<Test>,
    rules: Vec<Rule>,
}

/// Constants that have to be read first.
static SETS: LazyLock<Vec<Set>> = LazyLock::new(|| {
    TEXTS.into_iter().map(|(name, text)| Set::read(name, text).expect("a test reads every set")).collect()
});

impl Set {
    fn read(name: &'static str, text: &str) -> Result<Self, String> {
        let written: Written = serde_saphyr::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        let rules = written.rules.into_iter().map(Rule::read).collect::<Result<_, _>>();
        Ok(Self { name, when: rule::tests(&written.when)?, rules: rules.map_err(|error| format!("{name}: {error}"))? })
    }

    fn matching(&self, facts: &Facts) -> Option<&Rule> {
        let is_its = self.when.iter().all(|test| test.holds(facts));
        self.rules.iter().find(|rule| is_its && rule.matches(facts))
    }
}

/// What the sets make of an event: `other` when none knows it.
pub(super) fn read(facts: &Facts) -> Reading {
    let Some((set, rule)) = SETS.iter().find_map(|set| Some((set, set.matching(facts)?))) else {
        return Reading { rank: Rank::Other, title: None, owner: None, rule: None, fires: Vec::new() };
    };
    let said = rule.say(facts);
    Reading {
        rank: said.rank.unwrap_or(Rank::Other),
        title: said.title,
        owner: said.owner,
        rule: Some(Matched::BuiltIn(set.name)),
        fires: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
