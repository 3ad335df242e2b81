//! From any JSON to a task: which priority an event has, whose it is, and how it is called for people.
//!
//! The rules of a source come first, and the first of them that matches wins; what it does not say, the built-in sets say. Nothing here
//! waits, and nothing is stored.

mod conditions;
pub mod input;
mod rule;
pub mod sets;
mod texts;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
    ser::SerializeMap,
};
use utoipa::ToSchema;

pub use conditions::WrittenTest;
pub use rule::WrittenRule;
pub use texts::WrittenTexts;

use crate::{
    event::{Rank, Shown},
    firing::Fire,
};
use input::{Facts, Input};
use rule::Rule;

const MAX_RULES: usize = 100;
/// Regular expressions of all rules of a source: they take the most memory.
const MAX_EXPRESSIONS: usize = 100;

/// The rules of a source, in order; written and read as a list of [`WrittenRule`]s.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

/// What is made of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub rank: Rank,
    /// `None`: the event is called by what names it best in its body.
    pub title: Option<String>,
    pub owner: Option<String>,
    /// What matched; `None`: nothing did.
    pub rule: Option<Matched>,
    /// Each event id once.
    pub fires: Vec<Fire>,
}

impl Reading {
    /// What is stored of it beside the rank.
    #[must_use]
    pub fn shown(self) -> Shown {
        Shown { title: self.title, owner: self.owner, ..Shown::default() }
    }
}

/// What matched: `{"index": 0}`, a place among the rules of the source, or `{"built_in": "evok"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    Own(usize),
    BuiltIn(&'static str),
}

impl Serialize for Matched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Own(index) => map.serialize_entry("index", index)?,
            Self::BuiltIn(name) => map.serialize_entry("built_in", name)?,
        }
        map.end()
    }
}

/// How a rule's tests went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleOutcome {
    /// All of its tests hold.
    pub matches: bool,
    pub tests: Vec<TestOutcome>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestOutcome {
    pub holds: bool,
    /// What stands where the test looks; null: nothing, or null.
    pub saw: serde_json::Value,
}

impl Rules {
    /// # Errors
    /// Names the rule by its number, and says what to change.
    pub fn new(written: Vec<WrittenRule>) -> Result<Self, String> {
        let mut rules = Self::default();
        written.into_iter().try_for_each(|written| rules.add(written))?;
        Ok(rules)
    }

    /// From YAML, of which JSON is a part; nothing written is no rule.
    ///
    /// # Errors
    /// Names the rule by its number and the place in the text, and says what to change.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
    }

    fn add(&mut self, written: WrittenRule) -> Result<(), String> {
        let number = self.0.len() + 1;
        if number > MAX_RULES {
            return Err(format!("a source has at most {MAX_RULES} rules"));
        }
        self.0.push(Rule::read(written).map_err(|reason| format!("rule {number}: {reason}"))?);
        let expressions: usize = self.0.iter().map(Rule::expressions).sum();
        if expressions > MAX_EXPRESSIONS {
            return Err(format!("rule {number}: all rules together have at most {MAX_EXPRESSIONS} times matches"));
        }
        Ok(())
    }

    /// As they were written, in order.
    pub fn written(&self) -> impl Iterator<Item = &WrittenRule> {
        self.0.iter().map(Rule::written)
    }

    /// As a person changes them.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).unwrap_or_default()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the event is.
    #[must_use]
    pub fn read(&self, input: &Input) -> Reading {
        // Without rules of its own a source's tasks, which most events are, need no more than a look at their priority.
        if self.0.is_empty()
            && let Some(rank) = Rank::of_task(input.body)
        {
            return Reading {
                rank,
                title: None,
                owner: None,
                rule: Some(Matched::BuiltIn(sets::TASK)),
                fires: Vec::new(),
            };
        }
        self.decide(&mut Facts::of(input))
    }

    /// What the event is, and how the tests of each rule went.
    #[must_use]
    pub fn explain(&self, input: &Input) -> (Reading, Vec<RuleOutcome>) {
        let mut facts = Facts::of(input);
        (self.decide(&mut facts), self.0.iter().map(|rule| rule.outcome(&facts)).collect())
    }

    /// Rules that only fire come after the others, and see the priority that those decided on.
    fn decide(&self, facts: &mut Facts) -> Reading {
        let mut reading = self.judge(facts);
        facts.decided = Some(reading.rank);
        let winner = reading.rule;
        let fires = |(index, rule): &(usize, &Rule)| {
            winner == Some(Matched::Own(*index)) || rule.only_fires() && rule.matches(facts)
        };
        for fire in (self.0.iter().enumerate()).filter(fires).filter_map(|(index, rule)| rule.fire(index)) {
            if !reading.fires.iter().any(|known| known.event_id == fire.event_id) {
                reading.fires.push(fire);
            }
        }
        reading
    }

    fn judge(&self, facts: &Facts) -> Reading {
        let mut deciding = self.0.iter().enumerate().filter(|(_, rule)| !rule.only_fires());
        let Some((index, rule)) = deciding.find(|(_, rule)| rule.matches(facts)) else {
            return sets::read(facts);
        };
        let said = rule.say(facts);
        if let (Some(rank), Some(_), Some(_)) = (said.rank, &said.title, &said.owner) {
            let rule = Some(Matched::Own(index));
            return Reading { rank, title: said.title, owner: said.owner, rule, fires: Vec::new() };
        }
        let otherwise = sets::read(facts);
        Reading {
            rank: said.rank.unwrap_or(otherwise.rank),
            title: said.title.or(otherwise.title),
            owner: said.owner.or(otherwise.owner),
            rule: Some(Matched::Own(index)),
            fires: Vec::new(),
        }
    }
}

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Rule::written))
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Rules;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a list of rules")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rules, A::Error> {
                let mut rules = Rules::default();
                loop {
                    let number = rules.0.len() + 1;
                    let next =
                        items.next_element().map_err(|error| de::Error::custom(format!("rule {number}: {error}")))?;
                    let Some(written) = next else { return Ok(rules) };
                    rules.add(written).map_err(de::Error::custom)?;
                }
            }
        }
        deserializer.deserialize_any(List)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
