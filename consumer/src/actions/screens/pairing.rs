//! Pairing: a screen asks with a key that it made itself and shows a code; the operator finds the code in the list, and says yes or no.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use axum::{Json, body::Bytes, extract::State, http::StatusCode, response::Response};
use common::{
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{super::targets::name_of, fresh, manage::MAX_DEVICES};
use crate::{
    App,
    actions::{administrator::Admin, doors, public::Peer},
    store::actions::{
        devices::{self, Device, Kind},
        pairings::{self, Accepted, Most, Pairing},
    },
};

/// Who does not ask again within this time has gone away.
const ALIVE_MS: i64 = 60_000;
/// How long a no is good for.
const REFUSED_MS: i64 = 600_000;
const MOST: Most = Most { all: 100, of_address: 10 };
/// Without 0 and O, 1 and I and L, which look alike.
const LETTERS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
const CODE_CHARS: usize = 6;
/// A code that is another's is as rare as six right letters; three in a row are not seen.
const TRIES: usize = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: String,
    key: String,
}

/// `POST /screen-api/pairing`: asked again every 2 s, it stays in the list.
///
/// # Errors
/// 400 that says what is wrong, 403 after a no, 429 when too many wait.
pub async fn ask(State(app): State<App>, Peer(peer): Peer, body: Bytes) -> Result<Response, Problem> {
    let Asked { name, key } = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!("The body is a JSON object {{\"name\": \"…\", \"key\": \"…\"}}: {error}."))
    })?;
    let name = name_of("name", &name).map_err(|error| Problem::bad_request(format!("{error}.")))?;
    let is_key = (32..=128).contains(&key.len()) && key.bytes().all(|letter| letter.is_ascii_hexdigit());
    if !is_key {
        return Err(Problem::bad_request("key is 32 to 128 hexadecimal digits that the screen made at random."));
    }
    let key_sha256 = doors::hash(&key);
    if let Some(device) = devices::by_hash(&app.db, &key_sha256).await? {
        return Ok(fresh(Json(json!({"state": "paired", "device": device.name}))));
    }
    let now_ms = now_ms();
    let new = Pairing {
        key_sha256,
        code: String::new(),
        name,
        from: network(peer),
        asked_ms: now_ms,
        expires_ms: now_ms + ALIVE_MS,
        refused: false,
    };
    waits(&app, new).await.map(|told| fresh(Json(told)))
}

async fn waits(app: &App, new: Pairing) -> Result<Value, Problem> {
    for _ in 0..TRIES {
        let asked = pairings::ask(&app.db, &Pairing { code: code(), ..new.clone() }, MOST).await?;
        let Some(pairing) = asked else { continue };
        if pairing.refused {
            let detail = "The operator refused this screen. It may ask again in some minutes.";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail).retry_after(left(pairing.expires_ms)));
        }
        if pairing.asked_ms == new.asked_ms {
            app.fleet.moved();
        }
        return Ok(json!({"state": "waiting", "code": pairing.code, "expires_at": rfc3339(pairing.expires_ms)}));
    }
    let detail = format!(
        "As many screens wait to be paired as may: {} in all, {} from one address. Accept or refuse some on the page Screens.",
        MOST.all, MOST.of_address
    );
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(Duration::from_secs(10)))
}

fn left(until_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(until_ms - now_ms()).unwrap_or(0))
}

fn code() -> String {
    (0..CODE_CHARS).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

/// Who has one address of IPv6 has the 2^64 of its network.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V6(address) => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        IpAddr::V4(address) => address.to_string(),
    }
}

/// Under which name, and where a screen is put that is accepted; what is left out is as the screen said, or as it was.
#[derive(Debug, Default)]
pub struct Terms {
    pub name: Option<String>,
    pub groups: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
}

/// Makes a device of who waits with this code, or gives its key to the screen of the name. Gives the id.
///
/// # Errors
/// 400, 404 or 409, and says what to change.
pub async fn accept(app: &App, admin: &Admin, code: &str, terms: Terms) -> Result<String, Problem> {
    let now_ms = now_ms();
    let waiting = pairings::by_code(&app.db, code, now_ms).await?.ok_or_else(nobody)?;
    let name = name_of("name", terms.name.as_deref().unwrap_or(&waiting.name));
    let name = name.map_err(|error| Problem::bad_request(format!("{error}.")))?;
    let places = (terms.groups, terms.tags);
    let new = Device {
        id: Uuid::now_v7().to_string(),
        name: name.clone(),
        kind: Kind::Screen,
        groups: places.0.clone().unwrap_or_default(),
        tags: places.1.clone().unwrap_or_default(),
        paired_ms: now_ms,
        created_ms: now_ms,
        last_seen_ms: None,
        online_until_ms: 0,
    };
    let (id, how) = match pairings::accept(&app.db, code, new, (places, MAX_DEVICES)).await? {
        Accepted::New(id) => (id, "a new screen"),
        Accepted::Replaced(id) => (id, "in place of the one before"),
        Accepted::Gone => return Err(nobody()),
        Accepted::Taken => {
            let detail = format!(
                "A device that is no screen is named {name}, or there are {MAX_DEVICES} devices. Accept it under another name, or forget that one."
            );
            return Err(Problem::conflict(detail));
        }
    };
    admin.did(app, "screen.accept", &name, &format!("{how}, from {}", waiting.from)).await?;
    app.fleet.end(&id);
    app.fleet.moved();
    Ok(id)
}

/// Says no to who waits with this code.
///
/// # Errors
/// 404 when nobody does.
pub async fn refuse(app: &App, admin: &Admin, code: &str) -> Result<(), Problem> {
    let now_ms = now_ms();
    let name = pairings::refuse(&app.db, code, (now_ms, now_ms + REFUSED_MS)).await?.ok_or_else(nobody)?;
    admin.did(app, "screen.refuse", &name, "").await?;
    app.fleet.moved();
    Ok(())
}

fn nobody() -> Problem {
    Problem::not_found("screen that waits with this code (any more)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_no_letters_that_look_alike() {
        for _ in 0..500 {
            let code = code();
            assert_eq!(code.len(), CODE_CHARS);
            assert!(!code.contains(['0', 'O', '1', 'I', 'L']) && code.bytes().all(|letter| LETTERS.contains(&letter)));
        }
    }

    #[test]
    fn who_has_a_network_of_ipv6_is_one_address() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("10.0.0.1"), "10.0.0.1");
    }
}
