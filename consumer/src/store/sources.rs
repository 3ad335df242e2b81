//! The sources that were made on the page.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::Db;

/// A source as it is stored: texts that others write and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    /// JSON.
    pub guard: String,
    /// JSON, sealed.
    pub secrets: String,
    /// JSON.
    pub rules: Option<String>,
    pub stale_after_s: Option<i64>,
    pub rate_per_minute: Option<i64>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// What becomes of a source.
#[derive(Debug)]
pub enum Change {
    Write(Box<Row>),
    Remove,
}

const COLUMNS: &str = "name, guard, secrets, rules, stale_after_s, rate_per_minute, created_ms, updated_ms";

/// How often the sources were changed.
///
/// # Errors
/// When the database fails.
pub async fn version(db: &Db) -> sqlx::Result<i64> {
    sqlx::query_scalar("select version from versions where name = 'sources'").fetch_one(&db.read).await
}

/// Every source, and a version that is not newer than they are.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<(i64, Vec<Row>)> {
    let version = version(db).await?;
    let text = format!("select {COLUMNS} from sources order by name");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&db.read).await?;
    Ok((version, rows.iter().map(row).collect::<sqlx::Result<_>>()?))
}

/// Changes one source as `decide` says, who is told what it is now (`None`: it is not there) and how many there are; nobody else changes one meanwhile.
///
/// # Errors
/// The outer one when the database fails, the inner one is what `decide` says; nothing is changed then.
pub async fn change<E>(
    db: &Db,
    name: &str,
    decide: impl FnOnce(Option<Row>, i64) -> Result<Change, E>,
) -> sqlx::Result<Result<(), E>> {
    let mut transaction = db.write.begin().await?;
    // The first statement takes the lock.
    sqlx::query("update versions set version = version + 1 where name = 'sources'").execute(&mut *transaction).await?;
    let count = sqlx::query_scalar("select count(*) from sources").fetch_one(&mut *transaction).await?;
    let text = format!("select {COLUMNS} from sources where name = $1");
    let found = sqlx::query(sqlx::AssertSqlSafe(text)).bind(name.to_owned()).fetch_optional(&mut *transaction).await?;
    let change = match decide(found.as_ref().map(row).transpose()?, count) {
        Ok(change) => change,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match change {
        Change::Write(row) => write(&mut transaction, *row).await?,
        Change::Remove => remove(&mut transaction, name).await?,
    }
    transaction.commit().await.map(Ok)
}

async fn write(connection: &mut AnyConnection, row: Row) -> sqlx::Result<()> {
    let text = format!(
        "insert into sources ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (name) do update set guard = excluded.guard, \
         secrets = excluded.secrets, rules = excluded.rules, stale_after_s = excluded.stale_after_s, \
         rate_per_minute = excluded.rate_per_minute, updated_ms = excluded.updated_ms"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(row.name).bind(row.guard).bind(row.secrets).bind(row.rules);
    let query = query.bind(row.stale_after_s).bind(row.rate_per_minute).bind(row.created_ms).bind(row.updated_ms);
    query.execute(connection).await.map(drop)
}

/// What was not let in goes with it; what was received stays.
async fn remove(connection: &mut AnyConnection, name: &str) -> sqlx::Result<()> {
    for text in [
        "delete from sources where name = $1",
        "delete from rejected where source = $1",
        "delete from rejections where source = $1",
    ] {
        sqlx::query(text).bind(name.to_owned()).execute(&mut *connection).await?;
    }
    Ok(())
}

fn row(row: &AnyRow) -> sqlx::Result<Row> {
    Ok(Row {
        name: row.try_get(0)?,
        guard: row.try_get(1)?,
        secrets: row.try_get(2)?,
        rules: row.try_get(3)?,
        stale_after_s: row.try_get(4)?,
        rate_per_minute: row.try_get(5)?,
        created_ms: row.try_get(6)?,
        updated_ms: row.try_get(7)?,
    })
}
