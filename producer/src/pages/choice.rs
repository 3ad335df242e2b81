//! The steps of a select.

/// One step of a select.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// The steps of a select, with the one that is chosen.
pub fn choices(steps: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        chosen: *value == chosen,
    };
    steps.iter().map(choice).collect()
}
