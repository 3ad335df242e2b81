//! The `webhook:` block of a source: Evok's own keys, and what Evok cannot do.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::{
    receiver::below,
    service::{
        devices::{Address, IN_ORDER},
        options,
    },
};

const MOST_ADDRESSES: usize = 100;

/// Where a source's changes go by themselves.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// None when it is not enabled.
    pub addresses: Vec<Address>,
}

/// The block as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookKeys {
    enabled: bool,
    /// One address or a list; unset: `WEBHOOK_RECEIVER_URL` and the source's name.
    #[serde(deserialize_with = "one_or_many")]
    address: Vec<Url>,
    pub device_mask: Option<Vec<String>>,
    complex_events: bool,
    headers: BTreeMap<String, String>,
    /// Its bytes are the key that signs; unset: a random one.
    secret: Option<String>,
}

impl Default for WebhookKeys {
    fn default() -> Self {
        Self {
            enabled: true,
            address: Vec::new(),
            device_mask: None,
            complex_events: true,
            headers: BTreeMap::new(),
            secret: None,
        }
    }
}

impl WebhookKeys {
    /// Checks the block of this source.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn check(self, source: &str, receiver: &Url) -> Result<Webhook, String> {
        if !self.enabled {
            return Ok(Webhook { addresses: Vec::new() });
        }
        let headers = serde_json::to_value(&self.headers).map_err(|error| error.to_string())?;
        let options =
            options::changed(IN_ORDER, ("headers".into(), headers)).map_err(|how| format!("webhook.{how}"))?;
        let headers = options.headers.filter(|_| !self.headers.is_empty());
        let urls = if self.address.is_empty() { vec![below(receiver, source)] } else { self.address };
        if urls.len() > MOST_ADDRESSES {
            return Err(format!("webhook.address: at most {MOST_ADDRESSES}"));
        }
        if self.secret.as_ref().is_some_and(String::is_empty) {
            return Err("webhook.secret: leave it out, or write a text".into());
        }
        let address = |url: Url| -> Result<Address, String> {
            check_url(&url)?;
            let (headers, secret) = (headers.clone(), self.secret.clone());
            Ok(Address { url, bare: !self.complex_events, headers, secret })
        };
        Ok(Webhook { addresses: urls.into_iter().map(address).collect::<Result<_, _>>()? })
    }
}

fn check_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("webhook.address: it must begin with http:// or https://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("webhook.address: it may carry no user name or password, which would be shown and stored; write headers: {Authorization: Basic …}".into());
    }
    Ok(())
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Url>, D::Error> {
    from.deserialize_any(Addresses)
}

struct Addresses;

impl<'de> de::Visitor<'de> for Addresses {
    type Value = Vec<Url>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, or a list of addresses")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<Url>, E> {
        parsed(text).map(|url| vec![url])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Url>, A::Error> {
        let mut urls = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            urls.push(parsed(&text)?);
        }
        Ok(urls)
    }
}

fn parsed<E: de::Error>(text: &str) -> Result<Url, E> {
    text.parse().map_err(|error| E::custom(format!("{text:?} is no address: {error}")))
}
