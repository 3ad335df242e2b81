//! How many requests each endpoint gets at once. Pure but for the lock around it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    answer::{Answer, Meaning},
    pace::{Pace, Verdict},
    plan::{Due, Plan, ahead, places, share},
};
use crate::store::{
    endpoints::{Change, Waiting},
    queue::Wanted,
};

/// So many times as many as may be sent at once are taken straight from triggers, where they wait for their turn.
const HANDED: usize = 4;
/// Endpoints remembered while nothing is under way to them.
const REMEMBERED: usize = 10_000;

/// The paces of all endpoints of this process.
#[derive(Debug)]
pub struct Paces {
    endpoint_limit: usize,
    total_limit: usize,
    probe_every: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_endpoint: HashMap<String, Pace>,
    in_flight: usize,
    /// Of these, to endpoints whose last attempt timed out.
    slow: usize,
    turn: usize,
    /// Lines with something due had no turn at the last look.
    behind: bool,
}

impl Paces {
    pub fn new(endpoint_limit: usize, total_limit: usize, probe_every: Duration) -> Self {
        Self { endpoint_limit, total_limit, probe_every, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn in_flight(&self) -> usize {
        self.inner().in_flight
    }

    /// Shares the room among the endpoints that have something due; who comes first changes from turn to turn.
    pub fn plan(&self, agenda: &[Waiting], now_ms: i64) -> Plan {
        let mut inner = self.inner();
        inner.forget_idle();
        let mut plan = Plan::default();
        let mut due = Vec::new();
        for endpoint in agenda {
            let pace = inner.of(&endpoint.id, self.endpoint_limit);
            pace.down = endpoint.down.is_some();
            pace.learn_pause(endpoint.not_before_ms);
            let not_before_ms = if endpoint.stopped { 0 } else { pace.not_before_ms };
            let free_ms = endpoint.limits.iter().map(|limit| limit.free_ms(now_ms)).max().unwrap_or_default();
            let at_ms = endpoint.next_due_ms.max(not_before_ms).max(free_ms);
            let places = places(endpoint, pace);
            if at_ms > now_ms {
                plan.next_ms = Some(plan.next_ms.map_or(at_ms, |next_ms| next_ms.min(at_ms)));
            } else if places > 0 && !pace.going {
                let (line, ahead) = (endpoint.id.clone(), ahead(endpoint, pace, now_ms));
                let wanted = Wanted { line, limit: places, ahead, in_order: endpoint.in_order };
                due.push(Due { wanted, slow: pace.slow });
            } else {
                plan.starved = true;
            }
        }
        let room = self.total_limit.saturating_sub(inner.in_flight);
        let slow_room = (self.total_limit / 2).max(1).saturating_sub(inner.slow);
        share(due, (room, slow_room.min(room)), inner.turn, &mut plan);
        inner.behind = !plan.left.is_empty();
        inner.turn = inner.turn.wrapping_add(plan.wanted.len().max(1));
        plan
    }

    /// Nothing is due.
    pub fn caught_up(&self) {
        self.inner().behind = false;
    }

    /// Counts an attempt as begun on each of these lines where nothing is under way and the last one was accepted quickly, while there is room
    /// and nothing in the queue waits for it; says on which.
    pub fn reserve(&self, lines: &[Option<&str>], now_ms: i64) -> Vec<bool> {
        let mut inner = self.inner();
        let Inner { by_endpoint, in_flight, behind, .. } = &mut *inner;
        let most = if *behind { 0 } else { self.total_limit.saturating_mul(HANDED) };
        let mut reserve = |line: &str| {
            let pace = by_endpoint.get_mut(line).filter(|pace| pace.in_flight == 0 && pace.is_quick(now_ms))?;
            let has_room = *in_flight < most;
            pace.in_flight += usize::from(has_room);
            *in_flight += usize::from(has_room);
            has_room.then_some(())
        };
        lines.iter().map(|line| line.and_then(&mut reserve).is_some()).collect()
    }

    /// Counts an attempt that begins.
    pub fn begin(&self, endpoint: &str) {
        let mut inner = self.inner();
        inner.in_flight += 1;
        let pace = inner.of(endpoint, self.endpoint_limit);
        pace.in_flight += 1;
        let slow = usize::from(pace.slow);
        inner.slow += slow;
    }

    /// Gives back the place of an attempt.
    pub fn free(&self, endpoint: &str) {
        let mut inner = self.inner();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        let pace = inner.of(endpoint, self.endpoint_limit);
        pace.in_flight = pace.in_flight.saturating_sub(1);
        let slow = usize::from(pace.slow);
        inner.slow = inner.slow.saturating_sub(slow);
    }

    /// Learns from the answer to an attempt, whose place stays taken.
    pub fn learn(&self, endpoint: &str, answer: &Answer, (began, now_ms): (Instant, i64)) -> Verdict {
        let mut inner = self.inner();
        let pace = inner.of(endpoint, self.endpoint_limit);
        let was_slow = std::mem::take(&mut pace.slow);
        if answer.reason == Some("timeout") {
            pace.timed_out(began);
        }
        pace.took(began.elapsed(), answer.meaning == Meaning::Delivered);
        let (slow, in_flight) = (pace.slow, pace.in_flight);
        let verdict = match answer.meaning {
            Meaning::Delivered => pace.accepted(self.endpoint_limit),
            Meaning::Busy => pace.slow_down(answer.retry_after, began, now_ms),
            Meaning::Unreachable => pace.lost(answer.reason.unwrap_or("unreachable")),
            Meaning::Gone => pace.gone(),
            Meaning::Later | Meaning::Never => Verdict::default(),
        };
        let up = answer.status.is_some() && pace.answered();
        match (was_slow, slow) {
            (false, true) => inner.slow += in_flight,
            (true, false) => inner.slow = inner.slow.saturating_sub(in_flight),
            _ => {}
        }
        Verdict { change: verdict.change.or(up.then_some(Change::Up)), ..verdict }
    }

    /// Whether what was given ahead is sent.
    pub fn goes_on(&self, endpoint: &str, now_ms: i64) -> bool {
        self.inner().of(endpoint, self.endpoint_limit).is_quick(now_ms)
    }

    /// Whether it is time to look whether an endpoint that is down listens again.
    pub fn time_to_probe(&self, endpoint: &str, now: Instant) -> bool {
        let mut inner = self.inner();
        inner.of(endpoint, self.endpoint_limit).time_to_probe(now, self.probe_every)
    }

    /// That the endpoint wants nothing more is stored.
    pub fn stopped(&self, endpoint: &str) {
        self.inner().of(endpoint, self.endpoint_limit).stopped();
    }

    /// Whether the endpoint said that it wants nothing more since the store was read.
    pub fn has_gone_since(&self, endpoint: &str, read_at: Instant) -> bool {
        self.inner().of(endpoint, self.endpoint_limit).has_gone_since(read_at)
    }
}

impl Inner {
    fn of(&mut self, endpoint: &str, limit: usize) -> &mut Pace {
        if !self.by_endpoint.contains_key(endpoint) {
            self.by_endpoint.insert(endpoint.to_owned(), Pace::new(limit));
        }
        self.by_endpoint.get_mut(endpoint).expect("it was just inserted")
    }

    fn forget_idle(&mut self) {
        if self.by_endpoint.len() > REMEMBERED {
            self.by_endpoint.retain(|_, pace| pace.in_flight > 0);
        }
    }
}

#[cfg(test)]
mod tests;
