//! What is kept with the log so that no page has to count: totals of each source, and what arrived in each second.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{Row, any::AnyRow};

use common::db::{Db, Script, bind};

/// How many of each rank, in the order of [`crate::event::Rank::ALL`].
pub type Tally = [i64; 5];

const ADD_SECOND: &str = "insert into rates (second, source, low, moderate, major, critical, other) values (?, ?, ?, ?, ?, ?, ?) \
    on conflict (second, source) do update set low = rates.low + excluded.low, moderate = rates.moderate + excluded.moderate, \
    major = rates.major + excluded.major, critical = rates.critical + excluded.critical, other = rates.other + excluded.other";
const ADD_TOTAL: &str = "insert into counts (source, last_ms, low, moderate, major, critical, other) values (?, ?, ?, ?, ?, ?, ?) \
    on conflict (source) do update set low = counts.low + excluded.low, moderate = counts.moderate + excluded.moderate, \
    major = counts.major + excluded.major, critical = counts.critical + excluded.critical, other = counts.other + excluded.other, \
    last_ms = excluded.last_ms";

/// What came from one source.
#[derive(Clone, Debug)]
pub struct SourceCounts {
    pub source: String,
    pub tally: Tally,
    pub last_ms: i64,
}

/// The totals of every source in the order of their names; their sum is the offset of the log's newest event. They survive a power cut.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<SourceCounts>> {
    let rows = sqlx::query("select source, low, moderate, major, critical, other, last_ms from counts order by source")
        .fetch_all(&db.read)
        .await?;
    db.durable.flush().await?;
    rows.iter()
        .map(|row| Ok(SourceCounts { source: row.try_get(0)?, tally: tally(row, 1)?, last_ms: row.try_get(6)? }))
        .collect()
}

/// Counts per step of `step_s` seconds from `from_s` on, of one source or of all; steps without events are absent.
///
/// # Errors
/// When the database fails.
pub async fn rates(db: &Db, from_s: i64, step_s: i64, source: Option<&str>) -> sqlx::Result<Vec<(i64, Tally)>> {
    let text = "select cast(second / $2 * $2 as bigint), cast(sum(low) as bigint), cast(sum(moderate) as bigint), \
                cast(sum(major) as bigint), cast(sum(critical) as bigint), cast(sum(other) as bigint) \
                from rates where second >= $1 and ($3 = '' or source = $3) group by 1 order by 1";
    let query = sqlx::query(text).bind(from_s).bind(step_s).bind(source.unwrap_or_default().to_owned());
    query.fetch_all(&db.read).await?.iter().map(|row| Ok((row.try_get(0)?, tally(row, 1)?))).collect()
}

fn tally(row: &AnyRow, first: usize) -> sqlx::Result<Tally> {
    let mut tally = Tally::default();
    for (place, count) in tally.iter_mut().enumerate() {
        *count = row.try_get(first + place)?;
    }
    Ok(tally)
}

/// Adds a commit's events to the totals and the seconds, beside the insert that is the last statement so far; part of the commit. `arrived` is keyed by source and
/// second.
///
/// # Errors
/// When an argument cannot be written.
pub fn add(script: &mut Script, arrived: &BTreeMap<(Arc<str>, i64), Tally>) -> sqlx::Result<()> {
    let mut sources = BTreeMap::<&str, Vec<(i64, Tally)>>::new();
    for ((source, second), tally) in arrived {
        sources.entry(source).or_default().push((*second, *tally));
    }
    let mut is_first = true;
    for (source, seconds) in sources {
        let mut total = Tally::default();
        for (second, tally) in &seconds {
            let arguments = if is_first { script.beside(ADD_SECOND) } else { script.statement(ADD_SECOND) };
            is_first = false;
            bind(arguments, *second)?;
            bind(arguments, source.to_owned())?;
            tally.iter().try_for_each(|count| bind(arguments, *count))?;
            total.iter_mut().zip(tally).for_each(|(total, more)| *total += more);
        }
        let arguments = script.beside(ADD_TOTAL);
        bind(arguments, source.to_owned())?;
        bind(arguments, seconds.iter().map(|(second, _)| second * 1000).max())?;
        total.into_iter().try_for_each(|count| bind(arguments, count))?;
    }
    Ok(())
}

/// Moves events between the ranks of a source; part of the commit that changes them. `moves` is keyed by second, and each sums up to
/// nothing. Seconds that are forgotten stay so.
///
/// # Errors
/// When an argument cannot be written.
pub fn shift(script: &mut Script, source: &str, moves: &BTreeMap<i64, Tally>) -> sqlx::Result<()> {
    let mut total = Tally::default();
    for tally in moves.values() {
        total.iter_mut().zip(tally).for_each(|(total, more)| *total += more);
    }
    if total != Tally::default() {
        let arguments = script.statement(
            "update counts set low = low + ?, moderate = moderate + ?, major = major + ?, critical = critical + ?, \
             other = other + ? where source = ?",
        );
        total.into_iter().try_for_each(|count| bind(arguments, count))?;
        bind(arguments, source.to_owned())?;
    }
    if moves.is_empty() {
        return Ok(());
    }
    let row = format!("({})", ["cast(? as bigint)"; 6].join(","));
    let arguments = script.statement(&format!(
        "update rates set low = low + fresh.column2, moderate = moderate + fresh.column3, major = major + fresh.column4, \
         critical = critical + fresh.column5, other = other + fresh.column6 from (values {}) as fresh \
         where rates.second = fresh.column1 and rates.source = ?",
        vec![row; moves.len()].join(",")
    ));
    for (second, tally) in moves {
        bind(arguments, *second)?;
        tally.iter().try_for_each(|count| bind(arguments, *count))?;
    }
    bind(arguments, source.to_owned())
}

/// The totals of every source and what arrived in each second from `from_s` on, both of one moment; keyed by source, and by second and source. They
/// survive a power cut.
///
/// # Errors
/// When the database fails.
pub async fn state(
    db: &Db,
    from_s: i64,
) -> sqlx::Result<(BTreeMap<Arc<str>, Tally>, BTreeMap<(i64, Arc<str>), Tally>)> {
    let text = "select cast(null as bigint), source, low, moderate, major, critical, other from counts \
                union all select second, source, low, moderate, major, critical, other from rates where second >= $1";
    let (mut totals, mut seconds) = (BTreeMap::new(), BTreeMap::new());
    let rows = sqlx::query(text).bind(from_s).fetch_all(&db.read).await?;
    db.durable.flush().await?;
    for row in rows {
        let source: Arc<str> = row.try_get::<String, _>(1)?.into();
        match row.try_get::<Option<i64>, _>(0)? {
            None => totals.insert(source, tally(&row, 2)?),
            Some(second) => seconds.insert((second, source), tally(&row, 2)?),
        };
    }
    Ok((totals, seconds))
}
