//! Triggered events: one message, and a delivery for each subscription, in one commit.

use std::collections::HashMap;

use bytes::Bytes;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{
    Store,
    accounts::Slice,
    chunks,
    endpoints::Waiting,
    ids::fresh_id,
    places::{List, Table, moved},
    queue::Claimed,
    subscribers::Subscriber,
};

/// What a delivery's row weighs on its way to the database.
const ROW_BYTES: usize = 250;
const HELD: i64 = -1;
/// For so long a key answers with its first response.
const KEY_MS: i64 = 24 * 3600 * 1000;

/// An event that was triggered.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Triggered {
    pub id: String,
    pub registration_id: String,
    pub created_us: i64,
}

/// An event that is to be stored.
pub struct NewEvent {
    pub triggered: Triggered,
    /// `webhook`, `ping` or `operational`.
    pub kind: &'static str,
    /// The event's name as JSON text.
    pub event: String,
    pub body: String,
    /// The account that triggers, and its key for this request.
    pub idempotency: Option<(String, String)>,
    pub subscribers: Vec<Subscriber>,
    /// Who holds what is sent at once, and until when.
    pub lease: Option<(String, i64)>,
    /// From so many failures on an account's deliveries are held.
    pub max_failed_count: i64,
    pub now_ms: i64,
}

impl NewEvent {
    /// Those whose account's endpoint is disabled.
    pub fn held(&self) -> impl Iterator<Item = &Subscriber> {
        self.subscribers.iter().filter(|subscriber| subscriber.failed_count >= self.max_failed_count)
    }

    /// What is sent at once, as a claim would give it, each with its line.
    pub fn claimed(&self, stored: &Stored) -> Vec<(Waiting, Claimed)> {
        let Some((_, leased_until_ms)) = self.lease else { return Vec::new() };
        let body = Bytes::from(self.body.clone());
        let sent = stored.ids.iter().zip(&self.subscribers).filter(|(_, subscriber)| subscriber.at_once);
        let claimed = sent.filter_map(|(id, subscriber)| {
            let line = subscriber.waiting()?;
            let claimed = Claimed {
                id: id.clone(),
                message_id: stored.message.clone(),
                endpoint_id: line.id.clone(),
                batch_id: None,
                step: 0,
                busy: 0,
                cancelled: false,
                leased_until_ms,
                body: body.clone(),
                subscription_id: Some(subscriber.subscription_id.clone()),
                account_id: Some(subscriber.account_id.clone()),
                profile: subscriber.profile,
                once: false,
                event: Some(self.event.clone()),
                secret: subscriber.secret.clone(),
                other_secret: subscriber.other_secret.clone(),
            };
            Some((line, claimed))
        });
        claimed.collect()
    }
}

/// What was stored.
#[derive(Clone, Debug)]
pub struct Stored {
    pub triggered: Triggered,
    /// The message and its deliveries, in the order of the subscribers; none when the key was used before.
    pub message: String,
    pub ids: Vec<String>,
}

impl Store {
    /// Commits the event with its deliveries, all or nothing; when the key was used within a day, gives what was stored then.
    pub async fn trigger(&self, new: &NewEvent) -> sqlx::Result<Stored> {
        let mut tx = self.db.write.begin().await?;
        if let Some(earlier) = take_key(&mut tx, new).await? {
            return Ok(Stored { triggered: earlier, message: String::new(), ids: Vec::new() });
        }
        let (message, ids) = insert_event(&mut tx, new, false).await?;
        // The last one, so that it is late only when the commit is.
        self.list_triggered(&mut tx, &new.triggered).await?;
        tx.commit().await?;
        Ok(Stored { triggered: new.triggered.clone(), message, ids })
    }

    async fn list_triggered(&self, connection: &mut AnyConnection, new: &Triggered) -> sqlx::Result<()> {
        let insert = |condition: &str| {
            let sql =
                format!("insert into triggered (id, registration_id, created_us) select $1, $2, $3 where {condition}");
            sqlx::query(AssertSqlSafe(sql)).bind(&new.id).bind(&new.registration_id).bind(new.created_us)
        };
        let timely = insert(&self.is_timely(Table::Triggered, "$3"));
        if timely.execute(&mut *connection).await?.rows_affected() == 1 {
            return Ok(());
        }
        let late = insert("true").execute(&mut *connection).await?.rows_affected();
        moved(connection, &[(Table::Triggered, late)]).await
    }

    /// Commits a test event for one subscription; gives the id of its delivery.
    pub async fn ping(&self, new: &NewEvent) -> sqlx::Result<Option<String>> {
        let mut tx = self.db.write.begin().await?;
        let (_, ids) = insert_event(&mut tx, new, true).await?;
        tx.commit().await?;
        Ok(ids.into_iter().next())
    }

    pub async fn triggered_one(&self, id: &str) -> sqlx::Result<Option<Triggered>> {
        sqlx::query_as("select * from triggered where id = $1").bind(id).fetch_optional(&self.db.read).await
    }

