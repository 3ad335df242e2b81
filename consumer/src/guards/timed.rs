//! Guards whose signature has a time in it, so that what was overheard is of no use later.

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    key,
    signature::{self, Algorithm},
};

use super::{
    Rejection, Request, Secrets, Timed,
    rejection::{in_time, seconds},
};

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub fn standard_webhooks(timed: &Timed, secrets: &Secrets, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
    let (id, stamp) = (request.text("webhook-id")?, request.text("webhook-timestamp")?);
    let offered = request.text("webhook-signature")?;
    let stamp_s = seconds(stamp, "webhook-timestamp")?;
    let found = secrets.any(|secret| {
        let head = format!("{id}.{stamp}.");
        let mac = hmac(&signature::secret_bytes(secret), &[head.as_bytes(), request.body]);
        let ours = format!("v1,{}", STANDARD.encode(mac));
        any_of(offered.split(' '), &ours)
    });
    if found { in_time(stamp_s, timed.tolerance_s, now_s) } else { Err(Rejection::no_match("webhook-signature")) }
}

/// `t=1492774577,v1=…,v1=…`: <https://docs.stripe.com/webhooks#verify-manually>. The secret signs as it is written, `whsec_` included.
pub fn stripe(timed: &Timed, secrets: &Secrets, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
    const HEADER: &str = "Stripe-Signature";
    let items = request.text(HEADER)?.split(',').filter_map(|item| item.trim().split_once('='));
    let named = |name: &'static str| items.clone().filter_map(move |(key, value)| (key == name).then_some(value));
    let stamp = named("t").next().ok_or_else(|| Rejection::malformed(format!("{HEADER} has no t=")))?;
    if named("v1").next().is_none() {
        return Err(Rejection::malformed(format!("{HEADER} has no v1=")));
    }
    let stamp_s = seconds(stamp, HEADER)?;
    let found = secrets.any(|secret| {
        let ours = key::hex(&hmac(secret.as_bytes(), &[stamp.as_bytes(), b".", request.body]));
        any_of(named("v1"), &ours)
    });
    if found { in_time(stamp_s, timed.tolerance_s, now_s) } else { Err(Rejection::no_match(HEADER)) }
}

/// `v0=…` over `v0:TIME:BODY`: <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub fn slack(timed: &Timed, secrets: &Secrets, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
    const HEADER: &str = "X-Slack-Signature";
    const STAMP: &str = "X-Slack-Request-Timestamp";
    let (offered, stamp) = (request.text(HEADER)?, request.text(STAMP)?);
    let stamp_s = seconds(stamp, STAMP)?;
    let found = secrets.any(|secret| {
        let mac = hmac(secret.as_bytes(), &[b"v0:", stamp.as_bytes(), b":", request.body]);
        any_of([offered].into_iter(), &format!("v0={}", key::hex(&mac)))
    });
    if found { in_time(stamp_s, timed.tolerance_s, now_s) } else { Err(Rejection::no_match(HEADER)) }
}

fn hmac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    signature::hmac(Algorithm::Sha256, secret, parts)
}

fn any_of<'a>(mut offered: impl Iterator<Item = &'a str>, ours: &str) -> bool {
    offered.any(|theirs| key::equal(theirs.as_bytes(), ours.as_bytes()))
}
