//! Rate limits: slots that are reserved before anything is claimed, so that a limit holds over several producers and over restarts.

use sqlx::AnyConnection;

use super::Store;

/// A limit that is set on a subscription or on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of the subscription or the account.
    pub id: String,
    /// Above 0.
    pub per_minute: i64,
    /// When the next one may be sent.
    pub next_slot_us: i64,
}

/// Slots are handed out for so long at once where they are closer together.
const BURST_US: i64 = 100_000;
/// The slowest rate's slot is a minute ahead; what is further ahead was taken before the clock was set back, and holds nobody.
const FURTHEST_US: i64 = 61_000_000;

impl Limit {
    const fn spacing_us(&self) -> i64 {
        let spacing_us = 60_000_000 / self.per_minute;
        if spacing_us > 0 { spacing_us } else { 1 }
    }

    /// How many slots may be taken at once.
    pub const fn burst(&self) -> i64 {
        let burst = BURST_US / self.spacing_us();
        if burst > 0 { burst } else { 1 }
    }

    /// The first millisecond in which the next slot is free.
    pub const fn free_ms(&self, now_ms: i64) -> i64 {
        let free_ms = self.next_slot_us.saturating_add(999) / 1000;
        if free_ms > now_ms.saturating_add(FURTHEST_US / 1000) { now_ms } else { free_ms }
    }
}

impl Store {
    /// Reserves so many slots of each of these limits, all or none; `false`: one of them is not free yet.
    pub async fn reserve(&self, limits: &[Limit], slots: i64, now_us: i64) -> sqlx::Result<bool> {
        let mut tx = self.db.write.begin().await?;
        for limit in limits {
            if !take(&mut tx, limit, slots, now_us).await? {
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Spacing counts from now on: slots that nobody took are gone, so that the rate holds in every window.
async fn take(connection: &mut AnyConnection, limit: &Limit, slots: i64, now_us: i64) -> sqlx::Result<bool> {
    let sql = "insert into limiters (id, next_slot_us) values ($1, $2) \
               on conflict (id) do update set next_slot_us = excluded.next_slot_us where limiters.next_slot_us <= $3 or limiters.next_slot_us > $4";
    let next_us = now_us.saturating_add(limit.spacing_us().saturating_mul(slots));
    let taken = sqlx::query(sql).bind(&limit.id).bind(next_us).bind(now_us);
    let taken = taken.bind(now_us.saturating_add(FURTHEST_US)).execute(connection).await?;
    Ok(taken.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_as_far_apart_as_the_rate_says_and_handed_out_a_tenth_of_a_second_at_once() {
        for (per_minute, spacing_us, burst) in
            [(1, 60_000_000, 1), (60, 1_000_000, 1), (600, 100_000, 1), (6000, 10_000, 10)]
        {
            let limit = Limit { id: String::new(), per_minute, next_slot_us: 1_000_001 };
            assert_eq!((limit.spacing_us(), limit.burst(), limit.free_ms(0)), (spacing_us, burst, 1001));
        }
    }

    #[test]
    fn a_slot_of_a_clock_that_was_an_hour_ahead_holds_nobody() {
        let limit = Limit { id: String::new(), per_minute: 1, next_slot_us: 3_600_000_000 };
        assert_eq!((limit.free_ms(3_599_000), limit.free_ms(5000)), (3_600_000, 5000));
    }
}
