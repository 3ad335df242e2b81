//! How many requests each endpoint gets at once: halved when it is busy, regained by successes. Pure but for the lock around it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::answer::{Answer, Meaning};
use crate::store::endpoints::{Change, Waiting};

/// The first pause after 429, 502 or 504 that name none; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// For so long a pause may not be stored yet.
const FRESH: Duration = Duration::from_secs(2);
/// Pauses in a row without an accepted attempt between them, after which busy answers cost their place in the schedule.
const LENIENT_PAUSES: u32 = 3;
/// Endpoints that one claim serves; the others have their turn in the next.
const ENDPOINTS_A_CLAIM: usize = 16;
/// Endpoints remembered while nothing is under way to them.
const REMEMBERED: usize = 10_000;

/// The pace of one endpoint.
#[derive(Debug)]
struct Pace {
    in_flight: usize,
    limit: usize,
    /// Pauses in a row, and when the last one began: answers to what was sent before do not count again.
    pauses: u32,
    paused_at: Option<Instant>,
    not_before_ms: i64,
    down: bool,
    next_probe: Option<Instant>,
}

/// What is learnt from an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub change: Option<Change>,
    /// The pause after a busy answer of an endpoint that still accepts others: the attempt costs no place in the schedule.
    pub free_pause: Option<Duration>,
}

