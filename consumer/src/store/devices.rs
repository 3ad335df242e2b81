//! The devices: what each said last, compared and written in the commit of its reading, and what it said before, read from the events.

use std::{collections::HashSet, iter};

use futures_util::TryStreamExt;
use sqlx::{
    Any, AnyConnection, AssertSqlSafe, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use common::db::{self, Db, Kind, Script, bind};

use super::events;
use crate::{
    devices::{
        Device, Key, Ledger, Placed,
        history::{Past, number},
    },
    event::{Event, NewEvent},
};

/// Devices of one log; a reading of any further one is an event like any other.
const MAX_DEVICES: usize = 10_000;
const COLUMNS: &str =
    "id, source, dev, circuit, name, type, value, unit, digest, log_offset, repeats, first_ms, changed_ms, last_ms";

/// The devices that the readings of a commit speak of, and how many new ones may be. Under the lock on the log, so that nobody changes them
/// before the commit; costs nothing where there is no reading.
///
/// # Errors
/// When the database fails.
pub async fn open(connection: &mut AnyConnection, kind: Kind, requests: &[Vec<NewEvent>]) -> sqlx::Result<Ledger> {
    let keys = requests.iter().flatten().filter_map(|event| {
        let reading = event.reading.as_deref()?;
        Some((&*event.source, reading.dev.as_str(), reading.circuit.as_str()))
    });
    let keys: Vec<_> = keys.collect::<HashSet<_>>().into_iter().collect();
    let mut known = Vec::with_capacity(keys.len());
    for some in pieces(&keys) {
        let mut script = Script::new(kind);
        let marks = db::marks(some.len(), 3);
        // Joined, as SQLite looks through the whole table for a list of several columns.
        let text = format!(
            "select {COLUMNS} from (values {marks}) as v \
             join devices on devices.source = v.column1 and devices.dev = v.column2 and devices.circuit = v.column3"
        );
        let arguments = script.statement(&text);
        for text in some.iter().flat_map(|(source, dev, circuit)| [source, dev, circuit]) {
            bind(arguments, (*text).to_owned())?;
        }
        for row in script.run(connection).await? {
            known.push(device(&row)?);
        }
    }
    let room = if known.len() < keys.len() { room(connection).await? } else { 0 };
    Ok(Ledger::new(known, room))
}

/// What goes into one statement each: few sizes, so that few statements are prepared.
fn pieces<T>(mut left: &[T]) -> impl Iterator<Item = &[T]> {
    iter::from_fn(move || {
        let (some, rest) = left.split_at_checked(db::step(left.len()))?;
        left = rest;
        Some(some)
    })
}

async fn room(connection: &mut AnyConnection) -> sqlx::Result<usize> {
    let count: i64 = sqlx::query_scalar("select count(*) from devices").fetch_one(connection).await?;
    Ok(MAX_DEVICES.saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)))
}

/// Writes the devices as they stand, and counts repeats on the events they repeat; part of the commit. An event that is not kept any more is
/// passed over.
///
/// # Errors
/// When an argument cannot be written.
pub fn note(script: &mut Script, placed: &Placed) -> sqlx::Result<()> {
    for rows in pieces(&placed.devices) {
        write(script, rows)?;
    }
    let again: Vec<_> = placed.again.iter().collect();
    for rows in pieces(&again) {
        let marks = db::marks(rows.len(), 3);
        let arguments = script.statement(&format!(
            "update events set repeats = events.repeats + v.column2, repeated_ms = v.column3 \
             from (values {marks}) as v where events.log_offset = v.column1"
        ));
        for (offset, again) in rows {
            [**offset, again.times, again.last_ms].into_iter().try_for_each(|number| bind(arguments, number))?;
        }
    }
    if !placed.devices.is_empty() {
        script.statement("update log set head = head + 1 where name = 'readings'");
    }
    Ok(())
}

fn write(script: &mut Script, devices: &[Device]) -> sqlx::Result<()> {
    let arguments = script.statement(&format!(
        "insert into devices ({COLUMNS}) values {} on conflict (id) do update set name = excluded.name, type = excluded.type, \
         value = excluded.value, unit = excluded.unit, digest = excluded.digest, log_offset = excluded.log_offset, \
         repeats = excluded.repeats, changed_ms = excluded.changed_ms, last_ms = excluded.last_ms",
        db::marks(devices.len(), 14)
    ));
    for device in devices {
        bind(arguments, device.id)?;
        bind(arguments, device.key.source.to_string())?;
        bind(arguments, device.key.dev.clone())?;
        bind(arguments, device.key.circuit.clone())?;
        bind(arguments, device.name.clone())?;
        bind(arguments, device.kind.clone())?;
        bind(arguments, device.value.clone())?;
        bind(arguments, device.unit.clone())?;
        bind(arguments, device.digest.clone())?;
        let numbers = [device.offset, device.repeats, device.first_ms, device.changed_ms, device.last_ms];
        numbers.into_iter().try_for_each(|number| bind(arguments, number))?;
    }
    Ok(())
}

/// Which devices are asked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub source: Option<String>,
    /// A part of the name, of `dev circuit`, or of the type, whatever its case.
    pub text: Option<String>,
    pub limit: i64,
}

