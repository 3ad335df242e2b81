//! What the sources of devices are stored as: registrations and subscriptions with ids of their own choice, and who reads which.

use sqlx::{Any, any::AnyArguments, query::Query};

use super::{
    Store,
    places::{Table, moved},
    registrations::Registration,
    subscriptions::Options,
};

/// The ids of the accounts that the sources of devices have: their names are lists, which begin with [`crate::accounts::DEVICES`].
pub(super) const OF_DEVICES: &str = "select id from accounts where username like '[\"hookcast devices\"%'";

/// Longer than producers lease a source, and than their clocks differ.
const LONGEST_LEASE_US: i64 = 60_000_000;

impl Store {
    /// Stores it unless there is one of this id.
    pub async fn ensure_registration(&self, new: &Registration) -> sqlx::Result<()> {
        let sql = "insert into registrations (id, account_id, description, event, event_data, created_us) \
                   values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing";
        let insert = sqlx::query(sql)
            .bind(&new.id)
            .bind(&new.account_id)
            .bind(&new.description)
            .bind(&new.event)
            .bind(&new.event_data)
            .bind(new.created_us);
        self.listed(Table::Registrations, insert).await
    }

    /// Stores the subscription, or gives the one of this id these options.
    pub async fn attach(
        &self,
        id: &str,
        (registration, account): (&str, &str),
        options: &Options,
        now_us: i64,
    ) -> sqlx::Result<()> {
        let sql = "insert into subscriptions (id, registration_id, account_id, profile, fifo, headers, created_us) \
                   values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do update set profile = excluded.profile, headers = excluded.headers";
        let insert = sqlx::query(sql)
            .bind(id)
            .bind(registration)
            .bind(account)
            .bind(options.profile.number())
            .bind(i64::from(options.fifo))
            .bind(options.headers.as_deref())
            .bind(now_us);
        self.listed(Table::Subscriptions, insert).await
    }

    /// Inserts what may come late, and gives its list another version: this is done once for each source, at a start.
    async fn listed(&self, table: Table, insert: Query<'_, Any, AnyArguments>) -> sqlx::Result<()> {
        let mut tx = self.db.write.begin().await?;
        let rows = insert.execute(&mut *tx).await?.rows_affected();
        moved(&mut tx, &[(table, rows)]).await?;
        tx.commit().await
    }

    /// The subscriptions to the registration of accounts whose name, a JSON text, begins so.
    pub async fn attached(&self, registration: &str, prefix: &str) -> sqlx::Result<Vec<String>> {
        let sql = "select s.id from subscriptions s join accounts a on a.id = s.account_id \
                   where s.registration_id = $1 and a.username like $2 escape '!'";
        let pattern = format!("{}%", super::log::escaped(prefix));
        sqlx::query_scalar(sql).bind(registration).bind(pattern).fetch_all(&self.db.write).await
    }

    /// Takes the lease of a source until then when it is free, has run out, or is `held_us`, the holder's own; `false`: another one has it. One that is
    /// longer than any is was taken before the clock was set back, and is free too.
    pub async fn lease_source(&self, source: &str, (held_us, until_us): (i64, i64), now_us: i64) -> sqlx::Result<bool> {
        let sql = "insert into source_leases (source, until_us) values ($1, $2) on conflict (source) do update \
                   set until_us = excluded.until_us \
                   where source_leases.until_us < $3 or source_leases.until_us = $4 or source_leases.until_us > $5";
        let query = sqlx::query(sql).bind(source).bind(until_us).bind(now_us).bind(held_us);
        let query = query.bind(now_us.saturating_add(LONGEST_LEASE_US));
        query.execute(&self.db.write).await.map(|taken| taken.rows_affected() == 1)
    }

    /// Gives the lease back when it is still held until then.
    pub async fn release_source(&self, source: &str, held_us: i64) -> sqlx::Result<()> {
        let sql = "delete from source_leases where source = $1 and until_us = $2";
        sqlx::query(sql).bind(source).bind(held_us).execute(&self.db.write).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::OF_DEVICES;
    use crate::accounts::DEVICES;

    #[test]
    fn the_accounts_of_devices_are_known_by_their_word() {
        assert!(OF_DEVICES.contains(&format!("'[\"{DEVICES}\"%'")));
    }
}
