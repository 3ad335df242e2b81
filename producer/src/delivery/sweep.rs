//! A walk over all lines that something waits for, a page at a time, and how long to rest after it. Pure.

use std::time::{Duration, Instant};

use super::{GATHER, plan::Plan};
use crate::store::endpoints::Waiting;

/// Lines that are looked at together.
pub const PAGE: i64 = 256;
/// Behind every wake-up: other processes put work in the same queue, and clocks differ.
const SLOW_POLL: Duration = Duration::from_secs(1);
/// After a look at work that is due and that another producer has in hand, or that a limit holds.
const IN_OTHER_HANDS: Duration = Duration::from_millis(20);

/// For so long lines are served from what was read of them; reading them costs as much as a claim.
const FRESH: Duration = Duration::from_millis(100);

/// Where the walk is, and what it met.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The last line of the page before; empty at the beginning.
    after: String,
    /// Lines of that page that had no turn yet, and when they were read.
    rest: Option<(Vec<Waiting>, Instant)>,
    /// When something is due at the earliest that was not due yet.
    next_ms: Option<i64>,
    met: Met,
    /// The walk before served something: there is likely more.
    busy: bool,
    /// When it was looked for what cannot be reached, and how soon that is done again.
    probed: Option<Instant>,
    unreachable: Option<Duration>,
    probe_every: Duration,
}

/// What a walk has met so far.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    /// Something due was left for want of room.
    starved: bool,
    /// Something was due and there was room.
    wanted: bool,
    /// Something was claimed.
    served: bool,
}

impl Sweep {
    pub const fn begins(&self) -> bool {
        self.after.is_empty() && self.rest.is_none()
    }

    /// Whether to ask first if anything is due at all, before a walk is begun.
    pub const fn asks_first(&self) -> bool {
        self.begins() && !self.busy
    }

    pub fn after(&self) -> &str {
        &self.after
    }

    /// The lines of the page that had no turn yet, and when they were read; `None`: there are none, or that is too long ago.
    pub fn rest(&mut self) -> Option<(Vec<Waiting>, Instant)> {
        self.rest.take().filter(|(_, read_at)| read_at.elapsed() < FRESH)
    }

    /// Keeps the lines that have no turn now.
    pub fn keep(&mut self, lines: Vec<Waiting>, read_at: Instant) {
        self.rest = Some((lines, read_at)).filter(|(lines, _)| !lines.is_empty());
    }

    /// Turns to a page that was read.
    pub fn turn(&mut self, page: &[Waiting]) {
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.after = page.last().filter(|_| full).map(|last| last.id.clone()).unwrap_or_default();
    }

    /// Takes in what was planned.
    pub fn looked_at(&mut self, plan: &Plan) {
        self.next_ms = [self.next_ms, plan.next_ms].into_iter().flatten().min();
        self.met.starved |= plan.starved;
        self.met.wanted |= !plan.wanted.is_empty();
    }

    /// How long to rest when so much of the page was claimed, and whether room was missing.
    pub fn next(&mut self, claimed: usize, now_ms: i64) -> (Duration, bool) {
        self.met.served |= claimed > 0;
        if !self.begins() {
            return (GATHER, self.met.starved);
        }
        let Met { starved, wanted, served } = std::mem::take(&mut self.met);
        let next_ms = self.next_ms.take();
        self.busy = served;
        // What was claimed is gone from the agenda; whether more is due only the next look shows.
        match (served, wanted) {
            (true, _) => (GATHER, true),
            (false, true) => (IN_OTHER_HANDS, true),
            (false, false) => (self.until(next_ms, now_ms), starved),
        }
    }

    /// Until then, but no longer than it is good to rest.
    pub fn until(&self, next_ms: Option<i64>, now_ms: i64) -> Duration {
        let most = self.unreachable.unwrap_or(SLOW_POLL);
        next_ms.map_or(most, |next_ms| Duration::from_millis(u64::try_from(next_ms - now_ms).unwrap_or(0)).min(most))
    }

    /// Whether it is time to look for what cannot be reached: half as long apart as one endpoint is looked at.
    pub fn time_to_probe(&mut self, now: Instant, every: Duration) -> bool {
        self.probe_every = (every / 2).clamp(Duration::from_millis(10), SLOW_POLL);
        let is_time = self.probed.is_none_or(|probed| now >= probed + self.probe_every);
        if is_time {
            self.probed = Some(now);
        }
        is_time
    }

    pub fn some_unreachable(&mut self, some: bool) {
        self.unreachable = some.then_some(self.probe_every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_walk_without_a_find_it_rests_until_the_earliest_of_all_pages() {
        let mut sweep = Sweep::default();
        let page: Vec<Waiting> = (0..PAGE).map(|place| Waiting::idle(&format!("{place:03}"), 0)).collect();
        let plan = |next_ms| Plan { next_ms, ..Plan::default() };
        sweep.turn(&page);
        sweep.looked_at(&plan(Some(300)));
        assert_eq!(sweep.after(), "255");
        assert_eq!(sweep.next(0, 100), (GATHER, false));
        sweep.turn(&page[..3]);
        sweep.looked_at(&plan(Some(900)));
        assert!(sweep.begins());
        assert_eq!(sweep.next(0, 100), (Duration::from_millis(200), false));
        sweep.turn(&[]);
        sweep.looked_at(&plan(None));
        assert_eq!(sweep.next(0, 100), (SLOW_POLL, false));
    }
    #[test]
    fn lines_without_a_turn_come_before_the_next_page_while_they_are_fresh() {
        let mut sweep = Sweep::default();
        sweep.keep(vec![Waiting::idle("a", 0)], Instant::now());
        assert!(!sweep.begins() && !sweep.asks_first());
        assert_eq!(sweep.rest().map(|(lines, _)| lines[0].id.clone()).as_deref(), Some("a"));
        assert!(sweep.begins() && sweep.rest().is_none());
        sweep.keep(vec![Waiting::idle("a", 0)], Instant::now().checked_sub(FRESH).unwrap());
        assert!(sweep.rest().is_none());
    }
}
