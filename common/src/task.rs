//! The task: what travels from the *Produce Tasks* button to a bar of the chart.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How urgent a task is; the four names of the streaming tutorial, matched to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Priority {
    Low,
    Moderate,
    Major,
    Critical,
}

impl Priority {
    /// Every priority, in the order of the chart's bars.
    pub const ALL: [Self; 4] = [Self::Low, Self::Moderate, Self::Major, Self::Critical];

    /// The name on the wire and on the pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Moderate => "Moderate",
            Self::Major => "Major",
            Self::Critical => "Critical",
        }
    }
}

impl FromStr for Priority {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name).ok_or(())
    }
}

/// One task as the tutorial's programs send it; the fields stand in the order of their names, so that the JSON's keys are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Task {
    /// UUID of the batch the task was made in.
    pub batchid: String,
    /// Place in the batch, from 0.
    pub id: u64,
    /// Full name, unique within the batch.
    pub owner: String,
    pub priority: Priority,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_written_with_sorted_keys() {
        let task = Task { batchid: "b".into(), id: 7, owner: "Norma Fisher".into(), priority: Priority::Major };
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(text, r#"{"batchid":"b","id":7,"owner":"Norma Fisher","priority":"Major"}"#);
    }

    #[test]
    fn a_priority_is_read_by_its_exact_name_only() {
        assert_eq!("Critical".parse(), Ok(Priority::Critical));
        assert_eq!("critical".parse::<Priority>(), Err(()));
    }
}
