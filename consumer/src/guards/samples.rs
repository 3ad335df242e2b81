//! Real samples that the senders' own documentation and libraries publish: each verifies, and no longer does when any one byte of it is another.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Guard, Kind, Rejection, Request, Secrets};

/// A request as it was published.
#[derive(Clone)]
struct Sample {
    guard: &'static str,
    secret: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    path_token: Option<String>,
    query: String,
    body: Vec<u8>,
    now_s: i64,
}

impl Sample {
    fn new(guard: &'static str, secret: &str, headers: &[(&'static str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
        let (secret, body) = (secret.to_owned(), body.into());
        Self { guard, secret, headers, path_token: None, query: String::new(), body, now_s: 0 }
    }

    fn at(self, now_s: i64) -> Self {
        Self { now_s, ..self }
    }

    fn query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    fn verify_with(&self, secrets: &Secrets, method: &Method) -> Result<(), Rejection> {
        let guard: Guard = serde_json::from_str(self.guard).unwrap();
        assert_eq!(guard.check(), []);
        let header = |(name, value): &(&str, Vec<u8>)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap())
        };
        let headers: HeaderMap = self.headers.iter().map(header).collect();
        let path_token = self.path_token.as_deref();
        let request = Request { method, path_token, query: &self.query, headers: &headers, body: &self.body };
        guard.verify(secrets, &request, self.now_s)
    }

    fn verify(&self) -> Result<(), Rejection> {
        self.verify_with(&Secrets::new(Some(self.secret.clone()), None), &Method::POST)
    }

    /// Every sample that differs from this one in one byte of one of its parts.
    fn changed(&self) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        let mut add = |what: String, changed: Self| all.push((what, changed));
        for at in 0..self.body.len() {
            let mut changed = self.clone();
            changed.body[at] ^= 1;
            add(format!("body {at}"), changed);
        }
        for (place, (name, value)) in self.headers.iter().enumerate().filter(|(_, (name, _))| *name != "Content-Type") {
            for at in 0..value.len() {
                let mut changed = self.clone();
                changed.headers[place].1[at] ^= 1;
                add(format!("{name} {at}"), changed);
            }
        }
        for at in 0..self.secret.len() {
            add(format!("secret {at}"), Self { secret: flipped(&self.secret, at), ..self.clone() });
        }
        for at in 0..self.query.len() {
            add(format!("query {at}"), Self { query: flipped(&self.query, at), ..self.clone() });
        }
        for at in 0..self.path_token.as_ref().map_or(0, String::len) {
            let path_token = self.path_token.as_ref().map(|token| flipped(token, at));
            add(format!("path {at}"), Self { path_token, ..self.clone() });
        }
        all
    }
}

fn flipped(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 1;
    String::from_utf8(bytes).unwrap()
}

