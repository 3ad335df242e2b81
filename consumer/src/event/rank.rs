//! What an event counts as: a task's priority, or other.

use std::borrow::Cow;

use common::task::Priority;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::object;

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
}
