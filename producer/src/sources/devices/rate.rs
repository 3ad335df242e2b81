//! How often something happened lately: pure, the time is given.

/// The seconds that are looked back at; the one that is not over yet does not count.
const WINDOW: i64 = 10;

/// Counts of the last seconds, each in the place of its second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    counts: [u64; 11],
    /// The newest second that was counted in.
    newest_s: i64,
}

impl Rate {
    /// So many more in this second, which is never before the newest one.
    pub fn add(&mut self, count: u64, at_s: i64) {
        for passed in (self.newest_s + 1..=at_s).rev().take(self.counts.len()) {
            self.counts[place(passed)] = 0;
        }
        self.newest_s = self.newest_s.max(at_s);
        let count_there = &mut self.counts[place(self.newest_s)];
        *count_there = count_there.saturating_add(count);
    }

    /// The mean over the window before this second, rounded to a tenth: it is for reading.
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds are far below 2^52")]
    pub fn per_second(&self, now_s: i64) -> f64 {
        let first = (now_s - WINDOW).max(self.newest_s - WINDOW);
        let sum: u64 = (first..now_s.min(self.newest_s + 1)).map(|second| self.counts[place(second)]).sum();
        (sum as f64 * 10.0 / WINDOW as f64).round() / 10.0
    }
}

fn place(second: i64) -> usize {
    usize::try_from(second.rem_euclid(WINDOW + 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_mean_of_the_last_ten_seconds() {
        let mut rate = Rate::default();
        let start = 1_700_000_000;
        for second in 0..20 {
            rate.add(3, start + second);
            rate.add(2, start + second);
        }
        assert!((rate.per_second(start + 20) - 5.0).abs() < f64::EPSILON);
        assert!((rate.per_second(start + 25) - 2.5).abs() < f64::EPSILON, "five of them were silent");
        assert!(rate.per_second(start + 30).abs() < f64::EPSILON);
        rate.add(7, start + 1000);
        assert!(rate.per_second(start + 1000).abs() < f64::EPSILON, "a second that is not over does not count");
        assert!((rate.per_second(start + 1001) - 0.7).abs() < f64::EPSILON);
        assert!((rate.per_second(start + 1010) - 0.7).abs() < f64::EPSILON);
        assert!(rate.per_second(start + 1011).abs() < f64::EPSILON);
    }
}
