//! Executions: the commands of a call, committed together, and what became of them.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::{self, Db};

use super::{
    audit::{self, Entry},
    commands::{self, Command},
    emergencies::{self, Emergency},
    keys,
};

/// Executions that are kept, with their commands, and those with something still to do.
const MAX_KEPT: i64 = 2000;
const MAX_WAITING: i64 = 20_000;

/// What a call is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub execution: Execution,
    /// The event's JSON, for the log.
    pub body: String,
    pub steps: Vec<Step>,
    pub audit: Entry,
}

/// What is kept of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub id: String,
    pub event_id: String,
    /// Empty: no key was needed.
    pub key_id: String,
    pub key_name: String,
    pub from: String,
    pub at_ms: i64,
    pub emergency: bool,
}

/// One action of it: the same command for each device.
#[derive(Clone, Debug)]
pub struct Step {
    pub action: String,
    pub function: String,
    /// JSON.
    pub parameters: String,
    /// JSON.
    pub target: String,
    pub expires_ms: i64,
    /// Ids and names.
    pub devices: Vec<(String, String)>,
    pub emergency: Option<Word>,
}

/// What a step says of emergencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Begins {
        until_ms: Option<i64>,
    },
    /// What of it did not come yet is not told any more.
    Ends,
}

/// Commits the plan with a use of its key; false: the key is gone or used up, and nothing is done. Nor is anything when there is an execution of this
/// id already.
///
/// Numbers are given under a lock that is held for the whole commit, so who has seen number N has all before it.
///
/// # Errors
/// When the database fails; nothing is done then.
pub async fn execute(db: &Db, plan: Plan) -> sqlx::Result<bool> {
    let mut transaction = db.write.begin().await?;
    // The first statement takes the lock.
    let text = "update versions set version = version + $1 where name = 'commands' returning version";
    let steps = i64::try_from(plan.steps.len()).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query_scalar(text).bind(steps + 1).fetch_one(&mut *transaction).await?;
    let number = last - steps;
    let Execution { key_id, from, at_ms, .. } = &plan.execution;
    let at_ms = *at_ms;
    if !key_id.is_empty() && !keys::spend(&mut transaction, key_id, (at_ms, from)).await? {
        return Ok(false);
    }
    if !insert(&mut transaction, &plan, number).await? {
        return Ok(true);
    }
    for (step, number) in plan.steps.iter().zip(number + 1..) {
        run(&mut transaction, &plan.execution, step, number).await?;
    }
    audit::insert(&mut transaction, plan.audit).await?;
    forget(&mut transaction, at_ms).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn insert(connection: &mut AnyConnection, plan: &Plan, number: i64) -> sqlx::Result<bool> {
    let text = "insert into executions (id, number, event_id, key_id, key_name, called_from, called_ms, body, emergency) \
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing";
    let Execution { id, event_id, key_id, key_name, from, at_ms, emergency } = plan.execution.clone();
    let query = sqlx::query(text).bind(id).bind(number).bind(event_id).bind(key_id).bind(key_name).bind(from);
    let query = query.bind(at_ms).bind(plan.body.clone()).bind(i64::from(emergency));
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

async fn run(connection: &mut AnyConnection, of: &Execution, step: &Step, number: i64) -> sqlx::Result<()> {
    if let Some(word) = step.emergency {
        let (parameters, until_ms) = match word {
            Word::Begins { until_ms } => (Some(step.parameters.clone()), until_ms),
            Word::Ends => (None, None),
        };
        let said = Emergency { target: step.target.clone(), number, parameters, until_ms };
        emergencies::say(connection, said).await?;
    }
    if step.emergency == Some(Word::Ends) {
        commands::end_emergency(connection, &step.devices, of.at_ms).await?;
    }
    commands::queue(connection, of, step, number).await
}

/// The oldest go, with their commands, once nobody has anything to do of them and the log has them. What still waits after very many others has expired.
async fn forget(connection: &mut AnyConnection, now_ms: i64) -> sqlx::Result<()> {
    let text = "select number from executions order by number desc limit 1 offset $1";
    let Some(oldest) = sqlx::query_scalar::<_, i64>(text).bind(MAX_KEPT).fetch_optional(&mut *connection).await? else {
        return Ok(());
    };
    if let Some(end) = sqlx::query_scalar::<_, i64>(text).bind(MAX_WAITING).fetch_optional(&mut *connection).await? {
        let text = "update commands set state = 'expired', ended_ms = $2, said = 'very many others came after it' \
                    where number <= $1 and state in ('queued', 'sent', 'acknowledged')";
        sqlx::query(text).bind(end).bind(now_ms).execute(&mut *connection).await?;
    }
    let text = "select id from (select id from executions where number <= $1 and logged = 1 order by number limit 500) as old where not exists \
                (select 1 from commands where execution = old.id and state in ('queued', 'sent', 'acknowledged'))";
    let over: Vec<String> = sqlx::query_scalar(text).bind(oldest).fetch_all(&mut *connection).await?;
    for id in over {
        for text in ["delete from commands where execution = $1", "delete from executions where id = $1"] {
            sqlx::query(text).bind(id.clone()).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

const COLUMNS: &str = "id, event_id, key_id, key_name, called_from, called_ms, emergency";

/// The execution of this id; `None`: there is none (any more).
///
/// # Errors
/// When the database fails.
pub async fn by_id(db: &Db, id: &str) -> sqlx::Result<Option<Execution>> {
    let text = format!("select {COLUMNS} from executions where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned()).fetch_optional(&db.read).await?;
    row.as_ref().map(execution).transpose()
}

/// The newest executions first.
///
/// # Errors
/// When the database fails.
pub async fn newest(db: &Db, limit: i64) -> sqlx::Result<Vec<Execution>> {
    let text = format!("select {COLUMNS} from executions order by number desc limit $1");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(execution).collect()
}

/// How many commands of each of the executions stand in which state, as (execution, state, count).
///
/// # Errors
/// When the database fails.
pub async fn counts(db: &Db, executions: &[&str]) -> sqlx::Result<Vec<(String, String, i64)>> {
    if executions.is_empty() {
        return Ok(Vec::new());
    }
    let list = db::list(1, executions.len());
    let text = format!(
        "select execution, state, count(*) from commands where execution in ({list}) group by execution, state"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text));
    let rows = executions.iter().fold(query, |query, id| query.bind((*id).to_owned())).fetch_all(&db.read).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// The commands of an execution, in the order of their actions and then of their devices' names.
///
/// # Errors
/// When the database fails.
pub async fn commands(db: &Db, id: &str) -> sqlx::Result<Vec<Command>> {
    commands::of_execution(db, id).await
}

/// What the log does not have yet, the oldest first: the executions with their events' JSON.
///
/// # Errors
/// When the database fails.
pub async fn not_logged(db: &Db, before_ms: i64) -> sqlx::Result<Vec<(Execution, String)>> {
    let text = format!(
        "select {COLUMNS}, body from executions where logged = 0 and called_ms <= $1 order by number limit 100"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(before_ms).fetch_all(&db.read).await?;
    rows.iter().map(|row| Ok((execution(row)?, row.try_get(7)?))).collect()
}

/// The log has it.
///
/// # Errors
/// When the database fails.
pub async fn logged(db: &Db, id: &str) -> sqlx::Result<()> {
    let text = "update executions set logged = 1 where id = $1";
    sqlx::query(text).bind(id.to_owned()).execute(&db.write).await.map(drop)
}

fn execution(row: &AnyRow) -> sqlx::Result<Execution> {
    Ok(Execution {
        id: row.try_get(0)?,
        event_id: row.try_get(1)?,
        key_id: row.try_get(2)?,
        key_name: row.try_get(3)?,
        from: row.try_get(4)?,
        at_ms: row.try_get(5)?,
        emergency: row.try_get::<i64, _>(6)? != 0,
    })
}
