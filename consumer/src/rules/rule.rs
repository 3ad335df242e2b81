//! One rule: when it matches, and what it says then.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    RuleOutcome, TestOutcome,
    conditions::{Test, WrittenTest},
    input::{Facts, brief},
    texts::{Texts, WrittenTexts},
};
use crate::{event::Rank, event_id::check_event_id, firing::Fire};

const MAX_TESTS: usize = 20;
/// How often a minute a source fires an event id: what goes round in a loop ends there.
const RATE_PER_MINUTE: i64 = 30;
const MAX_RATE: i64 = 600;

/// The words that other programs have for a priority.
const WORDS: [(&str, &str); 14] = [
    ("debug", "Low"),
    ("info", "Low"),
    ("informational", "Low"),
    ("notice", "Low"),
    ("ok", "Low"),
    ("medium", "Moderate"),
    ("warn", "Moderate"),
    ("warning", "Moderate"),
    ("error", "Major"),
    ("high", "Major"),
    ("alert", "Critical"),
    ("emergency", "Critical"),
    ("fatal", "Critical"),
    ("page", "Critical"),
];

/// A rule as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenRule {
    /// All must hold; without any the rule always matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<WrittenTest>,
    /// `Low`, `Moderate`, `Major`, `Critical` or `other`, or a template that gives one of them or a usual word for it (`warning`, `high`, `page`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<WrittenTexts>,
    /// Whose the event is: a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<WrittenTexts>,
    /// What it is called: a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<WrittenTexts>,
    /// The event id of actions that are carried out then; a rule that says nothing else sees the priority that the others decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire: Option<String>,
    /// How often a minute the source may fire this event id: 1 to 600, 30 unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<i64>,
}

/// As a person says it: `/alarm/level is greater than 5 → Critical, “Alarm {/alarm/level}”`.
impl fmt::Display for WrittenRule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let tests: Vec<String> = self.when.iter().map(ToString::to_string).collect();
        f.write_str(if tests.is_empty() { "Always" } else { "" })?;
        write!(f, "{} → ", tests.join(" and "))?;
        let quoted = |texts: &WrittenTexts| format!("“{texts}”");
        let priority = self.priority.as_ref().map(ToString::to_string);
        let owner = self.owner.as_ref().map(|texts| format!("of {}", quoted(texts)));
        let fire = self.fire.as_ref().map(|event_id| format!("fires {event_id}"));
        let said: Vec<String> =
            [priority, self.title.as_ref().map(quoted), owner, fire].into_iter().flatten().collect();
        f.write_str(&said.join(", "))
    }
}

impl WrittenRule {
    fn says_nothing(&self) -> bool {
        self.priority.is_none() && self.owner.is_none() && self.title.is_none()
    }
}

/// A rule, ready.
#[derive(Clone, Debug)]
pub struct Rule {
    written: WrittenRule,
    when: Vec<Test>,
    priority: Texts,
    owner: Texts,
    title: Texts,
    fire: Option<Arc<str>>,
}

/// What a rule says of an event; `None`: it does not say it, or what it needs is not there.
pub struct Said {
    pub rank: Option<Rank>,
    pub title: Option<String>,
    pub owner: Option<String>,
}

impl Rule {
    /// # Errors
    /// Says what to change.
    pub fn read(written: WrittenRule) -> Result<Self, String> {
        if written.says_nothing() && written.fire.is_none() {
            return Err("it says nothing: give it priority, owner, title or fire".into());
        }
        let when = tests(&written.when)?;
        if !written.says_nothing() && written.when.iter().any(|test| test.priority.is_some()) {
            return Err(
                "a rule that asks for the priority only fires: say priority, owner and title in another one".into()
            );
        }
        let fire = fire(&written)?;
        let texts = |member: &str, written: &Option<WrittenTexts>| {
            Texts::read(written.as_ref()).map_err(|reason| format!("{member}: {reason}"))
        };
        let priority = texts("priority", &written.priority)?;
        let (owner, title) = (texts("owner", &written.owner)?, texts("title", &written.title)?);
        if let Some(unknown) = priority.literals().find(|name| Rank::from_name(name).is_none()) {
            return Err(format!(
                "priority: {} is none: write Low, Moderate, Major, Critical or other, or a template such as {{/severity}}",
                brief(unknown)
            ));
        }
        Ok(Self { written, when, priority, owner, title, fire })
    }

    /// Whether it says nothing of the event.
    pub fn only_fires(&self) -> bool {
        self.written.says_nothing()
    }

    /// What it fires, at this place among the rules of a source; `None`: nothing.
    pub fn fire(&self, index: usize) -> Option<Fire> {
        let rule = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let rate_per_minute = self.written.rate_per_minute.unwrap_or(RATE_PER_MINUTE);
        Some(Fire { rule, event_id: self.fire.clone()?, rate_per_minute })
    }

    pub fn written(&self) -> &WrittenRule {
        &self.written
    }

    /// How many regular expressions it holds.
    pub fn expressions(&self) -> usize {
        self.written.when.iter().filter(|test| test.matches.is_some()).count()
    }

    pub fn matches(&self, facts: &Facts) -> bool {
        self.when.iter().all(|test| test.holds(facts))
    }

    pub fn outcome(&self, facts: &Facts) -> RuleOutcome {
        let tests = self.when.iter().map(|test| TestOutcome { holds: test.holds(facts), saw: test.see(facts).shown() });
        RuleOutcome { matches: self.matches(facts), tests: tests.collect() }
    }

    /// Of an event that it matches.
    pub fn say(&self, facts: &Facts) -> Said {
        Said {
            rank: self.priority.filled(facts).find_map(|word| rank(&word)),
            title: self.title.filled(facts).next(),
            owner: self.owner.filled(facts).next(),
        }
    }
}

fn fire(written: &WrittenRule) -> Result<Option<Arc<str>>, String> {
    if let Some(event_id) = &written.fire {
        check_event_id(event_id).map_err(|reason| format!("fire: {reason}"))?;
    }
    match written.rate_per_minute {
        Some(_) if written.fire.is_none() => Err("rate_per_minute says how often it may fire: give it fire".into()),
        Some(rate) if !(1..=MAX_RATE).contains(&rate) => Err(format!("rate_per_minute is 1 to {MAX_RATE}")),
        _ => Ok(written.fire.as_deref().map(Arc::from)),
    }
}

/// # Errors
/// Names the test by its number when there are several, and says what to change.
pub fn tests(written: &[WrittenTest]) -> Result<Vec<Test>, String> {
    if written.len() > MAX_TESTS {
        return Err(format!("when: a rule has at most {MAX_TESTS} tests"));
    }
    let numbered = (1..).zip(written);
    numbered.map(|(number, written)| Test::read(written).map_err(|reason| format!("test {number}: {reason}"))).collect()
}

/// The rank of a word, in any case.
fn rank(word: &str) -> Option<Rank> {
    let usual = WORDS.iter().find(|(usual, _)| word.eq_ignore_ascii_case(usual)).map_or(word, |(_, name)| *name);
    Rank::ALL.into_iter().find(|rank| usual.eq_ignore_ascii_case(rank.as_str()))
}
