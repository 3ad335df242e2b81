//! Each guard over HTTP: who has the secret is let in, who has not is told no more than that.

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    key::hex,
    signature::{Algorithm, hmac, sign, sign_sha1},
    time::now_ms,
};
use reqwest::Response;
use serde_json::Value;

use super::File;
use crate::support::{
    TestApp,
    database::{Database, Mode},
    on_both,
};

const SECRET: &str = "a-secret-of-these-tests";
const BODY: &str = r#"{"owner":"Norma Fisher"}"#;

/// Headers that let `BODY` in, made at `now_s`.
fn headers(guard: &str, secret: &str, now_s: i64) -> Vec<(&'static str, String)> {
    let (secret, body) = (secret.as_bytes(), BODY.as_bytes());
    let sha256 = |parts: &[&[u8]]| hmac(Algorithm::Sha256, secret, parts);
    let stamp = now_s.to_string();
    match guard {
        "ci" => vec![("Authorization", format!("Bearer {}", String::from_utf8_lossy(secret)))],
        "evok" => {
            let pair = format!("evok:{}", String::from_utf8_lossy(secret));
            vec![("Authorization", format!("Basic {}", STANDARD.encode(pair)))]
        }
        "partner" => vec![
            ("webhook-id", "msg_1".into()),
            ("webhook-signature", sign(secret, "msg_1", now_s, body)),
            ("webhook-timestamp", stamp),
        ],
        "accounts" => vec![("pywebhooks-signature", sign_sha1(secret, body))],
        "github" => vec![("X-Hub-Signature-256", format!("sha256={}", hex(&sha256(&[body]))))],
        "stripe" => {
            vec![("Stripe-Signature", format!("t={stamp},v1={}", hex(&sha256(&[stamp.as_bytes(), b".", body]))))]
        }
        "shop" => vec![("X-Shopify-Hmac-SHA256", STANDARD.encode(sha256(&[body])))],
        "slack" => vec![
            ("X-Slack-Signature", format!("v0={}", hex(&sha256(&[b"v0:", stamp.as_bytes(), b":", body])))),
            ("X-Slack-Request-Timestamp", stamp),
        ],
        "other" => vec![("X-Sig", STANDARD.encode(hmac(Algorithm::Sha512, secret, &[body])))],
        other => panic!("{other}"),
    }
}

const GUARDS: [(&str, &str, &str); 9] = [
    ("ci", "{kind: token, in: header, name: Authorization, prefix: 'Bearer '}", "Bearer realm=\"ci\""),
    ("evok", "{kind: basic, user: evok}", "Basic realm=\"evok\""),
    ("partner", "{kind: standard_webhooks}", ""),
    ("accounts", "{kind: accounts_api}", ""),
    ("github", "{kind: github}", ""),
    ("stripe", "{kind: stripe}", ""),
    ("shop", "{kind: shopify}", ""),
    ("slack", "{kind: slack}", ""),
    ("other", "{kind: hmac, header: X-Sig, algorithm: sha512, encoding: base64}", ""),
];

fn file() -> File {
    let source = |(name, guard, _): &(&str, &str, &str)| {
        format!("  - name: {name}\n    guard: {guard}\n    secret: {SECRET}\n    second_secret: the-one-before\n")
    };
    File::new(&format!("sources:\n{}", GUARDS.iter().map(source).collect::<String>()))
}

async fn send(app: &TestApp, guard: &str, headers: &[(&str, String)]) -> Response {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    app.post(&format!("/consumetasks/{guard}"), &headers, BODY).await
}

