//! Requests to guarded sources, made up: nothing panics, and nobody comes in who does not have the secret.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::{collection::vec, prelude::*};

use super::{Guard, Request, Secrets};

const GUARDS: [&str; 12] = [
    r#"{"kind":"token","in":"path"}"#,
    r#"{"kind":"token","in":"query","name":"k"}"#,
    r#"{"kind":"token","in":"header","name":"Authorization","prefix":"Bearer "}"#,
    r#"{"kind":"basic","user":"Aladdin"}"#,
    r#"{"kind":"standard_webhooks"}"#,
    r#"{"kind":"accounts_api"}"#,
    r#"{"kind":"github"}"#,
    r#"{"kind":"stripe"}"#,
    r#"{"kind":"shopify"}"#,
    r#"{"kind":"slack"}"#,
    r#"{"kind":"twilio","url":"https://mycompany.com/myapp.php?foo=1&bar=2"}"#,
    r#"{"kind":"hmac","header":"X-Sig","timestamp_header":"X-Time","signed":"{timestamp}.{body}"}"#,
];
const HEADERS: [&str; 13] = [
    "authorization",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "pywebhooks-signature",
    "x-hub-signature-256",
    "stripe-signature",
    "x-shopify-hmac-sha256",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-twilio-signature",
    "x-sig",
    "x-time",
];
const NOW_S: i64 = 1_614_265_330;

/// Near to what the schemes write, and anything at all.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let near =
        r"(Bearer |Basic |sha256=|v0=|v1,|v1=|t=)?(1614265330|[0-9a-f]{64}|[A-Za-z0-9+/]{27,43}=|[-0-9,=. va-f]{0,30})"
            .prop_map(String::into_bytes);
    let any = vec(prop_oneof![4 => 0x20..0x7f_u8, 1 => 0x80..=0xff_u8], 0..40);
    prop_oneof![3 => near, 1 => any]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    vec((prop::sample::select(&HEADERS[..]), value()), 0..10).prop_map(|pairs| {
        let one = |(name, value): (&'static str, Vec<u8>)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(&value).unwrap())
        };
        pairs.into_iter().map(one).collect()
    })
}

proptest! {
    #[test]
    fn nobody_comes_in_without_the_secret(
        headers in headers(), path in prop::option::of(".{0,20}"), query in r"(k=|foo=1&bar=2&bodySHA256=)?[a-z0-9%&=+]{0,20}", body in vec(any::<u8>(), 0..60),
        now_s in prop_oneof![Just(NOW_S), any::<i64>()],
    ) {
        let secrets = Secrets::new(Some("mF_9.B5f-4.1JqM".into()), None);
        for guard in GUARDS {
            let guard: Guard = serde_json::from_str(guard).unwrap();
            for method in [Method::POST, Method::GET] {
                let request = Request { method: &method, path_token: path.as_deref(), query: &query, headers: &headers, body: &body };
                let rejection = guard.verify(&secrets, &request, now_s).unwrap_err();
                prop_assert!(!rejection.reason.contains("mF_9"), "{}", rejection.reason);
            }
        }
    }

    #[test]
    fn any_settings_of_a_guard_are_checked_or_refused(
        kind in "(token|basic|stripe|twilio|hmac|open|slack|[a-z]{0,6})", place in "(path|query|header|x)", name in ".{0,20}", prefix in ".{0,10}",
        signed in prop::option::of(r"(\{body\}|\{timestamp\}|[a-z{}]){0,6}"), tolerance_s in any::<i64>(), headers in headers(), body in vec(any::<u8>(), 0..20),
    ) {
        let mut written = serde_json::json!({"kind": kind});
        for (key, value) in [("in", &place), ("name", &name), ("prefix", &prefix), ("user", &name), ("url", &prefix), ("header", &name)] {
            if value.len() % 2 == 0 {
                written[key] = value.as_str().into();
            }
        }
        if kind == "hmac" {
            written = serde_json::json!({"kind": kind, "header": name, "prefix": prefix, "signed": signed, "tolerance_s": tolerance_s, "timestamp_header": "X-Time"});
        }
        if let Ok(guard) = serde_json::from_value::<Guard>(written) && guard.check().is_empty() && !guard.is_open() {
            let request = Request { method: &Method::POST, path_token: None, query: "", headers: &headers, body: &body };
            let secrets = Secrets::new(Some("mF_9.B5f-4.1JqM".into()), None);
            prop_assert!(guard.verify(&secrets, &request, NOW_S).is_err());
        }
    }
}
