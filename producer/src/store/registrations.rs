//! Registrations: the events that accounts offer.

use sqlx::{Any, AssertSqlSafe, FromRow, any::AnyArguments, query::Query};

use super::{
    Store,
    accounts::{Changed, Slice},
    devices::OF_DEVICES,
    places::{List, Table, moved},
};

/// A stored registration; what clients may give any JSON type is JSON text.
#[derive(Clone, Debug, FromRow)]
pub struct Registration {
    pub id: String,
    pub account_id: String,
    pub description: String,
    pub event: String,
    /// As it is sent.
    pub event_data: String,
    pub created_us: i64,
}

impl Store {
    /// Stores it; `false`: the account has `most` already.
    pub async fn create_registration(&self, new: &Registration, most: i64) -> sqlx::Result<bool> {
        let timely = insert(new, most, &self.is_timely(Table::Registrations, "$6"));
        if timely.execute(&self.db.write).await?.rows_affected() == 1 {
            return Ok(true);
        }
        let mut tx = self.db.write.begin().await?;
        let late = insert(new, most, "true").execute(&mut *tx).await?.rows_affected();
        moved(&mut tx, &[(Table::Registrations, late)]).await?;
        tx.commit().await?;
        Ok(late == 1)
    }

    pub async fn registration(&self, id: &str) -> sqlx::Result<Option<Registration>> {
        sqlx::query_as("select * from registrations where id = $1").bind(id).fetch_optional(&self.db.read).await
    }

    /// In the order they were made, everybody's.
    pub async fn registrations(&self, slice: Slice) -> sqlx::Result<Vec<Registration>> {
        self.page(List { table: Table::Registrations, account: None }, slice).await
    }

    /// In the order they were made, one account's.
    pub async fn registrations_of(&self, account: &str, slice: Slice) -> sqlx::Result<Vec<Registration>> {
        self.page(List { table: Table::Registrations, account: Some(account) }, slice).await
    }

    pub async fn describe(&self, id: &str, description: &str) -> sqlx::Result<Changed> {
        let sql = "update registrations set description = $2 where id = $1 and description <> $2";
        if sqlx::query(sql).bind(id).bind(description).execute(&self.db.write).await?.rows_affected() > 0 {
            return Ok(Changed::Replaced);
        }
        let exists = self.registration(id).await?.is_some();
        Ok(if exists { Changed::Unchanged } else { Changed::Skipped })
    }

    /// Deletes it and everybody's subscriptions to it; what is on its way is still sent. `false`: there is none.
    pub async fn delete_registration(&self, id: &str) -> sqlx::Result<bool> {
        let mut tx = self.db.write.begin().await?;
        let subscribed = "delete from subscriptions where registration_id = $1";
        let subscribed = sqlx::query(subscribed).bind(id).execute(&mut *tx).await?.rows_affected();
        let registered = "delete from registrations where id = $1";
        let registered = sqlx::query(registered).bind(id).execute(&mut *tx).await?.rows_affected();
        moved(&mut tx, &[(Table::Registrations, registered), (Table::Subscriptions, subscribed)]).await?;
        tx.commit().await?;
        Ok(registered > 0)
    }

    /// Deletes all but those of devices; subscriptions to them stay.
    pub async fn delete_registrations(&self) -> sqlx::Result<u64> {
        self.delete(Table::Registrations, format!("delete from registrations where account_id not in ({OF_DEVICES})"))
            .await
    }
}

/// Inserts it when the condition is met and the account has less than `most`.
fn insert<'q>(new: &'q Registration, most: i64, condition: &str) -> Query<'q, Any, AnyArguments> {
    let sql = format!(
        "insert into registrations (id, account_id, description, event, event_data, created_us) \
         select $1, $2, $3, $4, $5, $6 where {condition} and not exists \
         (select 1 from registrations where account_id = $2 order by created_us, id limit 1 offset $7)"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&new.id)
        .bind(&new.account_id)
        .bind(&new.description)
        .bind(&new.event)
        .bind(&new.event_data)
        .bind(new.created_us)
        .bind(most - 1)
}
