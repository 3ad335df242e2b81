//! How commands stand, as pills.

/// A state, with how many there are in it where that is told.
pub struct Pill {
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: String,
}

/// In the order in which a command goes through them.
const STATES: [(&str, &str, &str); 6] = [
    ("queued", "other", "○"),
    ("sent", "moderate", "→"),
    ("acknowledged", "moderate", "◐"),
    ("done", "low", "✓"),
    ("failed", "critical", "✕"),
    ("expired", "major", "⊘"),
];

impl Pill {
    pub fn of(state: &str) -> Self {
        let (_, class, symbol) = STATES.iter().find(|(name, ..)| *name == state).unwrap_or(&STATES[0]);
        Self { class, symbol, word: state.to_owned() }
    }

    /// The states that something is in, with how many.
    pub fn counted(counts: &[(String, i64)]) -> Vec<Self> {
        let count = |state: &str| counts.iter().filter(|(name, _)| name == state).map(|(_, count)| count).sum::<i64>();
        let all = STATES.iter().map(|(state, ..)| (*state, count(state))).filter(|(_, count)| *count > 0);
        all.map(|(state, count)| Self { word: format!("{} {state}", common::page::grouped(count)), ..Self::of(state) })
            .collect()
    }
}
