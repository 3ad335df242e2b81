//! What an attempt came to, and when its delivery is tried again: by the schedule of its profile.

use std::time::Duration;

use common::time::now_ms;

use super::{
    Worker,
    answer::{Answer, Meaning},
    ms,
    pace::Verdict,
    retry,
};
use crate::store::{
    made::{Made, Outcome},
    queue::{Claimed, Profile},
};

/// Busy answers in all that cost a delivery no place in the schedule.
const FREE_TRIES: i64 = 10;
/// By so much each of these makes the delivery's next wait longer.
const BUSY_STEP: Duration = Duration::from_secs(1);

impl Worker {
    /// The attempt as it is recorded, and with it when it is tried again.
    pub(super) fn made(
        &self,
        claimed: Claimed,
        answer: Answer,
        verdict: Verdict,
        (at_ms, duration_ms): (i64, i64),
    ) -> Made {
        let free_pause = verdict.free_pause.filter(|_| claimed.busy < FREE_TRIES && !claimed.once);
        let (outcome, next_ms) = match (answer.meaning, free_pause) {
            (Meaning::Delivered, _) => (Outcome::Delivered, None),
            (Meaning::Never | Meaning::Gone, _) => (Outcome::Failed, None),
            (_, Some(pause)) => (Outcome::Retrying, Some(self.after_busy(&claimed, pause))),
            (_, None) => self.next_try(&claimed, answer.retry_after),
        };
        let keeps_headers = claimed.account_id.is_some();
        Made {
            claimed,
            holder: self.holder.clone(),
            at_ms,
            duration_ms,
            outcome,
            next_ms,
            status: answer.status,
            reason: answer.reason,
            detail: answer.detail,
            response: answer.response,
            endpoint: verdict.change,
            free: free_pause.is_some(),
            request_headers: answer.request_headers.filter(|_| keeps_headers),
            response_headers: answer.response_headers.filter(|_| keeps_headers),
        }
    }

    /// When a delivery that met a busy endpoint is tried again: after the endpoint's pause, later each time.
    fn after_busy(&self, claimed: &Claimed, pause: Duration) -> i64 {
        let longer = BUSY_STEP * u32::try_from(claimed.busy).unwrap_or_default();
        now_ms() + ms(pause + retry::jittered(longer, self.app.settings.retry_jitter, rand::random()))
    }

    fn next_try(&self, claimed: &Claimed, retry_after: Option<Duration>) -> (Outcome, Option<i64>) {
        let made = usize::try_from(claimed.step).unwrap_or(usize::MAX).saturating_add(1);
        let settings = &self.app.settings;
        let wait = match claimed.profile {
            _ if claimed.once => None,
            Profile::PyWebhooks => self.pywebhooks.wait_after(made),
            Profile::Tasks | Profile::Standard | Profile::Bare => settings
                .retry_schedule
                .wait_after(made)
                .map(|wait| retry::obeying(retry::jittered(wait, settings.retry_jitter, rand::random()), retry_after)),
        };
        wait.map_or((Outcome::Failed, None), |wait| (Outcome::Retrying, Some(now_ms() + ms(wait))))
    }
}
