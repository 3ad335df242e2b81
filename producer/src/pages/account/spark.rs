//! How a subscription did of late: its newest deliveries as one small picture, and in words.

use common::page::percent;

use crate::store::{deliveries::State, totals::RECENT};

const STEP: usize = 6;
const HEIGHT: usize = 22;

/// One delivery. What failed is low, what waits a dot, so that it is told without colours too.
pub struct Bar {
    pub class: &'static str,
    pub x: usize,
    pub y: usize,
    pub height: usize,
}

pub struct Spark {
    pub bars: Vec<Bar>,
    pub words: String,
    /// Of those that have ended; empty when none has.
    pub success: String,
    pub class: &'static str,
}

impl Spark {
    /// Of deliveries with their attempts, oldest first.
    pub fn of(recent: &[(State, i64)]) -> Self {
        let first = RECENT.saturating_sub(recent.len());
        let bars = recent.iter().enumerate().map(|(place, recent)| bar((first + place) * STEP, *recent)).collect();
        let count = |state| i64::try_from(recent.iter().filter(|(found, _)| *found == state).count()).unwrap_or(0);
        let (delivered, failed) = (count(State::Delivered), count(State::Failed));
        let open = count(State::Waiting) + count(State::Held);
        let words = match recent.len() {
            0 => "nothing was sent yet".to_owned(),
            all => format!("of the last {all}: {delivered} delivered, {failed} failed, {open} under way"),
        };
        let (success, class) = match delivered + failed {
            0 => (String::new(), "other"),
            ended if failed == 0 => (percent(delivered, ended), "low"),
            ended if failed * 2 < ended => (percent(delivered, ended), "major"),
            ended => (percent(delivered, ended), "critical"),
        };
        Self { bars, words, success, class }
    }
}

fn bar(x: usize, (state, attempts): (State, i64)) -> Bar {
    let (class, height) = match state {
        State::Delivered if attempts > 1 => ("low", HEIGHT * 3 / 4),
        State::Delivered => ("low", HEIGHT),
        State::Failed => ("critical", HEIGHT / 3),
        State::Waiting if attempts > 0 => ("major", HEIGHT / 2),
        State::Waiting | State::Held | State::Cancelled => ("other", 3),
    };
    Bar { class, x, y: HEIGHT - height, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_told_in_words_and_as_a_share_of_what_has_ended() {
        let spark = Spark::of(&[(State::Delivered, 1), (State::Delivered, 2), (State::Failed, 4), (State::Waiting, 0)]);
        assert_eq!(spark.words, "of the last 4: 2 delivered, 1 failed, 1 under way");
        assert_eq!((spark.success.as_str(), spark.class), ("66.7 %", "major"));
        assert_eq!(
            spark.bars.iter().map(|bar| bar.x).collect::<Vec<_>>(),
            [156, 162, 168, 174],
            "the newest is at the right"
        );
        assert_eq!(Spark::of(&[]).success, "");
    }
}
