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
        inner.turn = inner.turn.wrapping_add(plan.wanted.len().max(1));
        plan
    }

    /// Counts an attempt as begun on each of these lines where nothing is under way and the last one was accepted quickly, while there is room; says
    /// on which.
    pub fn reserve(&self, lines: &[Option<&str>], now_ms: i64) -> Vec<bool> {
        let mut inner = self.inner();
        let Inner { by_endpoint, in_flight, .. } = &mut *inner;
        let most = self.total_limit.saturating_mul(HANDED);
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
mod tests {
    use super::*;
    use crate::store::limits::Limit;

    fn waiting(id: &str, next_due_ms: i64) -> Waiting {
        Waiting::idle(id, next_due_ms)
    }

    fn answer(meaning: Meaning, retry_after_s: Option<u64>) -> Answer {
        let retry_after = retry_after_s.map(Duration::from_secs);
        Answer { reason: None, retry_after, ..Answer::failed(meaning, "", "") }
    }

    fn wanted(line: &str, limit: i64) -> Wanted {
        Wanted { line: line.into(), limit, ahead: 1, in_order: false }
    }

    fn paces() -> Paces {
        Paces::new(8, 20, Duration::from_secs(2))
    }

    #[test]
    fn a_full_endpoint_leaves_room_for_another() {
        let paces = paces();
        for _ in 0..8 {
            paces.begin("a");
        }
        let plan = paces.plan(&[waiting("a", 0), waiting("b", 0)], 10);
        assert_eq!(plan.wanted, [wanted("b", 8)]);
        assert!(plan.starved);
    }

    #[test]
    fn room_is_shared_and_what_is_not_due_is_waited_for() {
        let paces = paces();
        let agenda: Vec<Waiting> =
            ["a", "b", "c", "d"].map(|id| waiting(id, 0)).into_iter().chain([waiting("e", 50)]).collect();
        let plan = paces.plan(&agenda, 10);
        assert_eq!(plan.wanted.iter().map(|wanted| wanted.limit).collect::<Vec<_>>(), [5, 5, 5, 5]);
        assert_eq!(plan.next_ms, Some(50));
    }

    #[test]
    fn endpoints_that_time_out_are_halved_and_hold_half_of_all_places_at_most() {
        let paces = paces();
        let began = Instant::now();
        for line in ["a", "b"] {
            (0..4).for_each(|_| paces.begin(line));
            let silent = || Answer { reason: Some("timeout"), ..answer(Meaning::Later, None) };
            assert_eq!(paces.learn(line, &silent(), (began, 0)), Verdict::default());
            paces.learn(line, &silent(), (began, 0));
        }
        let agenda = ["a", "b", "c"].map(|id| waiting(id, 0));
        assert_eq!(paces.plan(&agenda, 10).wanted, [wanted("c", 8)], "four of eight are taken in each, halved");
        (0..3).for_each(|_| paces.free("a"));
        let plan = paces.plan(&agenda, 10).wanted;
        assert_eq!(plan.iter().find(|wanted| wanted.line == "a").map(|wanted| wanted.limit), Some(3));
        assert_eq!(paces.inner().slow, 5);
        paces.learn("b", &answer(Meaning::Delivered, None), (began, 0));
        assert_eq!(paces.inner().slow, 1);
    }

    #[test]
    fn a_line_in_order_gets_one_and_a_limit_waits_for_its_slot() {
        let paces = paces();
        let limit = |next_slot_us| Limit { id: "s".into(), per_minute: 1200, next_slot_us };
        let ordered = Waiting { in_order: true, ..waiting("a", 0) };
        let limited = Waiting { limits: vec![limit(0)], ..waiting("b", 0) };
        let later = Waiting { limits: vec![limit(12_000)], ..waiting("c", 0) };
        let plan = paces.plan(&[ordered, limited, later], 10);
        let limits: Vec<(String, i64)> = plan.wanted.into_iter().map(|wanted| (wanted.line, wanted.limit)).collect();
        assert!(limits.contains(&("a".into(), 1)) && limits.contains(&("b".into(), 2)), "{limits:?}");
        assert_eq!((limits.len(), plan.next_ms), (2, Some(12)));
    }

    #[test]
    fn a_busy_endpoint_is_halved_once_for_what_was_sent_together_and_paused() {
        let paces = paces();
        let began = Instant::now();
        for _ in 0..4 {
            paces.begin("a");
        }
        let first = paces.learn("a", &answer(Meaning::Busy, None), (began, 1000));
        assert_eq!(first.change, Some(Change::Pause(2000)));
        assert_eq!(paces.learn("a", &answer(Meaning::Busy, None), (began, 1000)).change, None);
        let longer = paces.learn("a", &answer(Meaning::Busy, Some(9)), (began, 1000));
        assert_eq!(longer.change, Some(Change::Pause(10_000)));
        for _ in 0..3 {
            paces.free("a");
        }
        assert_eq!(paces.plan(&[waiting("a", 0)], 5000).next_ms, Some(10_000));
        assert_eq!(paces.plan(&[waiting("a", 0)], 10_000).wanted, [wanted("a", 3)]);
    }

    #[test]
    fn busy_answers_are_free_until_nothing_is_accepted_over_some_pauses() {
        let paces = paces();
        let busy = || paces.learn("a", &answer(Meaning::Busy, None), (Instant::now(), 0)).free_pause;
        assert_eq!([busy(), busy(), busy(), busy()].map(|pause| pause.is_some()), [true, true, true, false]);
        paces.learn("a", &answer(Meaning::Delivered, None), (Instant::now(), 0));
        assert_eq!(busy(), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_first_answer_of_any_kind_tells_that_it_is_up() {
        let paces = paces();
        let learn = |meaning, status| {
            let answer = Answer { status, ..answer(meaning, None) };
            paces.learn("a", &answer, (Instant::now(), 0)).change
        };
        assert_eq!(learn(Meaning::Unreachable, None), Some(Change::Down("unreachable")));
        assert_eq!(learn(Meaning::Later, None), None, "a timeout is no answer");
        assert_eq!(learn(Meaning::Later, Some(500)), Some(Change::Up));
        assert_eq!(learn(Meaning::Delivered, Some(200)), None);
    }

    #[test]
    fn an_endpoint_that_is_down_is_looked_at_again_and_again() {
        let paces = paces();
        let start = Instant::now();
        assert!(!paces.time_to_probe("a", start));
        assert!(!paces.time_to_probe("a", start + Duration::from_secs(1)));
        assert!(paces.time_to_probe("a", start + Duration::from_secs(2)));
        assert!(!paces.time_to_probe("a", start + Duration::from_secs(3)));
        assert!(paces.time_to_probe("a", start + Duration::from_secs(4)));
    }
}
