//! What the paces of several endpoints come to together.

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
fn only_lines_that_are_quick_and_idle_are_taken_from_a_trigger_and_only_while_there_is_room() {
    let paces = Paces::new(8, 1, Duration::from_secs(2));
    let lines: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    let all: Vec<Option<&str>> = lines.iter().map(|line| Some(line.as_str())).chain([None]).collect();
    assert_eq!(paces.reserve(&all, 0), [false; 7], "nothing is known of them");
    for line in &lines {
        paces.learn(line, &answer(Meaning::Delivered, None), (Instant::now(), 0));
    }
    paces.begin("0");
    assert_eq!(
        paces.reserve(&all, 0),
        [false, true, true, true, false, false, false],
        "four times one, with the busy one"
    );
    paces.free("1");
    assert_eq!(paces.reserve(&all[..3], 0), [false, true, false]);
    assert_eq!(paces.in_flight(), 4);
    paces.free("2");
    paces.plan(&[waiting("queued", 0)], 10);
    assert_eq!(paces.reserve(&all[2..3], 0), [false], "what is in the queue goes first");
    paces.caught_up();
    assert_eq!(paces.reserve(&all[2..3], 0), [true]);
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
