//! Making an account, whose endpoint proves itself first, and where an account is told what happened to it.

use std::time::Duration;

use url::Url;

use super::{LONGEST_ENDPOINT, Refused};
use crate::{
    App,
    accounts::{self, Keys},
    canonical,
    store::accounts::{Account, endpoint_url},
};

/// The longest time that an old key may sign beside the new one.
pub const LONGEST_GRACE: Duration = Duration::from_hours(30 * 24);

/// How an endpoint proves that it is the account's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It gives back a random word.
    Echo,
    /// It agrees in the handshake of `CloudEvents`.
    CloudEvents,
}

/// Lets the endpoint (JSON text) prove that it is the account's own; gives the requests a minute that it allows, 0 for any.
///
/// # Errors
/// When it does not; the words say what it has to answer.
pub async fn prove(app: &App, endpoint: &str, proof: Proof) -> Result<i64, Refused> {
    let url = endpoint_url(endpoint).unwrap_or_default();
    match proof {
        Proof::Echo if app.handshake.echoes(&url).await => Ok(0),
        Proof::Echo => Err(Refused::Bad("Echo response failed".into())),
        Proof::CloudEvents => app.handshake.allowed_rate(&url).await.ok_or_else(|| {
            let text = "CloudEvents validation failed: OPTIONS must answer 2xx with WebHook-Allowed-Origin (* or the origin that asked), and a WebHook-Allowed-Rate above 0 if any";
            Refused::Bad(text.into())
        }),
    }
}

/// Makes an account of a name and a proven endpoint, which are JSON texts.
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn join(app: &App, names: (String, String), rate_per_minute: i64) -> Result<(Account, Keys), Refused> {
    const TAKEN: Refused = Refused::Conflict("Username already exists");
    let of_devices = format!("[{}", canonical::quoted(accounts::DEVICES));
    if names.0 == canonical::quoted(accounts::ADMIN) || names.0.starts_with(&of_devices) {
        return Err(TAKEN);
    }
    let made = accounts::create((&app.store, &app.vault), names, (false, rate_per_minute)).await?;
    let (account, keys) = made.ok_or(TAKEN)?;
    tracing::info!(account.id, "an account was made");
    Ok((account, keys))
}

/// The endpoint as JSON text, when it is a URL that may be called.
///
/// # Errors
/// Says what to write. The API takes any JSON there, as `PyWebhooks` did; a person is told at once.
pub fn endpoint(app: &App, typed: &str) -> Result<String, Refused> {
    let url = Url::parse(typed).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let bad = || Refused::Bad("Write a URL such as https://example.com/hooks".into());
    app.policy.check(&url.ok_or_else(bad)?).map_err(|denied| Refused::Bad(format!("That is not called: {denied}")))?;
    super::canonical("Endpoint", &canonical::quoted(typed), LONGEST_ENDPOINT)
}

/// Sets where the account is told, by a signed webhook, that its endpoint was disabled; `None`: nowhere.
///
/// # Errors
/// When that is no URL that may be called, or the database fails.
pub async fn tell_at(app: &App, account: &Account, url: Option<&str>) -> Result<(), Refused> {
    if let Some(text) = url {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_ENDPOINT);
        let bad = || Refused::Bad("endpoint: write a URL such as https://ops.example.com/hooks".into());
        app.policy.check(&url.ok_or_else(bad)?).map_err(|denied| Refused::Bad(format!("endpoint: {denied}")))?;
    }
    Ok(app.store.set_operational_url(&account.id, url).await?)
}
