//! Accounts and their keys.

use sqlx::{
    Any, AnyConnection, AssertSqlSafe, FromRow, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{
    Store,
    devices::OF_DEVICES,
    ids::fresh_id,
    offers::PAGE,
    places::{List, Table, moved},
};

/// A stored account; texts that clients may give any JSON type are JSON texts.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    /// JSON text.
    pub username: String,
    /// JSON text.
    pub endpoint: String,
    pub api_key_sha256: String,
    pub secret_id: String,
    /// The key that signs, encrypted.
    pub sealed_secret: String,
    pub is_admin: bool,
    /// `None`: it never had an endpoint.
    pub failed_count: Option<i64>,
    pub disabled_ms: Option<i64>,
    pub operational_url: Option<String>,
    pub rate_per_minute: i64,
    pub created_us: i64,
}

impl Account {
    /// Whether so many attempts failed in a row that what comes for it is held.
    #[must_use]
    pub fn is_disabled(&self, max_failed_count: i64) -> bool {
        self.failed_count.is_some_and(|failed| failed >= max_failed_count)
    }

    /// Where its events go; `None` when that is not a text, or empty.
    #[must_use]
    pub fn endpoint_url(&self) -> Option<String> {
        endpoint_url(&self.endpoint)
    }
}

/// The text behind an endpoint's JSON, when there is one.
#[must_use]
pub fn endpoint_url(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().filter(|url: &String| !url.is_empty())
}

impl FromRow<'_, AnyRow> for Account {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            username: row.try_get("username")?,
            endpoint: row.try_get("endpoint")?,
            api_key_sha256: row.try_get("api_key_sha256")?,
            secret_id: row.try_get("secret_id")?,
            sealed_secret: row.try_get("sealed")?,
            is_admin: row.try_get::<i64, _>("is_admin")? != 0,
            failed_count: row.try_get("failed_count")?,
            disabled_ms: row.try_get("disabled_ms")?,
            operational_url: row.try_get("operational_url")?,
            rate_per_minute: row.try_get("rate_per_minute")?,
            created_us: row.try_get("created_us")?,
        })
    }
}

/// An account that is to be made.
pub struct NewAccount {
    pub id: String,
    pub username: String,
    pub endpoint: String,
    pub api_key_sha256: String,
    pub sealed_secret: String,
    pub is_admin: bool,
    pub rate_per_minute: i64,
    pub created_us: i64,
}

/// A part of a list by place: at most 100 from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub start: i64,
    pub limit: i64,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Replaced,
    /// It was so already.
    Unchanged,
    /// There is no such record.
    Skipped,
}

const BY_ID: &str = "select a.*, s.sealed from accounts a join secrets s on s.id = a.secret_id where a.id = $1";
const BY_NAME: &str = "select a.*, s.sealed from accounts a join secrets s on s.id = a.secret_id where a.username = $1";

