//! Kept events read anew: their ranks and what is shown of them change, and the counts with them, in one commit.

use std::collections::{BTreeMap, HashSet};

use sqlx::{AnyConnection, Row, any::AnyRow};
use uuid::Uuid;

use common::db::{self, Db, Kind, Script, bind};

use super::{counts, counts::Tally, events::written};
use crate::event::{Rank, Shown};

/// The setting that is another with each commit that changed what was in the log.
const VERSION: &str = "reread";

/// An event as it is kept.
#[derive(Debug)]
pub struct Kept {
    pub offset: i64,
    pub rank: Rank,
    pub shown: Shown,
    /// The device whose reading it is, which has the offset of its first one as its id.
    pub device: Option<i64>,
    /// `shown` to the letter: what has changed meanwhile is known by it.
    shown_text: Option<String>,
    received_ms: i64,
    pub request: String,
    pub body: String,
}

/// What an event becomes.
#[derive(Debug)]
pub struct Change<'a> {
    pub kept: &'a Kept,
    pub rank: Rank,
    pub shown: Shown,
}

/// The events of a source with an offset above `after` and at most `up_to`, in order, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn read(db: &Db, source: &str, (after, up_to): (i64, i64), limit: i64) -> sqlx::Result<Vec<Kept>> {
    let text = "select log_offset, priority, shown, received_ms, request, body, device from events \
                where log_offset > $1 and log_offset <= $2 and source = $3 order by log_offset limit $4";
    let query = sqlx::query(text).bind(after).bind(up_to).bind(source.to_owned()).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(kept).collect()
}

fn kept(row: &AnyRow) -> sqlx::Result<Kept> {
    let shown_text: Option<String> = row.try_get(2)?;
    Ok(Kept {
        offset: row.try_get(0)?,
        rank: row.try_get::<i64, _>(1)?.into(),
        shown: shown_text.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
        shown_text,
        received_ms: row.try_get(3)?,
        request: row.try_get(4)?,
        body: row.try_get(5)?,
        device: row.try_get(6)?,
    })
}

/// Makes the changes in one commit under the lock on the log, and gives how many were made: an event that is gone, or is no longer as it was
/// read, stays as it is.
///
/// # Errors
/// When the database fails. Then nothing of it is changed, and the connection is of no more use.
pub async fn change(
    connection: &mut AnyConnection,
    kind: Kind,
    source: &str,
    changes: &[Change<'_>],
) -> sqlx::Result<usize> {
    let mut script = Script::new(kind);
    // The first statement of either takes the lock, SQLite's on the whole file.
    script.statement(if kind == Kind::Sqlite { "begin immediate" } else { "begin" });
    script.statement("update log set head = head where name = 'events'");
    let mut left = changes;
    while !left.is_empty() {
        let (rows, rest) = left.split_at(db::fitting(left, size));
        update(&mut script, rows)?;
        left = rest;
    }
    let made =
        script.run(connection).await?.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<HashSet<i64>>>()?;
    let mut script = Script::new(kind);
    if !made.is_empty() {
        let made = changes.iter().filter(|change| made.contains(&change.kept.offset));
        counts::shift(&mut script, source, &moves(made))?;
        tell(&mut script)?;
    }
    script.statement("commit");
    script.run(connection).await?;
    Ok(made.len())
}

fn size(change: &Change) -> usize {
    let texts = [&change.shown.title, &change.shown.owner].into_iter().flatten().map(String::len).sum::<usize>();
    texts + change.kept.shown_text.as_ref().map_or(0, String::len) + 100
}

fn update(script: &mut Script, changes: &[Change]) -> sqlx::Result<()> {
    // What each column is, PostgreSQL cannot see from the places that values go to.
    let row = "(cast(? as bigint), cast(? as bigint), cast(? as text), cast(? as bigint), cast(? as text))";
    let arguments = script.statement(&format!(
        "update events set priority = fresh.column2, shown = fresh.column3 from (values {}) as fresh \
         where events.log_offset = fresh.column1 and events.priority = fresh.column4 \
         and coalesce(events.shown, '') = coalesce(fresh.column5, '') returning events.log_offset",
        vec![row; changes.len()].join(",")
    ));
    for Change { kept, rank, shown } in changes {
        bind(arguments, kept.offset)?;
        bind(arguments, i64::from(*rank))?;
        bind(arguments, written(shown))?;
        bind(arguments, i64::from(kept.rank))?;
        bind(arguments, kept.shown_text.clone())?;
    }
    Ok(())
}

/// How many more, or fewer, of each rank there are in each second.
fn moves<'a>(made: impl Iterator<Item = &'a Change<'a>>) -> BTreeMap<i64, Tally> {
    let mut moves = BTreeMap::<i64, Tally>::new();
    for Change { kept, rank, .. } in made.filter(|change| change.rank != change.kept.rank) {
        let tally = moves.entry(kept.received_ms / 1000).or_default();
        tally[kept.rank.index()] -= 1;
        tally[rank.index()] += 1;
    }
    moves
}

/// Lets every node see that what it has in memory is no longer what the log has.
fn tell(script: &mut Script) -> sqlx::Result<()> {
    let arguments = script.statement(
        "insert into settings (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
    );
    bind(arguments, VERSION)?;
    bind(arguments, Uuid::new_v4().to_string())
}

/// Another one whenever kept events were changed; `None` as long as none were.
///
/// # Errors
/// When the database fails.
pub async fn version(db: &Db) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("select value from settings where name = $1").bind(VERSION).fetch_optional(&db.read).await
}
