//! The pace of one endpoint: halved when it is busy or silent, regained by successes; and what else its answers told. Pure.

use std::time::{Duration, Instant};

use crate::store::endpoints::Change;

/// The first pause after 429, 502 or 504 that name none; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// For so long a pause may not be stored yet.
const FRESH: Duration = Duration::from_secs(2);
/// What answers within this time is quick.
const QUICK: Duration = Duration::from_millis(100);
/// Pauses in a row without an accepted attempt between them, after which busy answers cost their place in the schedule.
const LENIENT_PAUSES: u32 = 3;

/// The pace of one endpoint.
#[derive(Debug)]
pub struct Pace {
    pub in_flight: usize,
    pub limit: usize,
    /// Pauses in a row, and when the last one began: answers to what was sent before do not count again.
    pauses: u32,
    paused_at: Option<Instant>,
    pub not_before_ms: i64,
    pub down: bool,
    next_probe: Option<Instant>,
    /// When it said that it wants nothing more, and when that was stored; until then it is not even planned for.
    gone_at: Option<Instant>,
    pub going: bool,
    /// Its last attempt timed out.
    pub slow: bool,
    /// How long its last attempt took if it was accepted.
    accepted_in: Option<Duration>,
    /// When that halved its limit: what was sent before does not count again.
    halved_at: Option<Instant>,
}

/// What is learnt from an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub change: Option<Change>,
    /// The pause after a busy answer of an endpoint that still accepts others: the attempt costs no place in the schedule.
    pub free_pause: Option<Duration>,
}

impl Pace {
    pub fn new(limit: usize) -> Self {
        Self {
            in_flight: 0,
            limit,
            pauses: 0,
            paused_at: None,
            not_before_ms: 0,
            down: false,
            next_probe: None,
            gone_at: None,
            going: false,
            slow: false,
            accepted_in: None,
            halved_at: None,
        }
    }

    /// Takes over what the store says, which who retries by hand has lifted; a pause that is fresh the store may not know yet.
    pub fn learn_pause(&mut self, stored_ms: i64) {
        let fresh = self.paused_at.is_some_and(|paused_at| paused_at.elapsed() < FRESH);
        self.not_before_ms = if fresh { stored_ms.max(self.not_before_ms) } else { stored_ms };
    }

    /// Any answer is a sign of life; says whether it was the first one.
    pub fn answered(&mut self) -> bool {
        self.next_probe = None;
        std::mem::take(&mut self.down)
    }

    pub fn accepted(&mut self, limit: usize) -> Verdict {
        self.limit = (self.limit + 1).min(limit);
        self.pauses = 0;
        Verdict::default()
    }

    /// Learns how long an attempt took, and whether it was accepted.
    pub fn took(&mut self, time: Duration, is_accepted: bool) {
        self.accepted_in = is_accepted.then_some(time);
    }

    /// Whether what is claimed for it is sent so soon that it may wait for its turn here.
    pub fn is_quick(&self, now_ms: i64) -> bool {
        let is_quick = self.accepted_in.is_some_and(|time| time < QUICK);
        is_quick && !self.slow && !self.down && !self.going && self.not_before_ms <= now_ms
    }

    pub fn slow_down(&mut self, asked: Option<Duration>, began: Instant, now_ms: i64) -> Verdict {
        let first = self.paused_at.is_none_or(|paused_at| began >= paused_at);
        if first {
            self.limit = (self.limit / 2).max(1);
            self.pauses += 1;
            self.paused_at = Some(Instant::now());
        }
        let doubled = FIRST_PAUSE * 2u32.saturating_pow(self.pauses.saturating_sub(1).min(10));
        let pause = asked.unwrap_or(doubled.min(LONGEST_PAUSE));
        let until_ms = now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        let longer = (first || asked.is_some()) && until_ms > self.not_before_ms;
        if longer {
            self.not_before_ms = until_ms;
        }
        Verdict {
            change: longer.then_some(Change::Pause(until_ms)),
            free_pause: (self.pauses <= LENIENT_PAUSES).then_some(pause),
        }
    }

    /// It did not answer in time what was sent at `began`.
    pub fn timed_out(&mut self, began: Instant) {
        self.slow = true;
        if self.halved_at.is_none_or(|halved_at| began >= halved_at) {
            self.limit = (self.limit / 2).max(1);
            self.halved_at = Some(Instant::now());
        }
    }

    pub fn lost(&mut self, reason: &'static str) -> Verdict {
        self.down = true;
        Verdict { change: Some(Change::Down(reason)), free_pause: None }
    }

    /// It wants nothing more.
    pub fn gone(&mut self) -> Verdict {
        self.going = true;
        self.gone_at = Some(Instant::now());
        Verdict { change: Some(Change::Stop), free_pause: None }
    }

    /// That it wants nothing more is stored.
    pub fn stopped(&mut self) {
        self.going = false;
        self.gone_at = Some(Instant::now());
    }

    /// Whether it has said so, or that was stored, since the store was read at `read_at`.
    pub fn has_gone_since(&self, read_at: Instant) -> bool {
        self.going || self.gone_at.is_some_and(|gone_at| gone_at >= read_at)
    }

    /// Whether it is time to look whether it listens again.
    pub fn time_to_probe(&mut self, now: Instant, every: Duration) -> bool {
        if self.next_probe.is_some_and(|next| next > now) {
            return false;
        }
        self.next_probe.replace(now + every).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_quickly_accepted_may_not_wait_here_nor_what_is_paused() {
        let quick = Duration::from_millis(1);
        let mut pace = Pace::new(8);
        assert!(!pace.is_quick(10), "nothing is known of it");
        pace.took(quick, true);
        assert!(pace.is_quick(10));
        pace.took(Duration::from_secs(1), true);
        assert!(!pace.is_quick(10));
        pace.took(quick, true);
        pace.slow_down(None, Instant::now(), 10);
        assert!(!pace.is_quick(10) && pace.is_quick(1010));
        pace.lost("refused");
        assert!(!pace.is_quick(1010));
    }
}
