//! Wrong passwords and keys, counted by where they come from, so that nobody guesses for long.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_mins(1);
/// Addresses that are counted each by itself; those beyond share a count.
const MAX_ADDRESSES: usize = 100_000;

/// The wrong guesses of this minute, of this process.
#[derive(Debug)]
pub struct Guesses {
    most: u32,
    counts: Mutex<Counts>,
}

/// The wrong ones since a moment, by address; all are forgotten together.
#[derive(Debug)]
struct Counts {
    since: Instant,
    wrong: HashMap<IpAddr, u32>,
}

/// What became of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    Right,
    Wrong,
    /// It was not looked at: from there came too many wrong ones; in so long it is again.
    TooMany(Duration),
}

impl Guesses {
    /// `most`: what one address may guess wrong in a minute.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, counts: Mutex::new(Counts::new()) }
    }

    /// Looks at a guess, unless too many from there were wrong: else the answer would tell a guesser the right one.
    pub fn judge(&self, address: IpAddr, is_right: impl FnOnce() -> bool) -> Guess {
        let mut counts = self.counts();
        let wrong = counts.of(address);
        if *wrong >= self.most {
            return Guess::TooMany(counts.left());
        }
        if is_right() {
            return Guess::Right;
        }
        *wrong += 1;
        Guess::Wrong
    }

    /// Counts a wrong guess, where the right ones are taken however many were wrong: who guesses behind a proxy, or in a whole building, stops
    /// nobody else there.
    ///
    /// # Errors
    /// When this address guessed too often: for how long it goes on to be told so.
    pub fn count(&self, address: IpAddr) -> Result<(), Duration> {
        match self.judge(address, || false) {
            Guess::TooMany(wait) => Err(wait),
            Guess::Right | Guess::Wrong => Ok(()),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.elapsed() >= MINUTE {
            *counts = Counts::new();
        }
        counts
    }
}

impl Counts {
    fn new() -> Self {
        Self { since: Instant::now(), wrong: HashMap::new() }
    }

    fn of(&mut self, address: IpAddr) -> &mut u32 {
        let place = network(address);
        let is_new = self.wrong.len() >= MAX_ADDRESSES && !self.wrong.contains_key(&place);
        self.wrong.entry(if is_new { IpAddr::from([0, 0, 0, 0]) } else { place }).or_default()
    }

    fn left(&self) -> Duration {
        MINUTE.saturating_sub(self.since.elapsed())
    }
}

/// Who has one address of IPv6 has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_guessed_wrong_too_often_is_not_even_told_the_right_one_and_nobody_else_waits() {
        let guesses = Guesses::new(10);
        let guess = |from: &str, is_right| guesses.judge(address(from), || is_right);
        for _ in 0..20 {
            assert_eq!(guess("2001:db8::1", true), Guess::Right, "it costs nothing");
        }
        for _ in 0..10 {
            assert_eq!(guess("2001:db8::1", false), Guess::Wrong);
        }
        for neighbour in ["2001:db8::1", "2001:db8::ffff:1"] {
            assert!(matches!(guess(neighbour, true), Guess::TooMany(wait) if wait <= MINUTE), "{neighbour}");
        }
        for other in ["2001:db8:0:1::1", "10.0.0.1", "::ffff:10.0.0.2"] {
            assert_eq!(guess(other, true), Guess::Right, "{other}");
        }
    }

    #[test]
    fn a_crowd_of_guessers_takes_no_more_than_its_room() {
        let guesses = Guesses::new(20);
        for number in 0..u32::try_from(MAX_ADDRESSES).unwrap() + 100 {
            // Beyond the room they share a count, which is soon full.
            let _ = guesses.count(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        }
        assert!(guesses.counts().wrong.len() <= MAX_ADDRESSES + 1);
        assert!(guesses.count(address("192.0.2.1")).is_err(), "new ones share a count");
        assert_eq!(guesses.count(address("10.0.0.1")), Ok(()));
    }
}
