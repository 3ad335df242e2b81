//! How many requests a minute a source may send: a bucket that holds a minute's worth and fills steadily.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

const MINUTE_US: i64 = 60_000_000;

/// The pace of one source on this node.
#[derive(Debug)]
pub struct Pace {
    pub per_minute: u32,
    /// When all that was taken would be due if it came evenly, in microseconds since 1970.
    due_us: AtomicI64,
}

impl Pace {
    /// `per_minute` is at least 1.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), due_us: AtomicI64::new(0) }
    }

    /// Takes one; `now_us` is our clock's time.
    ///
    /// # Errors
    /// After which time there is room for one again.
    pub fn take(&self, now_us: i64) -> Result<(), Duration> {
        let step_us = MINUTE_US / i64::from(self.per_minute);
        let full_us = now_us.saturating_add(MINUTE_US);
        let next = |due_us: i64| {
            // A clock that was set back must not close the door for long.
            let next_us = due_us.clamp(now_us, full_us) + step_us;
            (next_us <= full_us).then_some(next_us)
        };
        let taken = self.due_us.try_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken.map(drop).map_err(|due_us| {
            let wait_us = due_us.clamp(now_us, full_us) + step_us - full_us;
            Duration::from_micros(u64::try_from(wait_us).unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000_000;

    #[test]
    fn a_minutes_worth_is_taken_at_once_and_then_one_at_a_time() {
        let pace = Pace::new(3);
        for _ in 0..3 {
            assert_eq!(pace.take(NOW), Ok(()));
        }
        assert_eq!(pace.take(NOW), Err(Duration::from_secs(20)));
        assert_eq!(pace.take(NOW + 5_000_000), Err(Duration::from_secs(15)));
        assert_eq!(pace.take(NOW + 20_000_000), Ok(()));
        assert_eq!(pace.take(NOW + 20_000_000), Err(Duration::from_secs(20)));
    }

    #[test]
    fn a_clock_that_is_set_back_costs_no_more_than_a_step() {
        let pace = Pace::new(60);
        assert_eq!(pace.take(NOW), Ok(()));
        assert_eq!(pace.take(NOW - 3_600_000_000), Err(Duration::from_secs(1)));
    }
}
