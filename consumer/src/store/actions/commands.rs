//! Commands: one a device and action, from queued to its end.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::{self, Db};

pub use super::reports::{News, Report, Told, report};

use super::executions::{Execution, Step};

/// A command as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub device: String,
    pub number: i64,
    pub execution: String,
    pub device_name: String,
    pub action: String,
    pub function: String,
    /// JSON.
    pub parameters: String,
    pub state: String,
    pub expires_ms: i64,
    pub queued_ms: i64,
    pub sent_ms: Option<i64>,
    pub acknowledged_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    /// What the device said at the end.
    pub said: Option<String>,
}

const COLUMNS: &str = "device, number, execution, device_name, action, function, parameters, state, expires_ms, queued_ms, \
                       sent_ms, acknowledged_ms, ended_ms, said";
/// Columns of a new one.
const NEW: &str = "device, number, execution, device_name, action, function, parameters, state, expires_ms, queued_ms";
/// Commands of one reading.
const PAGE: i64 = 500;
/// The clocks of several nodes differ by so much at most.
const CLOCKS_DIFFER_MS: i64 = 30_000;

pub(super) async fn queue(
    connection: &mut AnyConnection,
    of: &Execution,
    step: &Step,
    number: i64,
) -> sqlx::Result<()> {
    let mut left = step.devices.as_slice();
    while !left.is_empty() {
        let (some, rest) = left.split_at(db::fitting(left, |_| step.parameters.len() + 200));
        let text = format!("insert into commands ({NEW}) values {}", db::values(connection, some.len(), 10));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for (id, name) in some {
            query = query.bind(id.clone()).bind(number).bind(of.id.clone()).bind(name.clone());
            query = query.bind(step.action.clone()).bind(step.function.clone()).bind(step.parameters.clone());
            query = query.bind("queued").bind(step.expires_ms).bind(of.at_ms);
        }
        query.execute(&mut *connection).await?;
        left = rest;
    }
    Ok(())
}