impl Store {
    /// Makes the account; `None`: the name is taken.
    pub async fn create_account(&self, new: &NewAccount) -> sqlx::Result<Option<Account>> {
        let mut tx = self.db.write.begin().await?;
        let secret_id = insert_secret(&mut tx, &new.id, &new.sealed_secret, new.created_us / 1000).await?;
        let timely = self.is_timely(Table::Accounts, "$9");
        if insert_account(new, &secret_id, &timely).execute(&mut *tx).await?.rows_affected() == 0 {
            let late = insert_account(new, &secret_id, "true").execute(&mut *tx).await?.rows_affected();
            if late == 0 {
                return Ok(None);
            }
            moved(&mut tx, &[(Table::Accounts, late)]).await?;
        }
        let account = sqlx::query_as(BY_ID).bind(&new.id).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(account))
    }

    /// The account of this name, which is a JSON text.
    pub async fn account_named(&self, username: &str) -> sqlx::Result<Option<Account>> {
        sqlx::query_as(BY_NAME).bind(username).fetch_optional(&self.db.read).await
    }

    pub async fn account(&self, id: &str) -> sqlx::Result<Option<Account>> {
        sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.db.read).await
    }

    /// In the order they were made.
    pub async fn accounts(&self, slice: Slice) -> sqlx::Result<Vec<Account>> {
        self.page(List { table: Table::Accounts, account: None }, slice).await
    }

    /// From place `start` on, the newest first, one more than fits on a page when there are more; those whose name or endpoint has the text in it.
    pub async fn newest_accounts(&self, text: &str, start: i64) -> sqlx::Result<Vec<Account>> {
        let sql = format!(
            "select a.*, s.sealed from (select id from accounts where $1 = '' or lower(username) like $2 escape '!' or lower(endpoint) like $2 escape '!' \
             order by created_us desc, id desc limit {} offset $3) page \
             join accounts a on a.id = page.id join secrets s on s.id = a.secret_id order by a.created_us desc, a.id desc",
            PAGE + 1
        );
        let pattern = super::offers::pattern(text);
        sqlx::query_as(AssertSqlSafe(sql)).bind(text).bind(pattern).bind(start).fetch_all(&self.db.read).await
    }

    /// Whether there is an account with an administrator's rights.
    pub async fn has_admin(&self) -> sqlx::Result<bool> {
        let sql = "select count(*) from (select 1 as one from accounts where is_admin = 1 limit 1) found";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&self.db.write).await.map(|found| found > 0)
    }

    /// Deletes the account, its registrations, its subscriptions and everybody's to its registrations; `false`: there is no such account.
    ///
    /// What waits for its endpoint is still sent; what is held for it is cancelled.
    pub async fn delete_account(&self, id: &str, now_ms: i64) -> sqlx::Result<bool> {
        let mut tx = self.db.write.begin().await?;
        let mut deleted = Vec::new();
        for (table, sql) in [
            (Table::Accounts, "delete from accounts where id = $1"),
            (
                Table::Subscriptions,
                "delete from subscriptions where account_id = $1 or registration_id in (select id from registrations where account_id = $1)",
            ),
            (Table::Registrations, "delete from registrations where account_id = $1"),
        ] {
            deleted.push((table, sqlx::query(sql).bind(id).execute(&mut *tx).await?.rows_affected()));
        }
        let held =
            "update deliveries set state = 3, updated_ms = $2 where account_id = $1 and state < 1 and state = -1";
        sqlx::query(held).bind(id).bind(now_ms).execute(&mut *tx).await?;
        moved(&mut tx, &deleted).await?;
        tx.commit().await?;
        Ok(deleted.contains(&(Table::Accounts, 1)))
    }

    /// Deletes every account but the administrators' and those of devices; what they registered and subscribed to stays.
    pub async fn delete_accounts(&self) -> sqlx::Result<u64> {
        let sql = format!("delete from accounts where is_admin = 0 and id not in ({OF_DEVICES})");
        self.delete(Table::Accounts, sql).await
    }

    /// Sets where its events go, and counts failures from 0 again; what is held for it goes there now.
    pub async fn set_endpoint(&self, id: &str, endpoint: &str, now_ms: i64) -> sqlx::Result<Changed> {
        let mut tx = self.db.write.begin().await?;
        let sql = "update accounts set endpoint = $2, failed_count = 0, disabled_ms = null \
                   where id = $1 and (endpoint <> $2 or failed_count is null or failed_count <> 0 or disabled_ms is not null)";
        let changed = sqlx::query(sql).bind(id).bind(endpoint).execute(&mut *tx).await?.rows_affected();
        super::failures::release(&mut tx, id, now_ms).await?;
        tx.commit().await?;
        Ok(if changed > 0 { Changed::Replaced } else { Changed::Unchanged })
    }

    /// Counts failures from 0 again, at the endpoint that it has; gives how many held events are sent now.
    pub async fn enable_account(&self, id: &str, now_ms: i64) -> sqlx::Result<u64> {
        let mut tx = self.db.write.begin().await?;
        let sql = "update accounts set failed_count = 0, disabled_ms = null where id = $1";
        sqlx::query(sql).bind(id).execute(&mut *tx).await?;
        let released = super::failures::release(&mut tx, id, now_ms).await?;
        tx.commit().await?;
        Ok(released)
    }

    /// Where the account is told what happened to it; `None`: nowhere.
    pub async fn set_operational_url(&self, id: &str, url: Option<&str>) -> sqlx::Result<()> {
        let sql = "update accounts set operational_url = $2 where id = $1";
        sqlx::query(sql).bind(id).bind(url).execute(&self.db.write).await.map(drop)
    }

    pub async fn set_api_key(&self, id: &str, sha256: &str) -> sqlx::Result<()> {
        let sql = "update accounts set api_key_sha256 = $2 where id = $1";
        sqlx::query(sql).bind(id).bind(sha256).execute(&self.db.write).await.map(drop)
    }

    /// Puts a new signing key in force; the one before signs beside it until `expires_ms`, and older ones end now.
    pub async fn rotate_secret(&self, id: &str, sealed: &str, (now_ms, expires_ms): (i64, i64)) -> sqlx::Result<()> {
        let mut tx = self.db.write.begin().await?;
        let older = "update secrets set expires_ms = $2 where account_id = $1 and expires_ms > $2";
        sqlx::query(older).bind(id).bind(now_ms).execute(&mut *tx).await?;
        let current = "update secrets set expires_ms = $2 where account_id = $1 and expires_ms is null";
        sqlx::query(current).bind(id).bind(expires_ms).execute(&mut *tx).await?;
        let secret_id = insert_secret(&mut tx, id, sealed, now_ms).await?;
        let sql = "update accounts set secret_id = $2 where id = $1";
        sqlx::query(sql).bind(id).bind(&secret_id).execute(&mut *tx).await?;
        tx.commit().await
    }

    /// Until when the key before the one in force signs beside it.
    pub async fn old_secret_expires(&self, id: &str, now_ms: i64) -> sqlx::Result<Option<i64>> {
        let sql = "select max(expires_ms) from secrets where account_id = $1 and expires_ms > $2";
        sqlx::query_scalar(sql).bind(id).bind(now_ms).fetch_one(&self.db.read).await
    }
}

async fn insert_secret(
    connection: &mut AnyConnection,
    account: &str,
    sealed: &str,
    now_ms: i64,
) -> sqlx::Result<String> {
    let id = fresh_id();
    sqlx::query("insert into secrets (id, account_id, sealed, created_ms) values ($1,$2,$3,$4)")
        .bind(&id)
        .bind(account)
        .bind(sealed)
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(id)
}

/// Inserts the account when the condition is met and its name is free.
fn insert_account<'q>(new: &'q NewAccount, secret_id: &'q str, condition: &str) -> Query<'q, Any, AnyArguments> {
    let sql = format!(
        "insert into accounts (id, username, endpoint, api_key_sha256, secret_id, is_admin, failed_count, rate_per_minute, created_us) \
         select $1, $2, $3, $4, $5, $6, $7, $8, $9 where {condition} on conflict (username) do nothing"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&new.id)
        .bind(&new.username)
        .bind(&new.endpoint)
        .bind(&new.api_key_sha256)
        .bind(secret_id)
        .bind(i64::from(new.is_admin))
        .bind((!new.is_admin).then_some(0_i64))
        .bind(new.rate_per_minute)
        .bind(new.created_us)
}
