//! What no test from outside can show, held by reading the sources: how secrets are compared, and that nothing asks other hosts without the guard.

use crate::architecture::{Source, sources};

/// Names of what is secret, or is made with it.
const SECRETS: [&str; 6] = ["_sha256", "signature", "password", "secret", "api_key", "mac"];
/// What is compared with what is kept itself, and not with what somebody sent: file and a part of the line.
const KEPT: [(&str, &str); 7] = [
    // Both sides are of the database: whether the account is still the same.
    ("pages/account/session.rs", "account.api_key_sha256 == self.account.api_key_sha256"),
    // Both sides are of this service: whether the file of devices has another secret than before.
    ("service/devices/mod.rs", "!= Some(secret)"),
    // A setting with itself: whether it is Base64.
    ("producer/src/config.rs", "secret_bytes(secret) != secret.as_bytes()"),
    // Whether a guard has a field, and not what is in it.
    ("guards/check.rs", "hmac.timestamp_header.is_some()"),
    // Whether there was a row.
    ("store/accounts.rs", "rows_affected() == 0"),
    // Words of a page.
    ("pages/sources/paste.rs", "\"github\""),
    ("rules/input.rs", "secrets::MASK"),
];

fn all() -> impl Iterator<Item = Source> {
    let is_test = |source: &Source| ["fuzz.rs", "samples.rs", "tests.rs"].iter().any(|name| ends(source, name));
    ["common", "consumer", "producer"].into_iter().flat_map(sources).filter(move |source| !is_test(source))
}

fn ends(source: &Source, path: &str) -> bool {
    source.path.ends_with(path)
}

#[test]
fn what_somebody_sends_is_compared_with_a_secret_in_one_function_only() {
    for source in all().filter(|source| !ends(source, "common/src/key.rs")) {
        let path = source.path.display();
        assert!(!source.text.contains("ct_eq"), "{path} compares by itself: use key::equal");
        let code = source.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code.filter(|line| line.contains(" == ") || line.contains(" != ")) {
            let names = SECRETS.iter().any(|name| line.contains(name));
            let is_known = KEPT.iter().any(|(file, part)| ends(&source, file) && line.contains(part));
            assert!(!names || is_known, "{path} compares what may be secret in a time that tells of it: {line}");
        }
    }
}

#[test]
fn every_door_compares_by_that_function() {
    let doors = [
        "common/src/admin/lock.rs",
        "common/src/signature.rs",
        "consumer/src/actions/doors.rs",
        "consumer/src/guards/credentials.rs",
        "consumer/src/guards/secrets.rs",
        "consumer/src/guards/signed.rs",
        "consumer/src/guards/timed.rs",
        "consumer/src/guards/twilio.rs",
        "producer/src/api/v1/caller.rs",
        "producer/src/pages/account/session.rs",
        "producer/src/pages/account/sign.rs",
    ];
    let mut found: Vec<String> = all()
        .filter(|source| source.text.contains("key::equal("))
        .map(|source| source.path.display().to_string())
        .collect();
    found.sort();
    assert_eq!(found.len(), doors.len(), "{found:#?}");
    for (found, door) in found.iter().zip(doors) {
        assert!(found.ends_with(door), "{found} and {door}");
    }
}

#[test]
fn whatever_asks_other_hosts_does_so_behind_the_guard_and_follows_nothing_by_itself() {
    let askers: Vec<Source> = all().filter(|source| source.text.contains("Client::builder()")).collect();
    assert_eq!(askers.len(), 2, "the producer's deliveries and handshakes, and the consumer's datasources");
    for source in askers {
        for needed in [".dns_resolver(GuardedDns::new(", ".redirect(redirect::Policy::none())", ".no_proxy()"] {
            assert!(source.text.contains(needed), "{} has no {needed}", source.path.display());
        }
    }
}
