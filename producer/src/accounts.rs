//! What is decided about accounts: their keys, the administrator, and a database made anew.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use common::{
    db, key,
    seal::Vault,
    time::{now_ms, now_us},
};

use crate::{
    canonical,
    config::Settings,
    store::{
        MIGRATIONS, Store,
        accounts::{Account, NewAccount},
        presence,
    },
};

/// The one name that can never be registered; the rights come from the record.
pub const ADMIN: &str = "admin";
/// The first word of the names, which are lists, of the accounts that the sources of devices have.
pub const DEVICES: &str = "hookcast devices";
/// Bytes of a key: 160 random bits.
const KEY_BYTES: usize = 20;
/// Wrong API keys that one address may try a minute. A good one from there is good all the same.
pub const GUESSES: u32 = 100;
/// For so long the key before the one in force signs beside it.
pub const GRACE: Duration = Duration::from_hours(24);

/// Both keys of a new account, in the clear: this is when they are seen.
pub struct Keys {
    pub api_key: String,
    pub secret_key: String,
}

/// A new random key, 40 characters of hex.
#[must_use]
pub fn new_key() -> String {
    key::random_hex(KEY_BYTES)
}

/// How an API key is stored and shown: its SHA-256. A slow hash guards passwords, which can be guessed; 160 random bits cannot.
#[must_use]
pub fn stored_form(api_key: &str) -> String {
    key::hex(&key::sha256(api_key.as_bytes()))
}

/// Makes an account with new keys; `username` and `endpoint` are JSON texts. `None`: the name is taken.
///
/// # Errors
/// When the database fails.
pub async fn create(
    (store, vault): (&Store, &Vault),
    (username, endpoint): (String, String),
    (is_admin, rate_per_minute): (bool, i64),
) -> sqlx::Result<Option<(Account, Keys)>> {
    let id = uuid::Uuid::new_v4().to_string();
    let keys = Keys { api_key: new_key(), secret_key: new_key() };
    let new = NewAccount {
        api_key_sha256: stored_form(&keys.api_key),
        sealed_secret: vault.seal(&keys.secret_key, &id),
        id,
        username,
        endpoint,
        is_admin,
        rate_per_minute,
        created_us: now_us(),
    };
    Ok(store.create_account(&new).await?.map(|account| (account, keys)))
}

/// Makes the administrator when there is none, and prints its keys this once.
///
/// # Errors
/// When the database fails, or the keys cannot be printed.
pub async fn ensure_admin(store: &Store, vault: &Vault) -> anyhow::Result<()> {
    if store.has_admin().await? {
        return Ok(());
    }
    let names = (canonical::quoted(ADMIN), canonical::quoted(""));
    if let Some((_, keys)) = create((store, vault), names, (true, 0)).await? {
        say(&format!("Adding admin account\n{{'secret_key': '{}', 'api_key': '{}'}}", keys.secret_key, keys.api_key))?;
    }
    Ok(())
}

/// Checks that the keys in the database were sealed with this `SECRET_KEY`.
///
/// # Errors
/// When they were not: every signature would fail.
pub async fn check_secret_key(store: &Store, vault: &Vault) -> anyhow::Result<()> {
    const NAME: &str = "secret_key_check";
    let kept = store.db.setting(NAME, &vault.seal(NAME, NAME)).await?;
    anyhow::ensure!(
        vault.open(&kept, NAME).is_some(),
        "SECRET_KEY is not the one that the accounts' keys in this database were encrypted with: give the former one, or start anew with `producer initdb`"
    );
    Ok(())
}

/// `producer initdb`: everything that is stored is dropped, the tables and the administrator are made anew.
///
/// # Errors
/// When a producer works on the database, or the database fails.
pub async fn initdb(settings: &Settings) -> anyhow::Result<()> {
    say("Dropping database...")?;
    let store = Store::new(db::open(&settings.database_url, settings.common.durability, &MIGRATIONS).await?);
    presence::ensure_alone(&settings.database_url)?;
    store.drop_all().await.context("cannot drop the tables")?;
    say("Creating database...")?;
    MIGRATIONS.run(&store.db.write).await.context("cannot make the tables")?;
    let secret = common::admin::secret_key(&settings.common, &store.db, &settings.database_url).await?;
    let vault = Vault::new(&secret);
    check_secret_key(&store, &vault).await?;
    ensure_admin(&store, &vault).await?;
    store.db.close().await;
    say("Complete")
}

/// Puts a new signing key in force and gives it; the one before signs beside it for `grace`.
///
/// # Errors
/// When the database fails.
pub async fn put_secret_in_force(
    (store, vault): (&Store, &Vault),
    account: &str,
    secret_key: &str,
    grace: Duration,
) -> sqlx::Result<()> {
    let (now_ms, grace_ms) = (now_ms(), i64::try_from(grace.as_millis()).unwrap_or(i64::MAX / 4));
    store.rotate_secret(account, &vault.seal(secret_key, account), (now_ms, now_ms + grace_ms)).await
}

/// To standard output, as scripts read it.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
