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
        // What is further ahead than a full bucket ever is was taken before the clock was set back, and closes no door.
        let since = |due_us: i64| if due_us > full_us + MINUTE_US { now_us } else { due_us.max(now_us) };
        let next = |due_us: i64| {
            let next_us = since(due_us) + step_us;
            (next_us <= full_us).then_some(next_us)
        };
        let taken = self.due_us.try_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken.map(drop).map_err(|due_us| {
            let wait_us = since(due_us) + step_us - full_us;
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
    fn a_clock_that_is_set_back_closes_the_door_for_no_longer_than_that_and_never_for_more_than_two_minutes() {
        let pace = Pace::new(60);
        (0..60).for_each(|_| assert_eq!(pace.take(NOW), Ok(())));
        assert_eq!(pace.take(NOW - 10_000_000), Err(Duration::from_secs(11)));
        for _ in 0..60 {
            assert_eq!(pace.take(NOW - 3_600_000_000), Ok(()));
        }
        assert_eq!(pace.take(NOW - 3_600_000_000), Err(Duration::from_secs(1)));
    }
}
