//! The end of the log: what arrives is appended in one commit, with its places.

use std::{
    collections::{BTreeMap, HashSet},
    mem,
    sync::Arc,
};

use sqlx::{AnyConnection, Row};

use common::db::{self, Db, Kind, Script, bind};

use super::{
    actions::firings,
    counts::{self, Tally},
    devices,
    events::{COLUMNS, written},
};
use crate::{
    devices::{Placed, place},
    event::{Event, NewEvent},
};

/// Rows of one insert at most.
const MAX_ROWS: usize = 256;

/// Appends to the log, over a connection of its own.
pub struct Appender {
    db: Db,
    connection: Option<AnyConnection>,
    /// Said once that there are as many devices as may be.
    warned: bool,
}

impl Appender {
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db, connection: None, warned: false }
    }

    /// Appends the events of the requests in one commit, which is still to be made durable, gives them their offsets, and counts them;
    /// what was there already (same source and `webhook-id`) is left out, and so is what a device said before, which is counted.
    ///
    /// The lock on the log is held for the whole commit, so a reader who sees offset N has all before it, on any number of nodes.
    ///
    /// # Errors
    /// When the database fails. Then nothing of it is stored, unless the connection broke in the very moment of the commit.
    pub async fn append(&mut self, requests: Vec<Vec<NewEvent>>) -> sqlx::Result<Placed> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.db.connect_deferred().await?,
        };
        let promise = self.db.durable.promise();
        let placed = in_transaction(&mut connection, &self.db, requests).await?;
        drop(promise);
        // Nobody knows what a connection is in the middle of on which something failed: it goes, and its transaction with it.
        self.connection = Some(connection);
        if placed.too_many && !mem::replace(&mut self.warned, true) {
            tracing::warn!("as many devices are known as may be; readings of further ones are kept as plain events");
        }
        Ok(placed)
    }
}

async fn in_transaction(connection: &mut AnyConnection, db: &Db, requests: Vec<Vec<NewEvent>>) -> sqlx::Result<Placed> {
    let kind = db.kind;
    let (head, known) = lock(connection, kind, &requests).await?;
    let ledger = devices::open(connection, kind, &requests).await?;
    let placed = place(head, requests, known, ledger);
    let mut script = Script::new(kind);
    if let Some(last) = placed.events.last() {
        let mut left = placed.events.as_slice();
        while !left.is_empty() {
            let (rows, rest) = left.split_at(rows_of_one_insert(db, left));
            insert(&mut script, rows)?;
            left = rest;
        }
        counts::add(&mut script, &arrived(&placed.events))?;
        bind(script.beside("update log set head = ? where name = 'events'"), last.offset)?;
    }
    devices::note(&mut script, &placed)?;
    firings::add(&mut script, &placed.firings)?;
    script.statement("commit");
    script.run(connection).await?;
    Ok(placed)
}

/// Begins the transaction and takes the log's lock; gives its head, and which of the events' `webhook-id`s it has, as (id, source).
async fn lock(
    connection: &mut AnyConnection,
    kind: Kind,
    requests: &[Vec<NewEvent>],
) -> sqlx::Result<(i64, HashSet<(String, String)>)> {
    let mut script = Script::new(kind);
    // The first statement of either takes the lock, SQLite's on the whole file.
    script.statement(if kind == Kind::Sqlite { "begin immediate" } else { "begin" });
    script.statement("update log set head = head where name = 'events' returning head, '' as id, '' as source");
    let ids: Vec<&str> = requests.iter().flatten().filter_map(|event| event.webhook_id.as_deref()).collect();
    for some in ids.chunks(MAX_ROWS) {
        let marks = db::marks(1, some.len());
        let arguments = script.statement(&format!("select log_offset, id, source from events where id in {marks}"));
        some.iter().try_for_each(|id| bind(arguments, (*id).to_owned()))?;
    }
    let mut rows = script.run(connection).await?.into_iter();
    let head = rows.next().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let known = rows.map(|row| Ok((row.try_get(1)?, row.try_get(2)?))).collect::<sqlx::Result<_>>()?;
    Ok((head, known))
}

/// SQLite is in this process; to PostgreSQL goes what does not stall on the way, in few sizes, so that few statements are prepared.
fn rows_of_one_insert(db: &Db, events: &[Arc<Event>]) -> usize {
    match db.kind {
        Kind::Sqlite => events.len().min(MAX_ROWS),
        Kind::Postgres => db.fitting(events, |event| event.stored_bytes()),
    }
}

fn insert(script: &mut Script, events: &[Arc<Event>]) -> sqlx::Result<()> {
    let arguments = script.statement(&format!("insert into events ({COLUMNS}) values {}", db::marks(events.len(), 9)));
    for event in events {
        bind(arguments, event.offset)?;
        bind(arguments, event.id.clone())?;
        bind(arguments, event.source.to_string())?;
        bind(arguments, i64::from(event.rank))?;
        bind(arguments, event.received_ms)?;
        bind(arguments, event.request.to_string())?;
        bind(arguments, event.body.clone())?;
        bind(arguments, written(&event.shown))?;
        bind(arguments, event.device)?;
    }
    Ok(())
}

fn arrived(events: &[Arc<Event>]) -> BTreeMap<(Arc<str>, i64), Tally> {
    let mut arrived = BTreeMap::<_, Tally>::new();
    for event in events {
        arrived.entry((event.source.clone(), event.received_ms / 1000)).or_default()[event.rank.index()] += 1;
    }
    arrived
}
