//! Screens that ask to be paired, until the operator says yes or no, or until they stop asking.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::Db;

use super::devices::{Device, list};

/// A screen that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    pub key_sha256: String,
    pub code: String,
    pub name: String,
    pub from: String,
    pub asked_ms: i64,
    pub expires_ms: i64,
    pub refused: bool,
}

/// How many may ask at the same time: all together, and from one address.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    pub all: i64,
    pub of_address: i64,
}

/// How late it may be noted that somebody still asks.
const STALE_MS: i64 = 10_000;

const COLUMNS: &str = "key_sha256, code, name, called_from, asked_ms, expires_ms, refused";

/// Who asks again stays alive, with the code it has; under another name it gets another code, so that a yes to the code is a yes to the name that stood
/// beside it. Who was refused stays so. `None`: as many ask as may be, or the code is another's.
///
/// # Errors
/// When the database fails.
pub async fn ask(db: &Db, new: &Pairing, most: Most) -> sqlx::Result<Option<Pairing>> {
    let text = format!("select {COLUMNS} from pairings where key_sha256 = $1 and expires_ms > $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(new.key_sha256.clone()).bind(new.asked_ms);
    let known = row.fetch_optional(&db.read).await?.as_ref().map(pairing).transpose()?;
    // Who asks every other second is not written down each time.
    let is_fresh = |it: &Pairing| it.refused || (it.name == new.name && it.expires_ms > new.expires_ms - STALE_MS);
    if known.as_ref().is_some_and(is_fresh) {
        return Ok(known);
    }
    let mut transaction = db.write.begin().await?;
    forget_late(&mut transaction, new.asked_ms).await?;
    let again = "update pairings set code = case when name = $2 then code else $4 end, name = $2, expires_ms = $3 \
                 where key_sha256 = $1 and refused = 0";
    let query = sqlx::query(again).bind(new.key_sha256.clone()).bind(new.name.clone()).bind(new.expires_ms);
    let query = query.bind(new.code.clone());
    if query.execute(&mut *transaction).await?.rows_affected() == 0 {
        let text = "insert into pairings (key_sha256, code, name, called_from, asked_ms, expires_ms) select $1, $2, $3, $4, $5, $6 \
                    where (select count(*) from pairings where refused = 0) < $7 \
                    and (select count(*) from pairings where called_from = $4) < $8 on conflict do nothing";
        let query = sqlx::query(text).bind(new.key_sha256.clone()).bind(new.code.clone()).bind(new.name.clone());
        let query = query.bind(new.from.clone()).bind(new.asked_ms).bind(new.expires_ms);
        query.bind(most.all).bind(most.of_address).execute(&mut *transaction).await?;
    }
    let text = format!("select {COLUMNS} from pairings where key_sha256 = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(new.key_sha256.clone());
    let row = row.fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    row.as_ref().map(pairing).transpose()
}

async fn forget_late(connection: &mut AnyConnection, now_ms: i64) -> sqlx::Result<()> {
    sqlx::query("delete from pairings where expires_ms <= $1").bind(now_ms).execute(connection).await.map(drop)
}

/// Who waits for a word, in the order in which they came.
///
/// # Errors
/// When the database fails.
pub async fn waiting(db: &Db, now_ms: i64) -> sqlx::Result<Vec<Pairing>> {
    let text =
        format!("select {COLUMNS} from pairings where expires_ms > $1 and refused = 0 order by asked_ms, key_sha256");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(now_ms).fetch_all(&db.read).await?;
    rows.iter().map(pairing).collect()
}

/// What became of an acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is a device now, with the id.
    New(String),
    /// The screen of its name has its key now, and keeps all else.
    Replaced(String),
    /// Nobody waits with this code (any more).
    Gone,
    /// The name is another device's, or there are as many devices as may be; it still waits.
    Taken,
}

/// Where a screen that exists is put: its groups and its tags; what is `None` stays.
pub type Places = (Option<Vec<String>>, Option<Vec<String>>);

/// Gives the key of who waits with the code to the screen of this name, or makes one.
///
/// # Errors
/// When the database fails.
pub async fn accept(db: &Db, code: &str, new: Device, (places, max): (Places, i64)) -> sqlx::Result<Accepted> {
    let mut transaction = db.write.begin().await?;
    let text = "delete from pairings where code = $1 and refused = 0 and expires_ms > $2 returning key_sha256";
    let key = sqlx::query_scalar(text).bind(code.to_owned()).bind(new.paired_ms).fetch_optional(&mut *transaction);
    let Some(key) = key.await?.map(|key: String| key) else { return Ok(Accepted::Gone) };
    // Without a connection: whoever has the old key is not listened to any more.
    let text = "update action_devices set key_sha256 = $2, paired_ms = $3, session = null, online_until_ms = 0 \
                where name = $1 and kind = 'screen' returning id";
    let query = sqlx::query_scalar(text).bind(new.name.clone()).bind(key.clone()).bind(new.paired_ms);
    let replaced: Option<String> = query.fetch_optional(&mut *transaction).await?;
    if let Some(id) = replaced {
        let (groups, tags) = places;
        let text =
            "update action_devices set in_groups = coalesce($2, in_groups), tags = coalesce($3, tags) where id = $1";
        let query =
            sqlx::query(text).bind(id.clone()).bind(groups.as_deref().map(list)).bind(tags.as_deref().map(list));
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
        return Ok(Accepted::Replaced(id));
    }
    let id = new.id.clone();
    if !super::devices::insert(&mut transaction, new, key, max).await? {
        return Ok(Accepted::Taken);
    }
    transaction.commit().await?;
    Ok(Accepted::New(id))
}

/// Says no, for as long as `until_ms`; gives its name, `None`: nobody waits with this code.
///
/// # Errors
/// When the database fails.
pub async fn refuse(db: &Db, code: &str, (now_ms, until_ms): (i64, i64)) -> sqlx::Result<Option<String>> {
    let text = "update pairings set refused = 1, expires_ms = $3 where code = $1 and refused = 0 and expires_ms > $2 returning name";
    sqlx::query_scalar(text).bind(code.to_owned()).bind(now_ms).bind(until_ms).fetch_optional(&db.write).await
}

/// Who waits with this code; `None`: nobody (any more).
///
/// # Errors
/// When the database fails.
pub async fn by_code(db: &Db, code: &str, now_ms: i64) -> sqlx::Result<Option<Pairing>> {
    let text = format!("select {COLUMNS} from pairings where code = $1 and expires_ms > $2 and refused = 0");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(code.to_owned()).bind(now_ms);
    query.fetch_optional(&db.read).await?.as_ref().map(pairing).transpose()
}

fn pairing(row: &AnyRow) -> sqlx::Result<Pairing> {
    Ok(Pairing {
        key_sha256: row.try_get(0)?,
        code: row.try_get(1)?,
        name: row.try_get(2)?,
        from: row.try_get(3)?,
        asked_ms: row.try_get(4)?,
        expires_ms: row.try_get(5)?,
        refused: row.try_get::<i64, _>(6)? != 0,
    })
}
