//! When a delivery is tried again: the schedule, its jitter, and what the receiver asked for. Pure.

use std::{str::FromStr, time::Duration};

use crate::config;

/// The longest pause a receiver can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The waits before each attempt; the first is before the first attempt. After the last attempt a delivery is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let waits: Vec<Duration> = text.split(',').map(config::time).collect::<Result<_, _>>()?;
        if waits.len() > 100 {
            return Err("a schedule has at most 100 attempts".into());
        }
        Ok(Self(waits))
    }
}

impl Schedule {
    /// The old profile's: one attempt, and three more with the same wait before each.
    pub fn pywebhooks(wait: Duration) -> Self {
        Self(vec![Duration::ZERO, wait, wait, wait])
    }

    /// How many attempts there are.
    pub fn attempts(&self) -> usize {
        self.0.len()
    }

    /// The wait after `made` attempts; `None`: that was the last one.
    pub fn wait_after(&self, made: usize) -> Option<Duration> {
        self.0.get(made).copied()
    }
}

/// Spreads a wait by up to `share` of itself in both directions; `draw` is between 0 and 1.
pub fn jittered(wait: Duration, share: f64, draw: f64) -> Duration {
    let factor = 1.0 + share.clamp(0.0, 1.0) * (2.0 * draw.clamp(0.0, 1.0) - 1.0);
    wait.mul_f64(factor)
}

/// The wait that is kept: the schedule's, or the receiver's `Retry-After` when that is longer.
pub fn obeying(scheduled: Duration, retry_after: Option<Duration>) -> Duration {
    scheduled.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
///
/// `None` when it is neither; a date that is past asks for no wait.
pub fn retry_after(header: &str, now_ms: i64) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)).min(LONGEST_RETRY_AFTER));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    let left_ms = at.as_millisecond().saturating_sub(now_ms);
    Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_schedule_has_ten_attempts_over_three_days() {
        let schedule: Schedule = "0,5s,5m,30m,2h,5h,10h,14h,20h,24h".parse().unwrap();
        assert_eq!(schedule.attempts(), 10);
        let waits_s: Vec<_> = (1..=10).map(|made| schedule.wait_after(made).map(|wait| wait.as_secs())).collect();
        let hour = 3600;
        let expected = [5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour].map(Some);
        assert_eq!(waits_s[..9], expected);
        assert_eq!(waits_s[9], None);
    }

    #[test]
    fn a_schedule_that_cannot_be_read_says_so() {
        for text in ["", "0,,5s", "0,soon", "-1", "0,31d", "1e18"] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let wait = Duration::from_secs(100);
        for (share, draw, expected_s) in
            [(0.1, 0.0, 90), (0.1, 0.5, 100), (0.1, 1.0, 110), (0.0, 1.0, 100), (1.0, 0.0, 0), (9.0, 1.0, 200)]
        {
            assert_eq!(jittered(wait, share, draw).as_secs(), expected_s, "{share} {draw}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now_ms = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        let cases = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
            ("-5", None),
        ];
        for (header, expected_s) in cases {
            assert_eq!(retry_after(header, now_ms).map(|wait| wait.as_secs()), expected_s, "{header}");
        }
    }

    #[test]
    fn the_longer_of_schedule_and_retry_after_is_kept() {
        let seconds = Duration::from_secs;
        assert_eq!(obeying(seconds(5), Some(seconds(60))), seconds(60));
        assert_eq!(obeying(seconds(300), Some(seconds(60))), seconds(300));
        assert_eq!(obeying(seconds(5), None), seconds(5));
    }
}