/// Commands that begin an emergency and are not done yet are not sent any more.
pub(super) async fn end_emergency(
    connection: &mut AnyConnection,
    devices: &[(String, String)],
    now_ms: i64,
) -> sqlx::Result<()> {
    let mut left = devices;
    while !left.is_empty() {
        let (some, rest) = left.split_at(db::step(left.len()));
        let text = format!(
            "update commands set state = 'expired', ended_ms = $1, said = 'the emergency ended first' \
             where function = 'enable_emergency' and state in ('queued', 'sent', 'acknowledged') and device in ({})",
            db::list(2, some.len())
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(now_ms);
        some.iter().fold(query, |query, (id, _)| query.bind(id.clone())).execute(&mut *connection).await?;
        left = rest;
    }
    Ok(())
}

/// The number of the newest command.
///
/// # Errors
/// When the database fails.
pub async fn head(db: &Db) -> sqlx::Result<i64> {
    sqlx::query_scalar("select version from versions where name = 'commands'").fetch_one(&db.read).await
}

/// Commands that nobody has acknowledged, after this number and device, in order, at most 500. What another node sent is among them: it may have gone
/// to a connection that is no longer the device's newest.
///
/// # Errors
/// When the database fails.
pub async fn since(db: &Db, number: i64, device: &str) -> sqlx::Result<Vec<Command>> {
    let text = format!(
        "select {COLUMNS} from commands where (number > $1 or (number = $1 and device > $2)) and state in ('queued', 'sent') \
         order by number, device limit $3"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(number).bind(device.to_owned()).bind(PAGE);
    query.fetch_all(&db.read).await?.iter().map(command).collect()
}

/// What a device has still to do after this number, in order, at most 500: what it did not acknowledge and is not too late, and what it acknowledged
/// after the last one that it says it did.
///
/// # Errors
/// When the database fails.
pub async fn waiting(db: &Db, device: &str, after: i64, (did, now_ms): (i64, i64)) -> sqlx::Result<Vec<Command>> {
    let text = format!(
        "select {COLUMNS} from commands where device = $1 and number > $2 and expires_ms > $4 and \
         (state in ('queued', 'sent') or (state = 'acknowledged' and number > $3)) order by number limit $5"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(device.to_owned()).bind(after).bind(did).bind(now_ms);
    query.bind(PAGE).fetch_all(&db.read).await?.iter().map(command).collect()
}

/// What the device acknowledged and did not end, in order.
///
/// # Errors
/// When the database fails.
pub async fn under_way(db: &Db, device: &str) -> sqlx::Result<Vec<Command>> {
    let text =
        format!("select {COLUMNS} from commands where device = $1 and state = 'acknowledged' order by number limit $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(device.to_owned()).bind(PAGE);
    query.fetch_all(&db.read).await?.iter().map(command).collect()
}

/// A device comes back and says the last command that it did: what it acknowledged up to there is done, and what it acknowledged after that and is
/// too late to be sent again has failed.
///
/// # Errors
/// When the database fails.
pub async fn settle(db: &Db, device: &str, did: i64, now_ms: i64) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    let text = "update commands set state = 'done', ended_ms = $3, said = 'said when it came back' \
                where device = $1 and state = 'acknowledged' and number <= $2";
    sqlx::query(text).bind(device.to_owned()).bind(did).bind(now_ms).execute(&mut *transaction).await?;
    let text = "update commands set state = 'failed', ended_ms = $3, said = 'acknowledged, and not done when it came back too late' \
                where device = $1 and state = 'acknowledged' and number > $2 and expires_ms <= $3";
    sqlx::query(text).bind(device.to_owned()).bind(did).bind(now_ms).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Commands whose time is over before they were acknowledged have expired. Gives how many.
///
/// # Errors
/// When the database fails.
pub async fn expire(db: &Db, now_ms: i64) -> sqlx::Result<u64> {
    let text = "select 1 from commands where state in ('queued', 'sent') and expires_ms <= $1 limit 1";
    // Nothing is written, and nobody's lock is waited for, while there is nothing to write.
    if sqlx::query(text).bind(now_ms).fetch_optional(&db.read).await?.is_none() {
        return Ok(0);
    }
    let text = "update commands set state = 'expired', ended_ms = $1, said = 'not acknowledged in its time' \
                where state in ('queued', 'sent') and expires_ms <= $1";
    Ok(sqlx::query(text).bind(now_ms).execute(&db.write).await?.rows_affected())
}

/// Commands that were queued by a clock ahead of ours expire as long after now as they were to after they were queued. A second time this moves
/// none.
///
/// # Errors
/// When the database fails.
pub async fn count_from(db: &Db, now_ms: i64) -> sqlx::Result<()> {
    let text = "update commands set expires_ms = $1 + expires_ms - queued_ms, queued_ms = $1 \
                where state in ('queued', 'sent') and queued_ms > $2";
    sqlx::query(text).bind(now_ms).bind(now_ms + CLOCKS_DIFFER_MS).execute(&db.write).await.map(drop)
}

pub(super) async fn of_execution(db: &Db, id: &str) -> sqlx::Result<Vec<Command>> {
    let text = format!("select {COLUMNS} from commands where execution = $1 order by number, device_name");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned());
    query.fetch_all(&db.read).await?.iter().map(command).collect()
}

/// The newest commands of a device, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn newest(db: &Db, device: &str, limit: i64) -> sqlx::Result<Vec<Command>> {
    let text = format!("select {COLUMNS} from commands where device = $1 order by number desc limit $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(device.to_owned()).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(command).collect()
}

fn command(row: &AnyRow) -> sqlx::Result<Command> {
    Ok(Command {
        device: row.try_get(0)?,
        number: row.try_get(1)?,
        execution: row.try_get(2)?,
        device_name: row.try_get(3)?,
        action: row.try_get(4)?,
        function: row.try_get(5)?,
        parameters: row.try_get(6)?,
        state: row.try_get(7)?,
        expires_ms: row.try_get(8)?,
        queued_ms: row.try_get(9)?,
        sent_ms: row.try_get(10)?,
        acknowledged_ms: row.try_get(11)?,
        ended_ms: row.try_get(12)?,
        said: row.try_get(13)?,
    })
}
