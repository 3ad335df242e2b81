//! Subscriptions: who wants to be sent what, and how.

use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

pub use super::profile::Profile;
use super::{
    Store,
    accounts::Slice,
    devices::OF_DEVICES,
    offers::PAGE,
    places::{List, Table, moved},
};

/// What its owner chose for a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub profile: Profile,
    /// One after the other, in order.
    pub fifo: bool,
    /// 0: no limit.
    pub rate_per_minute: i64,
    /// JSON text of a filter.
    pub filter: Option<String>,
    /// JSON text of an object: name to value.
    pub headers: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    pub registration_id: String,
    pub account_id: String,
    pub options: Options,
    pub created_us: i64,
}

impl FromRow<'_, AnyRow> for Subscription {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            registration_id: row.try_get("registration_id")?,
            account_id: row.try_get("account_id")?,
            options: Options {
                profile: Profile::of(row.try_get("profile")?),
                fifo: row.try_get::<i64, _>("fifo")? != 0,
                rate_per_minute: row.try_get("rate_per_minute")?,
                filter: row.try_get("filter")?,
                headers: row.try_get("headers")?,
            },
            created_us: row.try_get("created_us")?,
        })
    }
}

/// What came of subscribing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    Done,
    /// The account has as many as it may have.
    TooMany,
    /// There is no such registration.
    NoRegistration,
}

impl Store {
    /// Stores a subscription with the default options.
    pub async fn subscribe(
        &self,
        id: &str,
        (registration, account): (&str, &str),
        (now_us, most): (i64, i64),
    ) -> sqlx::Result<Subscribed> {
        let insert = |condition: &str| {
            let sql = format!(
                "insert into subscriptions (id, registration_id, account_id, created_us) select $1, $2, $3, $4 where {condition} \
                 and exists (select 1 from registrations where id = $2) and not exists \
                 (select 1 from subscriptions where account_id = $3 order by created_us, id limit 1 offset $5)"
            );
            sqlx::query(AssertSqlSafe(sql)).bind(id).bind(registration).bind(account).bind(now_us).bind(most - 1)
        };
        let timely = insert(&self.is_timely(Table::Subscriptions, "$4"));
        if timely.execute(&self.db.write).await?.rows_affected() == 1 {
            return Ok(Subscribed::Done);
        }
        let mut tx = self.db.write.begin().await?;
        let late = insert("true").execute(&mut *tx).await?.rows_affected();
        moved(&mut tx, &[(Table::Subscriptions, late)]).await?;
        tx.commit().await?;
        if late == 1 {
            return Ok(Subscribed::Done);
        }
        let exists = self.registration(registration).await?.is_some();
        Ok(if exists { Subscribed::TooMany } else { Subscribed::NoRegistration })
    }

    pub async fn subscription(&self, id: &str) -> sqlx::Result<Option<Subscription>> {
        sqlx::query_as("select * from subscriptions where id = $1").bind(id).fetch_optional(&self.db.read).await
    }

    /// In the order they were made, everybody's.
    pub async fn subscriptions(&self, slice: Slice) -> sqlx::Result<Vec<Subscription>> {
        self.page(List { table: Table::Subscriptions, account: None }, slice).await
    }

    /// In the order they were made, one account's.
    pub async fn subscriptions_of(&self, account: &str, slice: Slice) -> sqlx::Result<Vec<Subscription>> {
        self.page(List { table: Table::Subscriptions, account: Some(account) }, slice).await
    }

    /// One account's from place `start` on, the newest first; one more than fits on a page, when there are more.
    pub async fn newest_subscriptions(&self, account: &str, start: i64) -> sqlx::Result<Vec<Subscription>> {
        let sql = format!(
            "select * from subscriptions where account_id = $1 order by created_us desc, id desc limit {} offset $2",
            PAGE + 1
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(account).bind(start).fetch_all(&self.db.read).await
    }

    /// Sets the options; `false`: there is no such subscription.
    pub async fn set_options(&self, id: &str, options: &Options) -> sqlx::Result<bool> {
        let sql = "update subscriptions set profile = $2, fifo = $3, rate_per_minute = $4, filter = $5, headers = $6 where id = $1";
        let set = sqlx::query(sql)
            .bind(id)
            .bind(options.profile.number())
            .bind(i64::from(options.fifo))
            .bind(options.rate_per_minute)
            .bind(options.filter.as_deref())
            .bind(options.headers.as_deref())
            .execute(&self.db.write)
            .await?;
        Ok(set.rows_affected() > 0)
    }

    /// Deletes it; what is on its way is still sent, and what is held for it is cancelled. `false`: there is none.
    pub async fn delete_subscription(&self, id: &str, now_ms: i64) -> sqlx::Result<bool> {
        let mut tx = self.db.write.begin().await?;
        let sql = "delete from subscriptions where id = $1";
        let deleted = sqlx::query(sql).bind(id).execute(&mut *tx).await?.rows_affected();
        let held =
            "update deliveries set state = 3, updated_ms = $2 where subscription_id = $1 and state < 1 and state = -1";
        sqlx::query(held).bind(id).bind(now_ms).execute(&mut *tx).await?;
        moved(&mut tx, &[(Table::Subscriptions, deleted)]).await?;
        tx.commit().await?;
        Ok(deleted > 0)
    }

    /// Deletes all but those of devices.
    pub async fn delete_subscriptions(&self) -> sqlx::Result<u64> {
        self.delete(Table::Subscriptions, format!("delete from subscriptions where account_id not in ({OF_DEVICES})"))
            .await
    }
}
