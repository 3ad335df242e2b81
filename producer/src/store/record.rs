//! Recording what attempts came to: many at once, in one transaction.

use std::collections::{BTreeMap, HashMap};

use sqlx::{Any, AnyConnection, AssertSqlSafe, any::AnyArguments, query::Query};

use super::{
    Store, chunks,
    endpoints::Change,
    made::{Made, Outcome},
};

/// About what moving a delivery weighs.
pub(super) const MOVE_BYTES: usize = 140;

/// How a batch's counters move.
#[derive(Default)]
struct Tally {
    delivered: i64,
    failed: i64,
    retrying: i64,
    cancelled: i64,
}

/// A batch while its attempts are recorded.
struct Open {
    /// The next place in its event log.
    next_seq: i64,
    tally: Tally,
}

impl Store {
    /// Records the attempts and moves their deliveries, batches and endpoints, all or nothing.
    ///
    /// An attempt whose lease was lost meanwhile is kept in the history; it moves a delivery that still waits if it delivered it, else nothing.
    /// An account whose failed attempts reach `max_failed_count` is disabled.
    pub async fn record(&self, made: &mut [Made], max_failed_count: i64, now_ms: i64) -> sqlx::Result<()> {
        made.sort_by(|left, right| left.claimed.id.cmp(&right.claimed.id));
        let mut tx = self.db.write.begin().await?;
        let mut batches = open_batches(&mut tx, made).await?;
        let mut rows = Vec::with_capacity(made.len());
        // Two attempts of one delivery are moved one after the other.
        for run in made.chunk_by(|left, right| left.claimed.id != right.claimed.id) {
            for chunk in chunks(run, |_| MOVE_BYTES) {
                let moved = move_deliveries(&mut tx, chunk, now_ms).await?;
                for attempt in chunk {
                    rows.push((attempt, place(&mut tx, attempt, &moved, &mut batches).await?));
                }
            }
        }
        for chunk in chunks(&rows, |(attempt, _)| attempt.stored_bytes()) {
            insert_attempts(&mut tx, chunk).await?;
        }
        for (id, batch) in &batches {
            close_batch(&mut tx, id, &batch.tally, now_ms).await?;
        }
        super::failures::count(&mut tx, made, max_failed_count, now_ms).await?;
        for (endpoint, change) in changes(made) {
            super::endpoints::change(&mut tx, endpoint, change, (now_ms, self.db.kind)).await?;
        }
        tx.commit().await
    }
}

/// What was learnt of each endpoint, in the order it was learnt; what is said of one again and again stands once.
fn changes(made: &[Made]) -> Vec<(&str, &Change)> {
    fn order(attempt: &Made) -> (&str, i64) {
        (&attempt.claimed.endpoint_id, attempt.at_ms + attempt.duration_ms)
    }
    let mut learnt: Vec<&Made> = made.iter().filter(|attempt| attempt.endpoint.is_some()).collect();
    // By endpoint first, so that two producers take their locks in one order.
    learnt.sort_by(|left, right| order(left).cmp(&order(right)));
    let mut last: HashMap<&str, &Change> = HashMap::new();
    let changes =
        learnt.into_iter().filter_map(|made| Some((made.claimed.endpoint_id.as_str(), made.endpoint.as_ref()?)));
    changes.filter(|(endpoint, change)| last.insert(endpoint, change) != Some(change)).collect()
}

/// Locks the batches in the order of their ids and takes as many places in their logs as there are attempts.
async fn open_batches(connection: &mut AnyConnection, made: &[Made]) -> sqlx::Result<BTreeMap<String, Open>> {
    let mut sizes: BTreeMap<&str, i64> = BTreeMap::new();
    for batch in made.iter().filter_map(|attempt| attempt.claimed.batch_id.as_deref()) {
        *sizes.entry(batch).or_default() += 1;
    }
    let mut batches = BTreeMap::new();
    for (id, size) in sizes {
        let sql = "update batches set seq = seq + $2 where id = $1 returning seq";
        let seq: i64 = sqlx::query_scalar(sql).bind(id).bind(size).fetch_one(&mut *connection).await?;
        batches.insert(id.to_owned(), Open { next_seq: seq - size + 1, tally: Tally::default() });
    }
    Ok(batches)
}

/// The state an attempt leaves its delivery in, unless that was cancelled meanwhile.
const fn state_after(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Delivered => 1,
        Outcome::Failed => 2,
        Outcome::Retrying => 0,
    }
}

/// What a moved delivery came to: the number of the attempt, and its state.
type Moved = (i64, i64);

