//! What a source of devices needs to be heard: a registration, and a subscription that keeps its order for each address of its file.
//!
//! All of it is found again by names that follow from the source and the address, so it is made once however many producers start on a database.

pub mod lease;

use std::time::Duration;

use anyhow::Context;
use common::{key, time::now_us};
use url::Url;

use crate::{
    App,
    accounts::{self, DEVICES, GRACE},
    canonical,
    store::{
        accounts::Account,
        registrations::Registration,
        subscriptions::{Options, Profile},
    },
};

/// How an address of a source is sent to: one after the other, with the engine's schedule.
pub const IN_ORDER: Options =
    Options { profile: Profile::Standard, fifo: true, rate_per_minute: 0, filter: None, headers: None };

/// Where a source's changes go by themselves.
#[derive(Clone, Debug)]
pub struct Address {
    pub url: Url,
    /// Only told that something changed, by a GET without a body.
    pub bare: bool,
    /// JSON text of an object.
    pub headers: Option<String>,
    /// Its bytes sign; `None`: a random key does.
    pub secret: Option<String>,
}

/// Registers the source and subscribes its addresses; those that it had before and has no more get nothing from now on.
///
/// # Errors
/// When the database fails.
pub async fn offer(app: &App, source: &str, addresses: &[Address]) -> anyhow::Result<Registration> {
    let (owner, _) = account(app, &name(&[DEVICES]), "").await?;
    let registration = Registration {
        id: stable_id(&["registration", source]),
        account_id: owner.id,
        description: canonical::quoted(&format!("Changes of the devices of {source}")),
        event: canonical::quoted(&format!("device.changed.{source}")),
        event_data: "[]".into(),
        created_us: now_us(),
    };
    app.store.ensure_registration(&registration).await?;
    let mut attached = Vec::with_capacity(addresses.len());
    for address in addresses {
        attached.push(attach(app, (source, &registration.id), address).await?);
    }
    let (id, prefix) = (&registration.id, format!("[{}, ", canonical::quoted(DEVICES)));
    for subscription in app.store.attached(id, &prefix).await? {
        if !attached.contains(&subscription) {
            app.store.delete_subscription(&subscription, now_us() / 1000).await?;
        }
    }
    Ok(registration)
}

/// Subscribes the address as it is now; gives the subscription's id.
async fn attach(app: &App, (source, registration): (&str, &str), address: &Address) -> anyhow::Result<String> {
    let url = address.url.as_str();
    let tag = &key::hex(&key::sha256(url.as_bytes()))[..16];
    let (account, is_new) = account(app, &name(&[DEVICES, source, tag]), url).await?;
    if let Some(secret) = &address.secret
        && app.vault.open(&account.sealed_secret, &account.id).as_ref() != Some(secret)
    {
        // Nobody knows the random key of a new account.
        let grace = if is_new { Duration::ZERO } else { GRACE };
        accounts::put_secret_in_force((&app.store, &app.vault), &account.id, secret, grace).await?;
    }
    let profile = if address.bare { Profile::Bare } else { Profile::Standard };
    let options = Options { profile, headers: address.headers.clone(), ..IN_ORDER };
    let id = stable_id(&["subscription", source, url]);
    app.store.attach(&id, (registration, &account.id), &options, now_us()).await?;
    Ok(id)
}

/// The account of that name, and whether it was made just now; nobody has its keys, and as its name is no text, nobody can ask for others.
async fn account(app: &App, username: &str, endpoint: &str) -> anyhow::Result<(Account, bool)> {
    let names = (username.to_owned(), canonical::quoted(endpoint));
    if let Some((account, _)) = accounts::create((&app.store, &app.vault), names, (false, 0)).await? {
        return Ok((account, true));
    }
    let account = app.store.account_named(username).await?;
    Ok((account.context("an account of the devices is gone as it was looked for")?, false))
}

/// A list as JSON text.
fn name(parts: &[&str]) -> String {
    let quoted: Vec<String> = parts.iter().map(|part| canonical::quoted(part)).collect();
    format!("[{}]", quoted.join(", "))
}

/// An id in the form of all others that follows from the parts.
fn stable_id(parts: &[&str]) -> String {
    let hash = key::sha256(name(parts).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