/// The devices that match, by source, kind and circuit, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, search: &Search) -> sqlx::Result<(Vec<Device>, i64)> {
    let matching = "from devices where ($1 = '' or source = $1) and ($2 = '' or lower(coalesce(name, '')) like $2 escape '!' \
                    or lower(dev || ' ' || circuit) like $2 escape '!' or lower(type) like $2 escape '!')";
    let source = search.source.clone().unwrap_or_default();
    let part = search.text.as_deref().map(|part| events::pattern(&part.to_lowercase())).unwrap_or_default();
    let text = format!("select {COLUMNS} {matching} order by source, dev, circuit limit $3");
    let query = sqlx::query(AssertSqlSafe(text)).bind(source.clone()).bind(part.clone()).bind(search.limit);
    let found = query.fetch_all(&db.read).await?.iter().map(device).collect::<sqlx::Result<_>>()?;
    let text = format!("select count(*) {matching}");
    let total = sqlx::query_scalar(AssertSqlSafe(text)).bind(source).bind(part).fetch_one(&db.read).await?;
    Ok((found, total))
}

/// The device of this id; `None` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn by_id(db: &Db, id: i64) -> sqlx::Result<Option<Device>> {
    let text = format!("select {COLUMNS} from devices where id = $1");
    sqlx::query(AssertSqlSafe(text)).bind(id).fetch_optional(&db.read).await?.as_ref().map(device).transpose()
}

/// Moves when a reading came, on whichever node, changed or not.
///
/// # Errors
/// When the database fails.
pub async fn version(db: &Db) -> sqlx::Result<i64> {
    sqlx::query_scalar("select head from log where name = 'readings'").fetch_one(&db.read).await
}

/// The newest readings of each of the devices, at most `each`, newest first; those of one device follow each other.
///
/// # Errors
/// When the database fails.
pub async fn newest(db: &Db, ids: &[i64], each: i64) -> sqlx::Result<Vec<Past>> {
    let mut found = Vec::new();
    for some in pieces(ids) {
        let one = |place: usize| {
            format!(
                "select * from (select device, log_offset, received_ms, repeated_ms, body from events \
                 where device = ${} order by log_offset desc limit $1) as d{place}",
                place + 2
            )
        };
        let text = (0..some.len()).map(one).collect::<Vec<_>>().join(" union all ");
        let query = some.iter().fold(sqlx::query(AssertSqlSafe(text)).bind(each), |query, id| query.bind(*id));
        collect(query, db, &mut found).await?;
    }
    Ok(found)
}

/// The readings of a device that are kept, at most `limit`, newest first, of those before the offset.
///
/// # Errors
/// When the database fails.
pub async fn before(db: &Db, id: i64, offset: i64, limit: i64) -> sqlx::Result<Vec<Past>> {
    let text = "select device, log_offset, received_ms, repeated_ms, body from events \
                where device = $1 and log_offset < $2 order by log_offset desc limit $3";
    let mut found = Vec::new();
    collect(sqlx::query(text).bind(id).bind(offset).bind(limit), db, &mut found).await?;
    Ok(found)
}

/// Row by row, so that no two bodies are in memory at once.
async fn collect(query: Query<'_, Any, AnyArguments>, db: &Db, found: &mut Vec<Past>) -> sqlx::Result<()> {
    let mut rows = query.fetch(&db.read);
    while let Some(row) = rows.try_next().await? {
        found.push(past(&row)?);
    }
    Ok(())
}

/// The newest events of a device that are kept, at most `limit`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn events_of(db: &Db, id: i64, limit: i64) -> sqlx::Result<Vec<Event>> {
    let (columns, repeats) = (events::COLUMNS, events::REPEATS);
    let text = format!("select {columns}, {repeats} from events where device = $1 order by log_offset desc limit $2");
    let query = sqlx::query(AssertSqlSafe(text)).bind(id).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(events::event).collect()
}

/// Forgets the devices that were silent since `before_ms` and of which no event is kept, so that others have room; one that speaks again is a new one.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &Db, before_ms: i64) -> sqlx::Result<u64> {
    let mut transaction = db.write.begin().await?;
    // Who commits readings holds the same lock from their first look at the devices on.
    sqlx::query("update log set head = head where name = 'events'").execute(&mut *transaction).await?;
    let text =
        "delete from devices where last_ms < $1 and not exists (select 1 from events where events.device = devices.id)";
    let gone = sqlx::query(text).bind(before_ms).execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(gone)
}

fn past(row: &AnyRow) -> sqlx::Result<Past> {
    Ok(Past {
        device: row.try_get(0)?,
        offset: row.try_get(1)?,
        at_ms: row.try_get(2)?,
        repeated_ms: row.try_get(3)?,
        value: number(row.try_get(4)?),
    })
}

fn device(row: &AnyRow) -> sqlx::Result<Device> {
    let key = Key { source: row.try_get::<String, _>(1)?.into(), dev: row.try_get(2)?, circuit: row.try_get(3)? };
    Ok(Device {
        id: row.try_get(0)?,
        key,
        name: row.try_get(4)?,
        kind: row.try_get(5)?,
        value: row.try_get(6)?,
        unit: row.try_get(7)?,
        digest: row.try_get(8)?,
        offset: row.try_get(9)?,
        repeats: row.try_get(10)?,
        first_ms: row.try_get(11)?,
        changed_ms: row.try_get(12)?,
        last_ms: row.try_get(13)?,
    })
}
