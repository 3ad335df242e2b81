//! An attempt that was made, as it is handed over to be recorded.

use super::{endpoints::Change, queue::Claimed, record::MOVE_BYTES};

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Retrying,
    Failed,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        }
    }
}

/// An attempt that was made, ready to be recorded.
#[derive(Clone, Debug)]
pub struct Made {
    pub claimed: Claimed,
    pub holder: String,
    pub at_ms: i64,
    pub duration_ms: i64,
    pub outcome: Outcome,
    /// When it is tried again; only with `Outcome::Retrying`.
    pub next_ms: Option<i64>,
    pub status: Option<u16>,
    /// One word for programs.
    pub reason: Option<&'static str>,
    /// A sentence for people: what happened, and what to do.
    pub detail: Option<String>,
    /// The beginning of the answer's body.
    pub response: Option<String>,
    pub endpoint: Option<Change>,
    /// It costs no place in the schedule.
    pub free: bool,
    /// JSON arrays of pairs; kept for subscriptions.
    pub request_headers: Option<String>,
    pub response_headers: Option<String>,
}

impl Made {
    /// Whether it says anything of the receiver; some end without having been tried.
    pub fn was_tried(&self) -> bool {
        !matches!(self.reason, Some("stopped" | "cancelled"))
    }

    /// About what it weighs on the way to the database.
    pub(super) fn stored_bytes(&self) -> usize {
        let texts = [&self.detail, &self.response, &self.request_headers, &self.response_headers].into_iter().flatten();
        MOVE_BYTES + 60 + texts.map(String::len).sum::<usize>()
    }
}
