//! Endpoints that fail are told of once in the log when it begins and once when it is over, however many attempts that takes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::answer::{Answer, Meaning};
use crate::{receiver::place, store::endpoints::Waiting};

/// An endpoint that fails now and then is told of no more often.
const QUIET: Duration = Duration::from_mins(1);
/// Endpoints that are remembered; others are not told of.
const REMEMBERED: usize = 10_000;

/// The endpoints that failed lately.
#[derive(Debug, Default)]
pub struct Spells(Mutex<HashMap<String, Spell>>);

#[derive(Debug)]
struct Spell {
    told_at: Instant,
    lasts: bool,
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Fails,
    Answers,
}

impl Spells {
    /// Learns from the answer to an attempt, and says in the log what is new in it.
    pub fn learn(&self, endpoint: &Waiting, answer: &Answer, now: Instant) {
        let (to, reason) = (place(&endpoint.url), answer.reason);
        match self.news(&endpoint.id, answer, now) {
            Some(News::Fails) => {
                let detail = answer.detail.as_deref();
                tracing::warn!(endpoint.id, to, reason, detail, "the receiver fails; its deliveries are tried again");
            }
            Some(News::Answers) => tracing::info!(endpoint.id, to, "the receiver takes deliveries again"),
            None => {}
        }
    }

    fn news(&self, endpoint: &str, answer: &Answer, now: Instant) -> Option<News> {
        let mut spells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer.meaning {
            Meaning::Delivered => {
                let spell = spells.get_mut(endpoint)?;
                std::mem::take(&mut spell.lasts).then_some(News::Answers)
            }
            // Nothing was sent.
            Meaning::Never => None,
            Meaning::Later | Meaning::Busy | Meaning::Unreachable | Meaning::Gone => {
                let is_quiet = |spell: &Spell| spell.lasts || now < spell.told_at + QUIET;
                if spells.len() >= REMEMBERED {
                    spells.retain(|_, spell| is_quiet(spell));
                }
                let is_told = spells.get(endpoint).map_or(spells.len() >= REMEMBERED, is_quiet);
                if !is_told {
                    spells.insert(endpoint.to_owned(), Spell { told_at: now, lasts: true });
                }
                (!is_told).then_some(News::Fails)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(meaning: Meaning) -> Answer {
        Answer::failed(meaning, "status", "500")
    }

    #[test]
    fn the_first_failure_and_the_first_success_after_it_are_news() {
        let (spells, now) = (Spells::default(), Instant::now());
        let news = |meaning, after_s| spells.news("a", &answer(meaning), now + Duration::from_secs(after_s));
        assert_eq!(news(Meaning::Delivered, 0), None);
        assert_eq!(news(Meaning::Later, 1), Some(News::Fails));
        assert_eq!(news(Meaning::Unreachable, 100), None, "it goes on");
        assert_eq!(news(Meaning::Never, 100), None);
        assert_eq!(news(Meaning::Delivered, 101), Some(News::Answers));
        assert_eq!(news(Meaning::Delivered, 102), None);
    }

    #[test]
    fn an_endpoint_that_fails_now_and_then_is_told_of_once_a_minute() {
        let (spells, now) = (Spells::default(), Instant::now());
        let failures = (0..600).filter(|after_s| {
            let fails = spells.news("a", &answer(Meaning::Busy), now + Duration::from_secs(*after_s));
            spells.news("a", &answer(Meaning::Delivered), now + Duration::from_secs(*after_s));
            fails.is_some()
        });
        assert_eq!(failures.count(), 10);
    }

    #[test]
    fn a_crowd_that_fails_is_not_all_told_of() {
        let (spells, now) = (Spells::default(), Instant::now());
        let told = (0..2 * REMEMBERED).filter(|id| spells.news(&id.to_string(), &answer(Meaning::Gone), now).is_some());
        assert_eq!(told.count(), REMEMBERED);
    }
}
