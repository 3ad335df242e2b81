//! Lists by place. A page near the beginning is counted out; a deep one is counted from a mark near it, which holds for one version of its list.
//!
//! A mark says how many rows stand before its row, so it is right until a row before it goes or comes. What goes, and what comes late, gives the list
//! another version in the same commit ([`moved`]), and a page is read together with the version. What comes at the end costs nothing: only rows
//! that are a minute old are marked, and a row is late when it is half a minute behind the newest one or behind the database's clock. So a mark
//! could be wrong only if, on PostgreSQL, an insert took longer than the other half minute to be committed.

use sqlx::{Any, AnyConnection, AssertSqlSafe, FromRow, any::AnyArguments, any::AnyRow, query::QueryAs};

use super::{
    Result, Store,
    accounts::Slice,
    ids::fresh_id,
    marks::{Key, Mark, Near, SPAN},
};
use common::db::Kind;

const LATE_US: i64 = 30_000_000;
const MARKED_US: i64 = 2 * LATE_US;

/// A table that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Accounts,
    Registrations,
    Subscriptions,
    Triggered,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Registrations => "registrations",
            Self::Subscriptions => "subscriptions",
            Self::Triggered => "triggered",
        }
    }

    /// More columns of a row, and where they come from.
    const fn more(self) -> (&'static str, &'static str) {
        match self {
            Self::Accounts => (", s.sealed", " join secrets s on s.id = t.secret_id"),
            _ => ("", ""),
        }
    }
}

/// All rows of a table, or those of one account, in the order they were made.
#[derive(Clone, Copy)]
pub struct List<'a> {
    pub table: Table,
    pub account: Option<&'a str>,
}

impl List<'_> {
    fn key(&self) -> Key {
        (self.table.name(), self.account.map(str::to_owned))
    }

    /// The condition of its rows, where the account is the placeholder of this number.
    fn rows(&self, number: u8) -> String {
        self.account.map_or_else(|| "true".to_owned(), |_| format!("account_id = ${number}"))
    }

    /// The text for a page of the rows that meet one condition, if the other one is met. The 100 stands inside of the join as well: PostgreSQL
    /// would take a parameter there for a tenth of the table, and read all of it.
    fn page(&self, rows: &str, condition: &str) -> String {
        let (table, (columns, joined)) = (self.table.name(), self.table.more());
        format!(
            "select t.*{columns} from (select id from {table} where {rows} order by created_us, id limit 100 offset $2) page \
             join {table} t on t.id = page.id{joined} where {condition} order by t.created_us, t.id limit $1"
        )
    }
}

type Rows<'q, T> = QueryAs<'q, Any, T, AnyArguments>;

impl Store {
    /// The part of the list that the slice asks for.
    pub(super) async fn page<T>(&self, list: List<'_>, slice: Slice) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        if slice.start >= SPAN {
            let near = self.near(list, slice.start).await?;
            let rows = marked(list, &near, slice).fetch_all(&self.db.read).await?;
            if !rows.is_empty() || self.version(list.table).await? == near.version {
                return Ok(rows);
            }
            // The next page sets marks anew, which takes about twice as long as to count.
            self.marks.forget(&list.key(), &near.version);
        }
        counted(list, slice).fetch_all(&self.db.read).await
    }

    /// A mark less than [`SPAN`] rows before the place, or the last one that can be set.
    async fn near(&self, list: List<'_>, place: i64) -> Result<Near> {
        let near = match self.marks.near(&list.key(), place) {
            Some(near) => near,
            None => Near { version: self.version(list.table).await?, mark: Mark::first() },
        };
        if place - near.mark.place < SPAN {
            return Ok(near);
        }
        let more = self.marks_after(list, &near, place).await?;
        let mark = more.last().unwrap_or(&near.mark).clone();
        self.marks.extend(list.key(), &near, more);
        Ok(Near { mark, ..near })
    }

    /// The marks that follow, up to the place; none when the list has another version by now.
    async fn marks_after(&self, list: List<'_>, near: &Near, place: i64) -> Result<Vec<Mark>> {
        let sql = marks_text(list, self.db.kind);
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(near.mark.place).bind(near.mark.created_us);
        query = query.bind(&near.mark.id).bind(place).bind(&near.version);
        if let Some(account) = list.account {
            query = query.bind(account);
        }
        let found: Vec<(i64, i64, String)> = query.fetch_all(&self.db.read).await?;
        Ok(found.into_iter().map(|(place, created_us, id)| Mark { place, created_us, id }).collect())
    }

    /// The version of the table's lists; the first one is made when it is asked for.
    async fn version(&self, table: Table) -> Result<String> {
        let sql = "select version from lists where name = $1";
        if let Some(version) = sqlx::query_scalar(sql).bind(table.name()).fetch_optional(&self.db.read).await? {
            return Ok(version);
        }
        let first = "insert into lists (name, version) values ($1, $2) on conflict (name) do nothing";
        sqlx::query(first).bind(table.name()).bind(fresh_id()).execute(&self.db.write).await?;
        sqlx::query_scalar(sql).bind(table.name()).fetch_one(&self.db.write).await
    }

    /// Deletes rows of the table by a statement without arguments; gives how many.
    pub(super) async fn delete(&self, table: Table, sql: String) -> Result<u64> {
        let mut tx = self.db.write.begin().await?;
        let deleted = sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?.rows_affected();
        moved(&mut tx, &[(table, deleted)]).await?;
        tx.commit().await?;
        Ok(deleted)
    }

    /// The condition that a row is not late, by its `created_us`, which is this placeholder. One that is must be inserted without it, and the list
    /// has [`moved`] then.
    pub(super) fn is_timely(&self, table: Table, created_us: &str) -> String {
        // SQLite has one writer at a time, so what it sees as the newest row is that; with PostgreSQL others may be on their way.
        let clock = match self.db.kind {
            Kind::Sqlite => String::new(),
            Kind::Postgres => format!(" and {created_us} >= {} - {LATE_US}", postgres_us("clock_timestamp()")),
        };
        let name = table.name();
        // Not `not exists`: PostgreSQL would expect to meet such a row soon, and read the whole table.
        format!("coalesce((select max(created_us) from {name}) <= {created_us} + {LATE_US}, true){clock}")
    }
}

