//! How a delivery is tried, and what counts as delivered.

/// The manners of a delivery; a batch's are the engine's, a subscription's are what its owner chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// A batch's: the engine's own.
    Tasks,
    /// Four attempts; only 200 with a JSON body is success. What a subscription has unless told.
    #[default]
    PyWebhooks,
    /// The engine's own, for subscriptions: its schedule; any 2xx is success.
    Standard,
    /// The same, by a GET without a body: it only says that something changed. Evok's `complex_events: false`.
    Bare,
}

impl Profile {
    /// Attempts of the old profile.
    pub const PYWEBHOOKS_ATTEMPTS: usize = 4;

    pub const fn of(number: i64) -> Self {
        match number {
            1 => Self::PyWebhooks,
            2 => Self::Standard,
            3 => Self::Bare,
            _ => Self::Tasks,
        }
    }

    /// As it is stored.
    pub const fn number(self) -> i64 {
        match self {
            Self::Tasks => 0,
            Self::PyWebhooks => 1,
            Self::Standard => 2,
            Self::Bare => 3,
        }
    }

    /// What its owner calls it; a batch's has no name that could be chosen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::PyWebhooks => "pywebhooks",
            Self::Standard => "standard",
            Self::Bare => "bare",
        }
    }

    /// The one of this name that a subscription may have.
    pub fn named(name: &str) -> Option<Self> {
        [Self::PyWebhooks, Self::Standard, Self::Bare].into_iter().find(|profile| profile.as_str() == name)
    }

    /// How many attempts a delivery has; `once`: it is a test.
    pub const fn attempts(self, once: bool, schedule: usize) -> usize {
        match (once, self) {
            (true, _) => 1,
            (false, Self::PyWebhooks) => Self::PYWEBHOOKS_ATTEMPTS,
            (false, Self::Tasks | Self::Standard | Self::Bare) => schedule,
        }
    }
}