async fn detail(answer: Response) -> String {
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_has_one_of_the_secrets_is_let_in_and_nobody_else() {
    on_both(async |database| {
        let file = file();
        let app = TestApp::start(&database, &[&file.setting()]).await;
        for (name, _, challenge) in GUARDS {
            let now_s = now_ms() / 1000;
            for secret in [SECRET, "the-one-before"] {
                let answer = send(&app, name, &headers(name, secret, now_s)).await;
                assert_eq!(answer.status(), 200, "{name}");
            }
            let wrong = send(&app, name, &headers(name, "another-secret", now_s)).await;
            assert_eq!(wrong.status(), 401, "{name}");
            let missing = send(&app, name, &[]).await;
            assert_eq!(missing.status(), 401, "{name}");
            let asked =
                missing.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
            assert_eq!(asked, challenge, "{name}");
            for answer in [wrong, missing] {
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
                let detail = detail(answer).await;
                assert!(!detail.contains("secret") && detail.ends_with('.'), "{name}: {detail}");
            }
        }
        // The two requests of Standard Webhooks have one id.
        assert_eq!(app.total().await, 17);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_signed_too_long_ago_and_what_only_calls_is_told_403() {
    let database = Database::create(Mode::Embedded).await;
    let file = file();
    let app = TestApp::start(&database, &[&file.setting()]).await;
    for name in ["partner", "stripe", "slack"] {
        let old = send(&app, name, &headers(name, SECRET, now_ms() / 1000 - 3600)).await;
        assert_eq!(old.status(), 403, "{name}");
        assert!(detail(old).await.contains("time stamp"), "{name}");
    }
    let called = app.get("/consumetasks/github").await;
    assert_eq!(called.status(), 403);
    assert!(detail(called).await.contains("POST"));
    for name in ["ci", "evok"] {
        let mut request = app.client.get(app.url(&format!("/consumetasks/{name}")));
        for (header, value) in headers(name, SECRET, 0) {
            request = request.header(header, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 200, "{name}");
        assert_eq!(app.get(&format!("/consumetasks/{name}")).await.status(), 401, "{name}");
    }
    assert_eq!(app.total().await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_token_in_the_address_lets_in_and_is_kept_nowhere() {
    on_both(async |database| {
        let file = File::new(
            "sources:\n  - name: default\n    guard: {kind: token, in: query, name: k}\n    secret: s3cr3ttoken\n  - name: door\n    guard: {kind: token, in: path}\n    secret: s3cr3ttoken\n",
        );
        let app = TestApp::start(&database, &[&file.setting()]).await;
        let good = ["/consumetasks?k=s3cr3ttoken", "/consumetasks/door/s3cr3ttoken", "/consumetasks/door/s3cr3ttoken/"];
        let bad = ["/consumetasks", "/consumetasks?k=s3cr3ttokem", "/consumetasks/door", "/consumetasks/door/s3cr3t%2Ftoken"];
        for (paths, status) in [(&good[..], 200), (&bad[..], 401)] {
            for path in paths {
                assert_eq!(app.post(path, &[], BODY).await.status(), status, "{path}");
                assert_eq!(app.get(path).await.status(), status, "{path}");
            }
        }
        assert_eq!(app.post("/consumetasks/hall/s3cr3ttoken", &[], BODY).await.status(), 404, "it has no token");
        assert_eq!(app.post("/consumetasks/hall", &[], BODY).await.status(), 200, "who is not configured is open");
        let offsets = 1..=app.total().await;
        assert_eq!(offsets, 1..=7);
        for offset in offsets {
            let kept = app.json(&format!("/api/events/@{offset}")).await.to_string();
            assert!(!kept.contains("s3cr3t"), "{kept}");
        }
        for name in ["default", "door"] {
            let kept = super::rejected(&app, &format!("/api/sources/{name}/rejected"), 4).await;
            assert!(!format!("{kept:?}").contains("s3cr3t"), "{kept:?}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn slack_is_told_the_word_it_asks_for_when_its_signature_is_right() {
    let database = Database::create(Mode::Embedded).await;
    let file = file();
    let app = TestApp::start(&database, &[&file.setting()]).await;
    let body =
        r#"{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let stamp = (now_ms() / 1000).to_string();
    let mac = hmac(Algorithm::Sha256, SECRET.as_bytes(), &[b"v0:", stamp.as_bytes(), b":", body.as_bytes()]);
    let signature = format!("v0={}", hex(&mac));
    let headers = [("X-Slack-Signature", signature.as_str()), ("X-Slack-Request-Timestamp", stamp.as_str())];
    let answer = app.post("/consumetasks/slack", &headers, body).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    assert_eq!(app.post("/consumetasks/slack", &headers[..1], body).await.status(), 401);
    assert_eq!(app.total().await, 0, "it is no event");
    assert_eq!(app.post("/consumetasks", &[], body).await.text().await.unwrap(), "OK", "elsewhere it is one");
    app.end().await;
}

#[tokio::test]
async fn twilio_is_known_by_its_form_and_the_address_it_was_told() {
    let database = Database::create(Mode::Embedded).await;
    let file = File::new(
        "sources:\n  - name: calls\n    guard: {kind: twilio, url: 'https://mycompany.com/myapp.php?foo=1&bar=2'}\n    secret: '12345'\n",
    );
    let app = TestApp::start(&database, &[&file.setting()]).await;
    // As Twilio's own library tests it.
    let headers =
        [("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ("Content-Type", "application/x-www-form-urlencoded")];
    let form = "Digits=1234&CallSid=CA1234567890ABCDE&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    assert_eq!(app.post("/consumetasks/calls", &headers, form).await.status(), 200);
    assert_eq!(app.events().await[0]["body"]["From"], "+14158675309");
    assert_eq!(app.post("/consumetasks/calls", &headers, form.replace("1234", "1235")).await.status(), 401);
    app.end().await;
}

#[tokio::test]
async fn what_is_faster_than_the_source_may_be_is_told_when_to_come_again() {
    let database = Database::create(Mode::Embedded).await;
    let file = File::new("sources:\n  - name: slow\n    rate_per_minute: 2\n");
    let app = TestApp::start(&database, &[&file.setting()]).await;
    for status in [200, 200, 429] {
        let answer = app.post("/consumetasks/slow", &[], BODY).await;
        assert_eq!(answer.status(), status);
        if status == 429 {
            let wait: u32 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=30).contains(&wait), "{wait}");
        }
    }
    assert_eq!(app.post("/consumetasks", &[], BODY).await.status(), 200, "another source has another pace");
    let metrics = app.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("hookcast_consumer_rejected_total{reason=\"too_fast\"} 1"), "{metrics}");
    app.end().await;
}

#[tokio::test]
async fn unknown_sources_are_refused_where_that_is_set() {
    on_both(async |database| {
        let file = file();
        let app = TestApp::start(&database, &[&file.setting(), "--unknown-sources", "refuse"]).await;
        for path in ["/consumetasks", "/consumetasks/githup", "/consumetasks/githup/x"] {
            assert_eq!(app.post(path, &[], BODY).await.status(), 403, "{path}");
        }
        assert_eq!(app.get("/consumetasks/githup").await.status(), 403);
        assert_eq!(send(&app, "github", &headers("github", SECRET, 0)).await.status(), 200);
        let kept = super::rejected(&app, "/api/rejected", 4).await;
        let reasons: Vec<_> = kept.iter().map(|one| one["reason"].as_str().unwrap()).collect();
        assert!(reasons.iter().all(|reason| reason.contains("UNKNOWN_SOURCES")), "{reasons:?}");
        assert_eq!(app.json("/api/sources").await["unknown_rejected"], 4);
        app.end().await;
    })
    .await;
}