/// Moves the deliveries whose lease still holds, and those that were delivered although it does not; gives those.
async fn move_deliveries(
    connection: &mut AnyConnection,
    made: &[Made],
    now_ms: i64,
) -> sqlx::Result<HashMap<String, Moved>> {
    let sql = format!(
        "update deliveries set state = case when cancelled = 1 and v.column4 <> 1 then 3 else v.column4 end, due_ms = v.column5, status = v.column6, reason = v.column7, updated_ms = v.column8, \
         lease = null, attempts = attempts + 1, step = step + 1 - v.column9, busy = busy + v.column9 from (values {}) as v \
         where deliveries.id = v.column1 and deliveries.state = 0 \
         and (v.column4 = 1 or (deliveries.lease = v.column2 and deliveries.due_ms = v.column3)) \
         returning deliveries.id, deliveries.attempts, deliveries.state",
        common::db::values(connection, made.len(), 9)
    );
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    for attempt in made {
        query = query.bind(&attempt.claimed.id).bind(&attempt.holder).bind(attempt.claimed.leased_until_ms);
        query = query.bind(state_after(attempt.outcome)).bind(attempt.next_ms.unwrap_or(now_ms));
        query =
            query.bind(attempt.status.map(i64::from)).bind(attempt.reason).bind(now_ms).bind(i64::from(attempt.free));
    }
    let moved: Vec<(String, i64, i64)> = query.fetch_all(connection).await?;
    Ok(moved.into_iter().map(|(id, number, state)| (id, (number, state))).collect())
}

/// The attempt's number and its place in its batch's log; counts it if it moved its delivery.
async fn place(
    connection: &mut AnyConnection,
    attempt: &Made,
    moved: &HashMap<String, Moved>,
    batches: &mut BTreeMap<String, Open>,
) -> sqlx::Result<Place> {
    let moved = moved.get(&attempt.claimed.id).copied();
    let (number, state) = match moved {
        Some(moved) => moved,
        None => count_late(connection, &attempt.claimed.id).await?,
    };
    let mut place = Place { number, seq: None, again: state == 0 && attempt.outcome == Outcome::Retrying };
    let Some(batch) = attempt.claimed.batch_id.as_ref().and_then(|id| batches.get_mut(id)) else {
        return Ok(place);
    };
    place.seq = Some(batch.next_seq);
    batch.next_seq += 1;
    if moved.is_some() {
        batch.tally.count(state, number > 1);
    } else if state == 0 && number == 1 {
        batch.tally.retrying += 1;
    }
    Ok(place)
}

impl Tally {
    fn count(&mut self, state: i64, was_retrying: bool) {
        match state {
            1 => self.delivered += 1,
            2 => self.failed += 1,
            3 => self.cancelled += 1,
            _ => self.retrying += 1,
        }
        self.retrying -= i64::from(was_retrying);
    }
}

/// Counts an attempt that moves nothing; gives its number, and the delivery's state.
async fn count_late(connection: &mut AnyConnection, delivery: &str) -> sqlx::Result<Moved> {
    let sql = "update deliveries set attempts = attempts + 1 where id = $1 returning attempts, state";
    sqlx::query_as(sql).bind(delivery).fetch_one(connection).await
}

/// Where an attempt stands in the history.
#[derive(Clone, Copy)]
struct Place {
    number: i64,
    /// Its place in its batch's log.
    seq: Option<i64>,
    /// Whether the delivery is tried again; not when it was cancelled meanwhile.
    again: bool,
}

type Placed<'a> = (&'a Made, Place);

async fn insert_attempts(connection: &mut AnyConnection, rows: &[Placed<'_>]) -> sqlx::Result<()> {
    let sql = format!(
        "insert into attempts (delivery_id, number, step, batch_id, batch_seq, at_ms, duration_ms, outcome, status, reason, detail, response, \
         next_ms, request_headers, response_headers) values {}",
        common::db::values(connection, rows.len(), 15)
    );
    let query = sqlx::query(AssertSqlSafe(sql));
    let query = rows.iter().fold(query, |query, (attempt, place)| bind(query, attempt, *place));
    query.execute(connection).await.map(drop)
}

type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

fn bind<'q>(query: AnyQuery<'q>, attempt: &'q Made, place: Place) -> AnyQuery<'q> {
    let ended = attempt.outcome == Outcome::Retrying && !place.again;
    let outcome = if ended { Outcome::Failed } else { attempt.outcome };
    query
        .bind(&attempt.claimed.id)
        .bind(place.number)
        .bind(attempt.claimed.step + 1)
        .bind(attempt.claimed.batch_id.as_deref())
        .bind(place.seq)
        .bind(attempt.at_ms)
        .bind(attempt.duration_ms)
        .bind(outcome.as_str())
        .bind(attempt.status.map(i64::from))
        .bind(attempt.reason)
        .bind(attempt.detail.as_deref())
        .bind(attempt.response.as_deref())
        .bind(attempt.next_ms.filter(|_| place.again))
        .bind(attempt.request_headers.as_deref())
        .bind(attempt.response_headers.as_deref())
}

async fn close_batch(connection: &mut AnyConnection, id: &str, tally: &Tally, now_ms: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update batches set delivered = delivered + $2, failed = failed + $3, retrying = retrying + $4, cancelled = cancelled + $5, \
         ended_ms = case when delivered + failed + cancelled + $2 + $3 + $5 >= total then $6 else null end where id = $1",
    )
    .bind(id)
    .bind(tally.delivered)
    .bind(tally.failed)
    .bind(tally.retrying)
    .bind(tally.cancelled)
    .bind(now_ms)
    .execute(connection)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_delivery_leaves_the_retrying_ones_when_it_ends() {
        let mut tally = Tally::default();
        tally.count(0, false);
        tally.count(0, true);
        tally.count(1, true);
        tally.count(1, false);
        assert_eq!((tally.delivered, tally.failed, tally.retrying, tally.cancelled), (2, 0, 0, 0));
    }
}
