//! What rules have fired and nobody has carried out yet.

use sqlx::{Row as _, any::AnyRow};

use common::db::{self, Db, Script, bind};

use super::audit::{self, Entry};
use crate::firing::Firing;

const COLUMNS: &str = "log_offset, rule, execution, source, event_id, rate_per_minute, sensor";

/// Writes them, in the commit of their events.
///
/// # Errors
/// When an argument cannot be written.
pub fn add(script: &mut Script, firings: &[Firing]) -> sqlx::Result<()> {
    let mut left = firings;
    while !left.is_empty() {
        let (some, rest) = left.split_at(db::fitting(left, |firing| firing.sensor.len() + firing.event_id.len() + 150));
        let text = format!("insert into firings ({COLUMNS}) values {}", db::marks(some.len(), 7));
        let arguments = script.statement(&text);
        for firing in some {
            bind(arguments, firing.offset)?;
            bind(arguments, firing.rule)?;
            bind(arguments, firing.execution.clone())?;
            bind(arguments, firing.source.to_string())?;
            bind(arguments, firing.event_id.clone())?;
            bind(arguments, firing.rate_per_minute)?;
            bind(arguments, firing.sensor.clone())?;
        }
        left = rest;
    }
    Ok(())
}

/// What waits, in the order of the log, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn waiting(db: &Db, limit: i64) -> sqlx::Result<Vec<Firing>> {
    let text = format!("select {COLUMNS} from firings order by log_offset, rule limit $1");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(limit).fetch_all(&db.read).await?;
    rows.iter().map(firing).collect()
}

/// How often the event id was executed in this time for who is called so and needs no key.
///
/// # Errors
/// When the database fails.
pub async fn times(db: &Db, who: &str, event_id: &str, (after_ms, to_ms): (i64, i64)) -> sqlx::Result<i64> {
    let text = "select count(*) from executions where key_id = '' and key_name = $1 and event_id = $2 \
                and called_ms > $3 and called_ms <= $4";
    let query = sqlx::query_scalar(text).bind(who.to_owned()).bind(event_id.to_owned()).bind(after_ms);
    query.bind(to_ms).fetch_one(&db.read).await
}

/// It is carried out.
///
/// # Errors
/// When the database fails.
pub async fn done(db: &Db, firing: &Firing) -> sqlx::Result<()> {
    let text = "delete from firings where log_offset = $1 and rule = $2";
    sqlx::query(text).bind(firing.offset).bind(firing.rule).execute(&db.write).await.map(drop)
}

/// It is not carried out; of several nodes that find so, one writes the line.
///
/// # Errors
/// When the database fails; then it still waits.
pub async fn refuse(db: &Db, firing: &Firing, line: Option<Entry>) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    let text = "delete from firings where log_offset = $1 and rule = $2";
    let gone = sqlx::query(text).bind(firing.offset).bind(firing.rule).execute(&mut *transaction).await?;
    if let Some(line) = line.filter(|_| gone.rows_affected() > 0) {
        audit::insert(&mut transaction, line).await?;
    }
    transaction.commit().await
}

/// Those like the first up to the place `last` of the log, which were not carried out meanwhile, are not; `line` says so, unless one like it was
/// written since `since_ms`.
///
/// # Errors
/// When the database fails; then they still wait.
pub async fn hold_back(db: &Db, (first, last): (&Firing, i64), line: Entry, since_ms: i64) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    // Whoever carried it out may have died before this was noted.
    let text = "delete from firings where exists (select 1 from executions where executions.id = firings.execution)";
    sqlx::query(text).execute(&mut *transaction).await?;
    let text = "delete from firings where source = $1 and event_id = $2 and log_offset <= $3 and rate_per_minute <= $4";
    let query = sqlx::query(text).bind(first.source.to_string()).bind(first.event_id.clone()).bind(last);
    let is_some = query.bind(first.rate_per_minute).execute(&mut *transaction).await?.rows_affected() > 0;
    let text = "select 1 from audit where who = $1 and what = $2 and subject = $3 and at_ms > $4 limit 1";
    let query = sqlx::query(text).bind(line.who.clone()).bind(line.what.clone()).bind(line.subject.clone());
    let is_told = query.bind(since_ms).fetch_optional(&mut *transaction).await?.is_some();
    if is_some && !is_told {
        audit::insert(&mut transaction, line).await?;
    }
    transaction.commit().await
}

fn firing(row: &AnyRow) -> sqlx::Result<Firing> {
    Ok(Firing {
        offset: row.try_get(0)?,
        rule: row.try_get(1)?,
        execution: row.try_get(2)?,
        source: row.try_get::<String, _>(3)?.into(),
        event_id: row.try_get(4)?,
        rate_per_minute: row.try_get(5)?,
        sensor: row.try_get(6)?,
    })
}