/// The fixture of stripe-dotnet's `EventUtilityTest`, which async-stripe's tests have as well.
const STRIPE_BODY: &str = r#"{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "ii_123",
      "object": "invoiceitem",
      "amount": 1000,
      "currency": "usd",
      "customer": "cus_123",
      "date": 1533204620,
      "description": "Test Invoice Item",
      "discountable": false,
      "invoice": "in_123",
      "livemode": false,
      "metadata": {},
      "period": {
        "start": 1533204620,
        "end": 1533204620
      },
      "proration": false,
      "quantity": 3
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "invoiceitem.created"
}
"#;
/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
    &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J\
    %2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SLACK_HEADERS: [(&str, &str); 2] = [
    ("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
    ("X-Slack-Request-Timestamp", "1531420618"),
];
const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TWILIO: &str = r#"{"kind":"twilio","url":"https://mycompany.com/myapp.php?foo=1&bar=2"}"#;
const JEFE: (&str, &str) = ("Jefe", "what do ya want for nothing?");

fn samples() -> Vec<Sample> {
    let github = [("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")];
    let standard = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let shopify = [("X-Shopify-Hmac-SHA256", "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=")];
    let stripe =
        [("Stripe-Signature", "t=1533204620,v1=82216eca827bcb7b34b8055eb2d2d9e6bc13b9ac39ded14a61e69f70c565f53a")];
    let mut all = vec![
        // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
        Sample::new(r#"{"kind":"github"}"#, "It's a Secret to Everybody", &github, "Hello, World!"),
        // The specification's libraries test with it.
        Sample::new(
            r#"{"kind":"standard_webhooks"}"#,
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            &standard,
            r#"{"test": 2432232314}"#,
        )
        .at(1_614_265_331),
        // Shopify's pages have no whole sample. This is SQLPage's, whose tests check Shopify's signatures; OpenSSL gives the same.
        Sample::new(
            r#"{"kind":"shopify"}"#,
            "test-webhook-secret",
            &shopify,
            r#"{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}"#,
        ),
        Sample::new(r#"{"kind":"stripe"}"#, "webhook_secret", &stripe, STRIPE_BODY).at(1_533_204_720),
        Sample::new(r#"{"kind":"slack"}"#, SLACK_SECRET, &SLACK_HEADERS, SLACK_BODY).at(1_531_420_618),
        // RFC 2202, section 3, case 2: the scheme is HMAC-SHA1 of the body and nothing else.
        Sample::new(
            r#"{"kind":"accounts_api"}"#,
            JEFE.0,
            &[("pywebhooks-signature", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")],
            JEFE.1,
        ),
    ];
    all.extend(twilio());
    all.extend(generic());
    all.extend(shown());
    all
}

/// The tests of Twilio's own Python library.
fn twilio() -> Vec<Sample> {
    let form = |signature: &'static str, body: &str| {
        let kind = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
        Sample::new(TWILIO, "12345", &[("X-Twilio-Signature", signature), kind], body)
    };
    let call = "Digits=1234&CallSid=CA1234567890ABCDE&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    let json = [("X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4="), ("Content-Type", "application/json")];
    let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    vec![
        form("RSOYDt4T1cUTdK1PDd93/VVr8B8=", call),
        form("IK+Dwps556ElfBT0I3Rgjkr1wJU=", "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"),
        form("kvajT1Ptam85bY51eRf/AJRuM3w=", call),
        Sample::new(TWILIO, "12345", &json, r#"{"property": "value", "boolean": true}"#)
            .query(&format!("foo=1&bar=2&bodySHA256={hash}")),
    ]
}

/// The generic guard does what the named ones do, and what others do.
fn generic() -> Vec<Sample> {
    let slack = r#"{"kind":"hmac","header":"X-Slack-Signature","prefix":"v0=","timestamp_header":"X-Slack-Request-Timestamp","signed":"v0:{timestamp}:{body}"}"#;
    let rfc =
        |guard: &'static str, signature: &'static str| Sample::new(guard, JEFE.0, &[("X-Sig", signature)], JEFE.1);
    vec![
        Sample::new(slack, SLACK_SECRET, &SLACK_HEADERS, SLACK_BODY).at(1_531_420_318),
        rfc(r#"{"kind":"hmac","header":"X-Sig","algorithm":"sha1"}"#, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        rfc(
            r#"{"kind":"hmac","header":"X-Sig","algorithm":"sha1","encoding":"base64"}"#,
            "7/zfauXrL6LSdBbV8YTfnCWafHk=",
        ),
        // RFC 4231, section 4.3.
        rfc(
            r#"{"kind":"hmac","header":"X-Sig","algorithm":"sha512"}"#,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ]
}

/// Guards that are shown the secret itself. The pair of Basic is the one of RFC 7617, section 2.
fn shown() -> Vec<Sample> {
    let header = r#"{"kind":"token","in":"header","name":"Authorization","prefix":"Bearer "}"#;
    let path = Sample::new(r#"{"kind":"token","in":"path"}"#, "mF_9.B5f-4.1JqM", &[], "");
    vec![
        Sample { path_token: Some("mF_9.B5f-4.1JqM".into()), ..path },
        Sample::new(r#"{"kind":"token","in":"query","name":"k"}"#, "mF_9.B5f-4.1JqM", &[], "")
            .query("k=mF_9.B5f-4.1JqM"),
        Sample::new(header, "mF_9.B5f-4.1JqM", &[("Authorization", "Bearer mF_9.B5f-4.1JqM")], ""),
        Sample::new(
            r#"{"kind":"basic","user":"Aladdin"}"#,
            "open sesame",
            &[("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")],
            "",
        ),
    ]
}

#[test]
fn every_published_sample_verifies() {
    for sample in samples() {
        assert_eq!(sample.verify(), Ok(()), "{}", sample.guard);
    }
}

#[test]
fn no_sample_verifies_when_one_byte_of_it_is_another() {
    for sample in samples() {
        let changed = sample.changed();
        assert!(changed.len() > 20, "{}", sample.guard);
        for (what, changed) in changed {
            assert!(changed.verify().is_err(), "{} {what}", sample.guard);
        }
    }
}

#[test]
fn either_of_two_secrets_is_good() {
    for sample in samples() {
        let (ours, other) = (Some(sample.secret.clone()), Some("another secret".to_owned()));
        for secrets in [Secrets::new(other.clone(), ours.clone()), Secrets::new(ours, other)] {
            assert_eq!(sample.verify_with(&secrets, &Method::POST), Ok(()), "{}", sample.guard);
        }
    }
}

#[test]
fn what_has_a_time_in_it_is_good_for_its_tolerance_and_no_longer() {
    let timed: Vec<_> = samples().into_iter().filter(|sample| sample.now_s > 0).collect();
    assert_eq!(timed.len(), 4);
    for sample in timed {
        let late = sample.clone().at(sample.now_s + 3612).verify().unwrap_err();
        assert_eq!(late.kind, Kind::OutOfTime, "{}", sample.guard);
        assert!(late.reason.contains(" s old; 300 s are allowed"), "{}", late.reason);
        let early = sample.clone().at(sample.now_s - 3612).verify().unwrap_err();
        assert!(early.reason.contains("in the future"), "{}", early.reason);
    }
}

#[test]
fn a_request_without_its_header_says_which_and_a_get_is_not_signed() {
    for sample in samples() {
        let named = sample.headers.iter().map(|(name, _)| *name).filter(|name| *name != "Content-Type");
        for missing in named {
            let mut sample = sample.clone();
            sample.headers.retain(|(name, _)| *name != missing);
            let reason = sample.verify().unwrap_err().reason;
            assert_eq!(reason, format!("the header {missing} is missing"), "{}", sample.guard);
        }
        let secrets = Secrets::new(Some(sample.secret.clone()), None);
        let by_get = sample.verify_with(&secrets, &Method::GET);
        let is_signed = !sample.guard.contains("token") && !sample.guard.contains("basic");
        assert_eq!(by_get.is_err_and(|rejection| rejection.kind == Kind::Unsigned), is_signed, "{}", sample.guard);
    }
}

#[test]
fn a_signature_of_another_kind_is_told_apart_from_a_wrong_one() {
    let guard = r#"{"kind":"hmac","header":"X-Sig"}"#;
    let sha1 = Sample::new(guard, JEFE.0, &[("X-Sig", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")], JEFE.1);
    assert!(sha1.verify().unwrap_err().reason.contains("another algorithm"));
    let upper = [("X-Sig", "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843")];
    assert_eq!(Sample::new(guard, JEFE.0, &upper, JEFE.1).verify(), Ok(()), "hex in capitals is hex");
}