    /// In the order they were triggered.
    pub async fn triggered(&self, slice: Slice) -> sqlx::Result<Vec<Triggered>> {
        self.page(List { table: Table::Triggered, account: None }, slice).await
    }
}

/// Takes the idempotency key for this event; gives the event that has it already. Keys that are older than a day are free again.
async fn take_key(connection: &mut AnyConnection, new: &NewEvent) -> sqlx::Result<Option<Triggered>> {
    let Some((account, key)) = &new.idempotency else { return Ok(None) };
    let old = "delete from idempotency_keys where created_ms < $1";
    sqlx::query(old).bind(new.now_ms - KEY_MS).execute(&mut *connection).await?;
    let registration = &new.triggered.registration_id;
    let taken = sqlx::query(
        "insert into idempotency_keys (account_id, registration_id, key, triggered_id, triggered_us, created_ms) \
         values ($1,$2,$3,$4,$5,$6) on conflict (account_id, registration_id, key) do nothing",
    )
    .bind(account)
    .bind(registration)
    .bind(key)
    .bind(&new.triggered.id)
    .bind(new.triggered.created_us)
    .bind(new.now_ms)
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let earlier = "select triggered_id as id, registration_id, triggered_us as created_us from idempotency_keys \
                   where account_id = $1 and registration_id = $2 and key = $3";
    sqlx::query_as(earlier).bind(account).bind(registration).bind(key).fetch_optional(connection).await
}

/// The message and its deliveries; gives their ids.
async fn insert_event(
    connection: &mut AnyConnection,
    new: &NewEvent,
    once: bool,
) -> sqlx::Result<(String, Vec<String>)> {
    let message = fresh_id();
    sqlx::query("insert into messages (id, kind, body, created_ms, event, registration_id) values ($1,$2,$3,$4,$5,$6)")
        .bind(&message)
        .bind(new.kind)
        .bind(&new.body)
        .bind(new.now_ms)
        .bind(&new.event)
        .bind(&new.triggered.registration_id)
        .execute(&mut *connection)
        .await?;
    let lines = new_lines(connection, new).await?;
    let mut ids = Vec::with_capacity(new.subscribers.len());
    for subscribers in chunks(&new.subscribers, |_| ROW_BYTES) {
        let made = subscribers.iter().map(|_| fresh_id());
        let rows: Vec<(String, &Subscriber)> = made.zip(subscribers).collect();
        insert_deliveries(connection, (new, &message, once), (&rows, &lines)).await?;
        ids.extend(rows.into_iter().map(|(id, _)| id));
    }
    Ok((message, ids))
}

/// Makes the lines that are missing; gives their ids by subscription.
async fn new_lines(connection: &mut AnyConnection, new: &NewEvent) -> sqlx::Result<HashMap<String, String>> {
    let missing: Vec<&Subscriber> = new.subscribers.iter().filter(|subscriber| subscriber.line.is_none()).collect();
    let mut lines = HashMap::new();
    for subscribers in chunks(&missing, |subscriber| ROW_BYTES + subscriber.url.len()) {
        // An update that changes nothing gives the row that another producer made meanwhile.
        let sql = format!(
            "insert into endpoints (id, url, subscription_id, account_id, created_ms) values {} \
             on conflict (subscription_id, url) do update set account_id = excluded.account_id returning id, subscription_id",
            common::db::values(connection, subscribers.len(), 5)
        );
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for subscriber in subscribers {
            query = query.bind(fresh_id()).bind(&subscriber.url).bind(&subscriber.subscription_id);
            query = query.bind(&subscriber.account_id).bind(new.now_ms);
        }
        let made: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
        lines.extend(made.into_iter().map(|(id, subscription)| (subscription, id)));
    }
    Ok(lines)
}

async fn insert_deliveries(
    connection: &mut AnyConnection,
    (new, message, once): (&NewEvent, &str, bool),
    (rows, lines): (&[(String, &Subscriber)], &HashMap<String, String>),
) -> sqlx::Result<()> {
    let sql = format!(
        "insert into deliveries (id, message_id, endpoint_id, state, due_ms, created_ms, updated_ms, subscription_id, account_id, secret_id, profile, once, lease) \
         values {}",
        common::db::values(connection, rows.len(), 13)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (id, subscriber) in rows {
        let line = subscriber.line.as_ref().or_else(|| lines.get(&subscriber.subscription_id));
        let held = !once && subscriber.failed_count >= new.max_failed_count;
        let lease = new.lease.as_ref().filter(|_| subscriber.at_once);
        let due_ms = lease.map_or(new.now_ms, |(_, until_ms)| *until_ms);
        query = query.bind(id).bind(message).bind(line.map(String::as_str)).bind(if held { HELD } else { 0 });
        query = query.bind(due_ms).bind(new.now_ms).bind(new.now_ms).bind(&subscriber.subscription_id);
        query = query.bind(&subscriber.account_id).bind(&subscriber.secret_id).bind(subscriber.profile.number());
        query = query.bind(i64::from(once)).bind(lease.map(|(holder, _)| holder.as_str()));
    }
    query.execute(connection).await.map(drop)
}
