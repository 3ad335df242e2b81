//! The wire contract of PyWebhooks 0.5.5, row by row (A1 … K): what its clients send, and what they and their endpoints see.

mod sheet;

mod a_gate;
mod a_slashes;
mod b_authentication;
mod c_creation;
mod d_account;
mod e_accounts;
mod f_resets;
mod g_registrations;
mod h_subscriptions;
mod i_triggering;
mod j_delivery;
mod j_failures;
mod j_pending;
mod k_vectors;

use serde_json::{Value, json};

use crate::support::{
    endpoint::Call,
    stage::Stage,
    wire::{User, get},
};
use sheet::{Body, Kind, error, is};

const NO_KEY: &str = "Missing API key header value";
const NOT_ADMIN: &str = "Not an Admin";
const NOT_AUTHORIZED: &str = "Not authorized";
const WRONG_PAGE: &str = "Invalid limit or start parameter";
const WRONG_USER: &str = "Invalid API key or Username";

/// What is answered without any key.
fn no_key() -> Body {
    error(NO_KEY)
}

/// The eight keys of an account.
fn account(username: impl Into<Value>, endpoint: impl Into<Value>, api_key: Kind) -> Body {
    Body::Record(vec![
        ("api_key", api_key),
        ("endpoint", is(endpoint)),
        ("epoch", Kind::Epoch),
        ("failed_count", is(0)),
        ("id", Kind::Uuid),
        ("is_admin", is(false)),
        ("secret_key", Kind::Hex40),
        ("username", is(username)),
    ])
}

/// The ids of the records that the user sees at the list's address, at most 100.
async fn ids(stage: &Stage, user: &User, path: &str) -> Vec<String> {
    let told = stage.wire.send(&get(format!("{path}?start=0&limit=100")).by(user)).await;
    let lists = told.json.as_object().cloned().unwrap_or_default();
    let records = lists.values().filter_map(Value::as_array).flatten();
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// A registration to trigger, of this event and with an empty object.
async fn registered(stage: &Stage, owner: &User, event: &str) -> String {
    stage.wire.register(owner, &json!(event), "{}").await
}

/// The lower-case hex of HMAC-SHA1, worked out apart from the producer's own.
fn sign_sha1(secret: &[u8], body: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Whether the call is signed as PyWebhooks does.
fn is_signed(call: &Call, secret_key: &str) -> bool {
    call.text("pywebhooks-signature") == sign_sha1(secret_key.as_bytes(), &call.body)
}
