//! What every end-to-end test stands on.

pub mod databases;
pub mod http;
pub mod peer;
pub mod postgres;
pub mod process;
pub mod stack;
pub mod viewer;

use std::time::{Duration, Instant};

/// How long a condition may take to come true before the test fails; generous, because two cores do everything here.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `check` gives a value, asking again every 20 ms; fails with `what` when it does not within `patience`.
pub async fn eventually<T>(what: &str, patience: Duration, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < end, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    /// Seeded by this variable, or else by `usual`; the seed is printed, so that a failure can be run again.
    pub fn seeded_by(variable: &str, usual: u64) -> Self {
        let seed = std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
        eprintln!("{variable}={seed}");
        Self(seed)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (mixed ^ (mixed >> 31)) % (high - low + 1)
    }
}
