//! Registering an event, and subscribing to one.

use common::time::now_us;

use super::Refused;
use crate::{
    App,
    store::{
        accounts::Account,
        registrations::Registration,
        subscriptions::{Options, Subscribed, Subscription},
    },
};

/// Registrations, and subscriptions, that one account may have.
const MOST: i64 = 10_000;

/// What is registered, as canonical JSON texts.
pub struct NewWebhook {
    pub description: String,
    pub event: String,
    pub event_data: String,
}

/// Registers the event.
///
/// # Errors
/// When the account has as many as it may have, or the database fails.
pub async fn register(app: &App, account: &Account, new: NewWebhook) -> Result<Registration, Refused> {
    let registration = Registration {
        id: uuid::Uuid::new_v4().to_string(),
        account_id: account.id.clone(),
        description: new.description,
        event: new.event,
        event_data: new.event_data,
        created_us: now_us(),
    };
    if app.store.create_registration(&registration, MOST).await? {
        return Ok(registration);
    }
    Err(Refused::Bad(format!("An account has at most {MOST} registrations; delete one first")))
}

/// Subscribes the account to the registration, with the default options.
///
/// # Errors
/// When there is no such registration, the account has as many subscriptions as it may have, or the database fails.
pub async fn subscribe(app: &App, account: &Account, registration: &str) -> Result<Subscription, Refused> {
    let (id, created_us) = (uuid::Uuid::new_v4().to_string(), now_us());
    match app.store.subscribe(&id, (registration, &account.id), (created_us, MOST)).await? {
        Subscribed::Done => Ok(Subscription {
            id,
            registration_id: registration.to_owned(),
            account_id: account.id.clone(),
            options: Options::default(),
            created_us,
        }),
        Subscribed::NoRegistration => Err(Refused::Missing("The registration id does not exist")),
        Subscribed::TooMany => {
            Err(Refused::Bad(format!("An account has at most {MOST} subscriptions; delete one first")))
        }
    }
}
