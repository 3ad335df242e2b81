//! Whether the machine's clock was set: it is compared with the time that only goes on.

use std::time::{Duration, Instant};

use tokio::time;

use crate::time::now_ms;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What a clock that is only corrected stays below.
const CORRECTED_MS: i64 = 2000;

/// The clock as it was when it was last looked at.
#[derive(Debug)]
pub struct Clock {
    at: Instant,
    shown_ms: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { at: Instant::now(), shown_ms: now_ms() }
    }
}

impl Clock {
    /// By how much the clock was set since the last look, in milliseconds: below 0, it was set back. `None`: it went on.
    pub fn was_set(&mut self) -> Option<i64> {
        self.step(Instant::now(), now_ms())
    }

    /// Waits until the clock is set, says so in the log, and gives by how much, as [`Self::was_set`] does.
    pub async fn set(&mut self) -> i64 {
        loop {
            time::sleep(LOOK).await;
            let Some(step_ms) = self.was_set() else { continue };
            let (way, seconds) = (if step_ms < 0 { "back" } else { "forward" }, (step_ms.abs() + 500) / 1000);
            tracing::warn!("the clock of this machine was set {way} by {seconds} s");
            return step_ms;
        }
    }

    fn step(&mut self, at: Instant, shown_ms: i64) -> Option<i64> {
        let passed_ms = i64::try_from(at.duration_since(self.at).as_millis()).unwrap_or(i64::MAX);
        let step_ms = shown_ms.saturating_sub(self.shown_ms).saturating_sub(passed_ms);
        *self = Self { at, shown_ms };
        (step_ms.abs() >= CORRECTED_MS).then_some(step_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_from_time_that_passes() {
        let start = Instant::now();
        let mut clock = Clock { at: start, shown_ms: 1_000_000 };
        let mut look = |after_s, shown_ms| clock.step(start + Duration::from_secs(after_s), shown_ms);
        assert_eq!(look(10, 1_010_500), None, "a clock that is corrected");
        assert_eq!(look(11, 1_011_500 + 3_600_000), Some(3_600_000));
        assert_eq!(look(12, 1_012_500 + 3_600_000), None, "it is told once");
        assert_eq!(look(13, 1_013_500), Some(-3_600_000));
    }
}