/// What a claim may take.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many deliveries of which endpoint.
    pub wanted: Vec<(String, i64)>,
    /// When something is due at the earliest that is not due yet.
    pub next_ms: Option<i64>,
    /// Whether something due was left for want of room.
    pub starved: bool,
}

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
            let at_ms = endpoint.next_due_ms.max(not_before_ms);
            if at_ms > now_ms {
                plan.next_ms = Some(plan.next_ms.map_or(at_ms, |next_ms| next_ms.min(at_ms)));
            } else if pace.limit > pace.in_flight {
                due.push((endpoint.id.clone(), pace.limit - pace.in_flight));
            } else {
                plan.starved = true;
            }
        }
        let room = self.total_limit.saturating_sub(inner.in_flight);
        inner.turn = inner.turn.wrapping_add(1);
        share(due, room, inner.turn, &mut plan);
        plan
    }

    /// Counts an attempt that begins.
    pub fn begin(&self, endpoint: &str) {
        let mut inner = self.inner();
        inner.in_flight += 1;
        inner.of(endpoint, self.endpoint_limit).in_flight += 1;
    }

    /// Gives back the place of an attempt.
    pub fn free(&self, endpoint: &str) {
        let mut inner = self.inner();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        let pace = inner.of(endpoint, self.endpoint_limit);
        pace.in_flight = pace.in_flight.saturating_sub(1);
    }

    /// Learns from the answer to an attempt, whose place stays taken.
    pub fn learn(&self, endpoint: &str, answer: &Answer, (began, now_ms): (Instant, i64)) -> Verdict {
        let mut inner = self.inner();
        let pace = inner.of(endpoint, self.endpoint_limit);
        let verdict = match answer.meaning {
            Meaning::Delivered => pace.accepted(self.endpoint_limit),
            Meaning::Busy => pace.slow_down(answer.retry_after, began, now_ms),
            Meaning::Unreachable => pace.lost(answer.reason.unwrap_or("unreachable")),
            Meaning::Gone => Verdict { change: Some(Change::Stop), free_pause: None },
            Meaning::Later | Meaning::Never => Verdict::default(),
        };
        let up = answer.status.is_some() && pace.answered();
        Verdict { change: verdict.change.or(up.then_some(Change::Up)), ..verdict }
    }

    /// Whether it is time to look whether an endpoint that is down listens again.
    pub fn time_to_probe(&self, endpoint: &str, now: Instant) -> bool {
        let mut inner = self.inner();
        let pace = inner.of(endpoint, self.endpoint_limit);
        if pace.next_probe.is_some_and(|next| next > now) {
            return false;
        }
        pace.next_probe.replace(now + self.probe_every).is_some()
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

impl Pace {
    fn new(limit: usize) -> Self {
        Self { in_flight: 0, limit, pauses: 0, paused_at: None, not_before_ms: 0, down: false, next_probe: None }
    }

    /// Takes over what the store says, which who retries by hand has lifted; a pause that is fresh the store may not know yet.
    fn learn_pause(&mut self, stored_ms: i64) {
        let fresh = self.paused_at.is_some_and(|paused_at| paused_at.elapsed() < FRESH);
        self.not_before_ms = if fresh { stored_ms.max(self.not_before_ms) } else { stored_ms };
    }

    /// Any answer is a sign of life; says whether it was the first one.
    fn answered(&mut self) -> bool {
        self.next_probe = None;
        std::mem::take(&mut self.down)
    }

    fn accepted(&mut self, limit: usize) -> Verdict {
        self.limit = (self.limit + 1).min(limit);
        self.pauses = 0;
        Verdict::default()
    }

    fn slow_down(&mut self, asked: Option<Duration>, began: Instant, now_ms: i64) -> Verdict {
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

    fn lost(&mut self, reason: &'static str) -> Verdict {
        self.down = true;
        Verdict { change: Some(Change::Down(reason)), free_pause: None }
    }
}

fn share(mut due: Vec<(String, usize)>, mut room: usize, turn: usize, plan: &mut Plan) {
    if due.is_empty() {
        return;
    }
    let first = turn % due.len();
    due.rotate_left(first);
    for served in 0..due.len() {
        let even = room / (due.len() - served).min(ENDPOINTS_A_CLAIM);
        let (endpoint, wants) = &due[served];
        let gets = (*wants).min(even.max(1)).min(room);
        if gets == 0 || plan.wanted.len() == ENDPOINTS_A_CLAIM {
            plan.starved = true;
            return;
        }
        room -= gets;
        plan.starved |= gets < *wants;
        plan.wanted.push((endpoint.clone(), i64::try_from(gets).unwrap_or(i64::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: &str, next_due_ms: i64) -> Waiting {
        Waiting { id: id.into(), url: String::new(), stopped: false, not_before_ms: 0, down: None, next_due_ms }
    }

    fn answer(meaning: Meaning, retry_after_s: Option<u64>) -> Answer {
        Answer {
            meaning,
            status: None,
            reason: None,
            detail: None,
            response: None,
            retry_after: retry_after_s.map(Duration::from_secs),
        }
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
        assert_eq!(plan.wanted, [("b".to_owned(), 8)]);
        assert!(plan.starved);
    }

    #[test]
    fn room_is_shared_and_what_is_not_due_is_waited_for() {
        let paces = paces();
        let agenda: Vec<Waiting> =
            ["a", "b", "c", "d"].map(|id| waiting(id, 0)).into_iter().chain([waiting("e", 50)]).collect();
        let plan = paces.plan(&agenda, 10);
        assert_eq!(plan.wanted.iter().map(|(_, size)| *size).collect::<Vec<_>>(), [5, 5, 5, 5]);
        assert_eq!(plan.next_ms, Some(50));
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
        assert_eq!(paces.plan(&[waiting("a", 0)], 10_000).wanted, [("a".to_owned(), 3)]);
    }

    #[test]
    fn busy_answers_are_free_until_nothing_is_accepted_over_some_pauses() {
        let paces = paces();
        let busy = || paces.learn("a", &answer(Meaning::Busy, None), (Instant::now(), 0)).free_pause;
        assert_eq!([busy(), busy(), busy(), busy()].map(|pause| pause.is_some()), [true, true, true, false]);
        paces.learn("a", &answer(Meaning::Delivered, None), (Instant::now(), 0));
        assert_eq!(busy(), Some(FIRST_PAUSE));
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
