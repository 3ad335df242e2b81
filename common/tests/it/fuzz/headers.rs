//! Headers, made up: cookies, sessions, signatures, hosts, origins and the attributes of `CloudEvents`. Nothing panics, and nobody comes in.

use std::net::{IpAddr, SocketAddr};

use axum::{body::Body, extract::Request, http::Request as Builder};
use common::{
    admin,
    config::CommonArgs,
    edge::Edge,
    envelope::{
        Limits,
        cloud_events::{self, Mode},
    },
    seal::Vault,
    signature::{self, Rejection},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

const LIMITS: Limits = Limits { max_events: 6, max_depth: 8 };
const NOW_S: i64 = 1_614_265_330;

/// Any bytes that a header may hold.
fn value() -> impl Strategy<Value = HeaderValue> {
    let any = vec(prop_oneof![4 => 0x20..0x7f_u8, 1 => 0x80..=0xff_u8, 1 => Just(b'\t')], 0..40);
    let near = r#"[-a-z0-9.,:;=/%"\[\]@ ]{0,40}"#.prop_map(String::into_bytes);
    prop_oneof![any, near].prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

fn headers(names: &'static [&'static str]) -> impl Strategy<Value = HeaderMap> {
    let one = (prop::sample::select(names), value());
    vec(one, 0..6).prop_map(|pairs| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    })
}

fn edge(listen: &str) -> Edge {
    Edge::new(listen.parse().unwrap(), &CommonArgs::default())
}

fn request(headers: HeaderMap, method: &str) -> Request {
    let mut request = Builder::builder().method(method).uri("/").body(Body::empty()).unwrap();
    *request.headers_mut() = headers;
    request
}

proptest! {
    #[test]
    fn a_cookie_is_found_as_it_was_sent_wherever_it_stands(
        before in vec("[a-z]{1,4}=[!#-+\\--:<-~]{0,8}", 0..4), sent in "[!#-+\\--:<-~]{0,20}", after in vec("[a-z]{1,4}=[a-z=]{0,8}", 0..4),
    ) {
        let all = [before, vec![format!("hookcast={sent}")], after].concat().join("; ");
        let headers = HeaderMap::from_iter([(header::COOKIE, all.parse().unwrap())]);
        prop_assert_eq!(admin::cookie(&headers, "hookcast"), Some(&*sent));
    }

    #[test]
    fn any_cookies_hold_the_value_of_a_name_or_none(headers in headers(&["cookie"])) {
        if let Some(found) = admin::cookie(&headers, "a") {
            let sent = headers.get_all(header::COOKIE).into_iter().any(|value| value.to_str().unwrap_or("").contains(found));
            prop_assert!(sent && !found.contains(';'));
        }
    }

    #[test]
    fn a_signature_that_was_not_made_with_the_secret_is_none(header in ".{0,60}", body in vec(any::<u8>(), 0..60), id in ".{0,20}", at in any::<i64>()) {
        let judged = signature::verify(b"secret", (&id, NOW_S), &body, &header, NOW_S);
        prop_assert_eq!(judged, Err(Rejection::NoMatch));
        if NOW_S.abs_diff(at) > signature::TOLERANCE_S.unsigned_abs() {
            let right = signature::sign(b"secret", &id, at, &body);
            prop_assert_eq!(signature::verify(b"secret", (&id, at), &body, &right, NOW_S), Err(Rejection::OutOfTime));
        }
    }

    #[test]
    fn a_signature_is_of_its_id_its_time_and_every_byte_of_its_body(id in "[!-~]{1,20}", mut body in vec(any::<u8>(), 1..60), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let header = signature::sign(b"secret", &id, NOW_S, &body);
        let judge = |id: &str, at: i64, body: &[u8]| signature::verify(b"secret", (id, at), body, &header, NOW_S);
        prop_assert_eq!(judge(&id, NOW_S, &body), Ok(()));
        prop_assert_eq!(judge(&format!("{id}x"), NOW_S, &body), Err(Rejection::NoMatch));
        prop_assert_eq!(judge(&id, NOW_S + 1, &body), Err(Rejection::NoMatch));
        let place = at.index(body.len());
        body[place] ^= 1 << bit;
        prop_assert_eq!(judge(&id, NOW_S, &body), Err(Rejection::NoMatch));
    }

    #[test]
    fn any_text_is_a_secret_of_some_bytes(text in "(whsec_)?.{0,40}") {
        prop_assert!(signature::secret_bytes(&text).len() <= text.len());
    }

    #[test]
    fn what_was_not_sealed_here_is_not_opened(text in "(v1\\.)?[A-Za-z0-9+/=]{0,120}", any in ".{0,40}") {
        let vault = Vault::new("key");
        prop_assert_eq!(vault.open(&text, ""), None);
        prop_assert_eq!(vault.open(&any, ""), None);
    }

    #[test]
    fn on_loopback_no_host_comes_in_that_is_not_of_this_machine(headers in headers(&["host"])) {
        let host = headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
        let is_in = edge("127.0.0.1:5001").refusal(&request(headers, "GET")).is_none();
        if let Some(host) = host.filter(|_| is_in) {
            let bare = host.to_ascii_lowercase();
            let address = bare.trim_start_matches('[').split([']', '/']).next().unwrap_or_default();
            let address = address.parse::<IpAddr>().or_else(|_| bare.parse::<SocketAddr>().map(|at| at.ip()))
                .or_else(|_| bare.split(':').next().unwrap_or_default().trim_end_matches('.').parse());
            let is_own = bare.contains("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback());
            prop_assert!(is_own, "{host:?}");
        }
    }

    #[test]
    fn a_wide_service_takes_no_act_from_a_page_of_another_origin(scheme in "(https?|chrome-extension|file|null)", other in "[a-z0-9.-]{1,20}(:[0-9]{1,5})?", mut headers in headers(&["sec-fetch-site", "sec-fetch-mode"])) {
        prop_assume!(other != "hooks.lan");
        headers.insert(header::HOST, HeaderValue::from_static("hooks.lan"));
        headers.insert(header::ORIGIN, format!("{scheme}://{other}").parse().unwrap());
        prop_assert!(edge("0.0.0.0:5001").refusal(&request(headers, "POST")).is_some());
    }

    #[test]
    fn any_attributes_are_an_event_that_has_them_or_a_refusal(
        headers in headers(&["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-subject", "ce-more", "content-type"]),
        body in vec(any::<u8>(), 0..60), whole in any::<bool>(),
    ) {
        let mut headers = headers;
        if whole {
            for (name, value) in [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        for mode in [Mode::Binary, Mode::Structured, Mode::Batched] {
            for event in cloud_events::read(mode, &headers, &body, LIMITS).unwrap_or_default() {
                let read: Value = serde_json::from_str(&event.body).unwrap();
                prop_assert!(["specversion", "id", "source", "type"].iter().all(|name| read[name].is_string()), "{read}");
            }
        }
        let _ = cloud_events::mode(&headers);
    }
}
