//! How long to wait before connecting again, and whether what went wrong is new.

use std::time::Duration;

/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What went wrong one time after the other with one controller.
pub struct Patience {
    wait: Duration,
    last: Option<String>,
}

impl Patience {
    pub fn new() -> Self {
        Self { wait: FIRST_WAIT, last: None }
    }

    /// All is well.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The controller was served for so long. One that hangs up at once is not well yet: it would be connected to again and again.
    pub fn served(&mut self, lasted: Duration) {
        if lasted >= LONGEST_WAIT {
            self.reset();
        }
    }

    /// Something went wrong: gives how long to wait, and whether something else was wrong before.
    pub fn fail(&mut self, error: String) -> (Duration, bool) {
        let longer = (self.wait * 2).min(LONGEST_WAIT);
        let before = self.last.replace(error);
        (std::mem::replace(&mut self.wait, longer), before != self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_is_short_again_after_a_long_connection() {
        let mut patience = Patience::new();
        let mut waits = || (0..10).map(|_| patience.fail("refused".into()).0).collect::<Vec<_>>();
        let grown = waits();
        assert_eq!((grown[0], grown[1], grown[9]), (FIRST_WAIT, FIRST_WAIT * 2, LONGEST_WAIT));
        assert_eq!(waits(), [LONGEST_WAIT; 10]);
        patience.served(Duration::from_millis(5));
        assert_eq!(patience.fail("refused".into()), (LONGEST_WAIT, false), "it hung up at once");
        patience.served(Duration::from_hours(1));
        assert_eq!(patience.fail("refused".into()), (FIRST_WAIT, true));
    }

    #[test]
    fn the_same_error_is_new_only_once() {
        let mut patience = Patience::new();
        let mut is_new = |error: &str| patience.fail(error.into()).1;
        assert_eq!(["a", "a", "b", "b", "a"].map(&mut is_new), [true, false, true, false, true]);
    }
}