fn postgres_us(time: &str) -> String {
    format!("cast(extract(epoch from {time}) * 1000000 as bigint)")
}

/// Counted out from the list's beginning.
fn counted<'q, T: for<'r> FromRow<'r, AnyRow>>(list: List<'q>, slice: Slice) -> Rows<'q, T> {
    let query = sqlx::query_as(AssertSqlSafe(list.page(&list.rows(3), "true"))).bind(slice.limit).bind(slice.start);
    match list.account {
        Some(account) => query.bind(account),
        None => query,
    }
}

/// Counted out from the mark; nothing when the list has another version by now.
fn marked<'q, T: for<'r> FromRow<'r, AnyRow>>(list: List<'q>, near: &'q Near, slice: Slice) -> Rows<'q, T> {
    let rows = format!("(created_us, id) >= ($3, $4) and {}", list.rows(6));
    let sql = list.page(&rows, &has_version(list.table));
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(slice.limit).bind(slice.start - near.mark.place);
    let query = query.bind(near.mark.created_us).bind(&near.mark.id).bind(&near.version);
    match list.account {
        Some(account) => query.bind(account),
        None => query,
    }
}

fn has_version(table: Table) -> String {
    format!("(select version from lists where name = '{}') = $5", table.name())
}

/// Walks from a mark (its place, `created_us` and id) to the place `$4`, once, and gives what stands each [`SPAN`] rows, while it is old enough.
fn marks_text(list: List<'_>, kind: Kind) -> String {
    let (table, rows) = (list.table.name(), list.rows(6));
    let clock = match kind {
        Kind::Sqlite => String::new(),
        Kind::Postgres => format!(" and t.created_us <= {} - {MARKED_US}", postgres_us("statement_timestamp()")),
    };
    format!(
        "with recursive marks (place, created_us, id) as (select cast($1 as bigint), cast($2 as bigint), cast($3 as text) \
         union all select m.place + {SPAN}, t.created_us, t.id from marks m join {table} t on t.id = (select id from {table} \
         where (created_us, id) >= (m.created_us, m.id) and {rows} order by created_us, id limit 1 offset {SPAN}) \
         where m.place + {SPAN} <= $4 and t.created_us <= (select max(created_us) from {table}) - {MARKED_US}{clock}) \
         select place, created_us, id from marks where place > $1 and {} order by place",
        has_version(list.table)
    )
}

/// Gives the lists of these tables another version, for so many rows of each that went, or came late; none: the list stays as it is.
///
/// It locks the lists, always in the same order, and is the last statement of its transaction: nobody waits for longer than a commit, and no two for
/// each other.
pub(super) async fn moved(connection: &mut AnyConnection, rows: &[(Table, u64)]) -> Result<()> {
    let moved = rows.iter().filter(|(_, count)| *count > 0);
    let mut values: Vec<String> = moved.map(|(table, _)| format!("('{}', $1)", table.name())).collect();
    values.sort();
    if values.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into lists (name, version) values {} on conflict (name) do update set version = excluded.version",
        values.join(", ")
    );
    sqlx::query(AssertSqlSafe(sql)).bind(fresh_id()).execute(connection).await.map(drop)
}
