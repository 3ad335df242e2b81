//! Ids that sort by the time they were made at, and behind those of this process and those that waited when it started: the clock may be set back.
//! Several producers of one database rely on it that their clocks agree.

use std::sync::Mutex;

use uuid::{ClockSequence, ContextV7, Timestamp, Uuid};

use super::Store;

/// Of the process, as uuid's own is: ids are made in the middle of transactions, by functions that have a connection and no more.
static LAST: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// An id that sorts behind every one that this process has made before it.
pub(super) fn fresh_id() -> String {
    Uuid::new_v7(Timestamp::now(&LAST)).to_string()
}

impl Store {
    /// Lets the ids of this process sort behind those of the deliveries that wait: an ordered subscription is sent in the order of the ids.
    pub async fn go_on_with_ids(&self) -> sqlx::Result<()> {
        let newest = "select max(id) from deliveries where state <> 1 and state = 0";
        let newest: Option<String> = sqlx::query_scalar(newest).fetch_one(&self.db.read).await?;
        go_on_behind(&LAST, newest.as_deref().unwrap_or_default());
        Ok(())
    }
}

fn go_on_behind(last: &impl ClockSequence, newest: &str) {
    let Some(time) = Uuid::parse_str(newest).ok().and_then(|id| id.get_timestamp()) else { return };
    let (seconds, subsec_nanos) = time.to_unix();
    let next_ms = u64::from(subsec_nanos / 1_000_000) + 1;
    let subsec_ms = u32::try_from(next_ms % 1000).expect("it is below 1000");
    last.generate_timestamp_sequence(seconds + next_ms / 1000, subsec_ms * 1_000_000);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_behind_those_of_a_clock_that_was_ahead() {
        let (hour_s, last) = (3600, Mutex::new(ContextV7::new()));
        let (now_s, nanos) = Timestamp::now(uuid::NoContext).to_unix();
        let stored = Uuid::new_v7(Timestamp::from_unix(uuid::NoContext, now_s + hour_s, 999_999_999)).to_string();
        go_on_behind(&last, &stored);
        let ids = [(); 3].map(|()| Uuid::new_v7(Timestamp::from_unix(&last, now_s, nanos)).to_string());
        assert!(stored < ids[0] && ids.is_sorted(), "{stored} {ids:?}");
    }

    #[test]
    fn what_is_no_id_of_ours_changes_nothing() {
        let last = Mutex::new(ContextV7::new());
        go_on_behind(&last, "");
        go_on_behind(&last, "delivery-1");
        let (now_s, nanos) = Timestamp::now(uuid::NoContext).to_unix();
        let id = Uuid::new_v7(Timestamp::from_unix(&last, now_s, nanos));
        assert_eq!(id.get_timestamp().unwrap().to_unix().0, now_s);
    }
}
