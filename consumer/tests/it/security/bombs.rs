//! Bodies that are small to send and large to read: each is answered with what is wrong with it, in a memory that does not grow with it.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    actions::program::Program,
    support::database::{Database, Mode},
};

const JSON_DOORS: [(&str, &str); 11] = [
    ("POST", "/consumetasks"),
    ("POST", "/consumetasks/hall"),
    ("POST", "/api/rules/test"),
    ("POST", "/api/actions"),
    ("PUT", "/api/actions/nothing"),
    ("POST", "/api/keys"),
    ("POST", "/api/action-devices"),
    ("PUT", "/api/action-devices/nothing/content"),
    ("POST", "/api/action-devices/nothing/commands"),
    ("POST", "/screen-api/pairing"),
    ("POST", "/public-api/integration/webhooks"),
];
/// What the program may grow by while all of them are thrown at it.
const ROOM_KB: u64 = 128 * 1024;

/// Nested without end, numbers without end, names without end.
fn json_bombs() -> Vec<(&'static str, String)> {
    let digits = "9".repeat(900_000);
    vec![
        ("lists in lists", format!("{}{}", "[".repeat(400_000), "]".repeat(400_000))),
        ("lists that do not end", "[".repeat(1_000_000)),
        ("objects in objects", format!("{}1{}", "{\"a\":".repeat(150_000), "}".repeat(150_000))),
        (
            "a depth within an event",
            format!("{{\"event_id\":\"a\",\"body\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000)),
        ),
        ("a number of many digits", format!("{{\"name\":{digits}}}")),
        ("a number beyond all", "{\"name\":1e999999999,\"rate_per_minute\":-1e999999999}".into()),
        ("a fraction of many digits", format!("{{\"seconds\":0.{digits}}}")),
        ("a text of one megabyte", format!("{{\"name\":\"{}\"}}", "x".repeat(1_000_000))),
        ("escapes only", format!("{{\"name\":\"{}\"}}", "\\u0000".repeat(150_000))),
        ("half of a surrogate pair", "{\"name\":\"\\ud800\"}".into()),
        (
            "many members",
            format!(
                "{{{}\"a\":1}}",
                (0..80_000).fold(String::new(), |mut all, number| {
                    let _ = write!(all, "\"{number}\":1,");
                    all
                })
            ),
        ),
        ("the same member again and again", format!("{{{}\"name\":1}}", "\"name\":1,".repeat(100_000))),
    ]
}

#[tokio::test]
async fn no_json_makes_it_fall_or_grow() {
    let database = Database::create(Mode::Embedded).await;
    let program = Program::start(&database, &[]).await;
    let before_kb = program.most_memory_kb();
    for (what, body) in json_bombs() {
        for (method, path) in JSON_DOORS {
            let (status, _) = program.ask(method, path, &[("content-type", "application/json")], body.clone()).await;
            // An event may be any JSON within the limits.
            let may_be_taken = path.starts_with("/consumetasks") && status == 200;
            assert!((400..500).contains(&status) || may_be_taken, "{what} to {method} {path}: {status}");
        }
    }
    for path in ["/", "/events", "/devices", "/api/events?limit=1000"] {
        assert_eq!(
            program.ask("GET", path, &[("accept", "text/html")], "").await.0,
            200,
            "what was taken is shown: {path}"
        );
    }
    program.within(before_kb + ROOM_KB);
}

#[tokio::test]
async fn no_base64_makes_it_fall_or_grow() {
    let database = Database::create(Mode::Embedded).await;
    let program = Program::start(&database, &[]).await;
    let before_kb = program.most_memory_kb();
    let base64 = |bytes: usize| STANDARD.encode(vec![b'['; bytes]);
    for bytes in [1_000, 20_000, 40_000, 300_000] {
        let path = format!("/public-api/integration/webhooks?api_key=x&payload={}", base64(bytes).replace('+', "%2B"));
        let status = program.try_ask("GET", &path).await;
        // Beyond the length of a head the connection ends.
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{bytes}: {status:?}");
    }
    let event = |data: String| {
        json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data_base64": data}).to_string()
    };
    let kind = [("content-type", "application/cloudevents+json")];
    for (data, expected) in
        [(base64(700_000), 200), (base64(2_000_000), 413), ("=".repeat(900_000), 400), ("A".repeat(900_001), 400)]
    {
        assert_eq!(program.ask("POST", "/consumetasks", &kind, event(data)).await.0, expected);
    }
    program.within(before_kb + ROOM_KB);
}

#[tokio::test]
async fn a_compressed_body_is_not_opened() {
    let database = Database::create(Mode::Embedded).await;
    let program = Program::start(&database, &[]).await;
    // 1 GiB of blanks would be a megabyte; what is not opened may as well be these bytes.
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xed\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee".to_vec();
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        for (method, path) in JSON_DOORS {
            let headers = [("content-encoding", encoding), ("content-type", "application/json")];
            let (status, _) = program.ask(method, path, &headers, gzip.clone()).await;
            assert!((400..500).contains(&status), "{encoding} to {path}: {status}");
        }
    }
}

#[tokio::test]
async fn no_form_makes_it_fall_or_grow() {
    let database = Database::create(Mode::Embedded).await;
    let program = Program::start(&database, &[]).await;
    let before_kb = program.most_memory_kb();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let doors = [
        "/new-source",
        "/new-device",
        "/actions/new",
        "/actions/keys/new",
        "/actions/event/test",
        "/screens/x/content",
        "/login",
    ];
    for (what, body, kind) in [
        ("a million fields", "a&".repeat(1_000_000), form),
        ("one field of two megabytes", format!("name={}", "x".repeat(2_000_000)), form),
        ("three megabytes", "a=1&".repeat(800_000), form),
        ("percent signs", "%".repeat(1_000_000), form),
        (
            "parts without end",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(20_000),
            [("content-type", "multipart/form-data; boundary=b")],
        ),
    ] {
        for path in doors {
            let (status, _) = program.ask("POST", path, &kind, body.clone()).await;
            // A login on loopback only leads on.
            assert!((400..500).contains(&status) || (path == "/login" && status == 303), "{what} to {path}: {status}");
        }
        let (status, _) = program.ask("POST", "/consumetasks", &kind, body).await;
        assert!((400..500).contains(&status), "{what} to the intake: {status}");
    }
    program.within(before_kb + ROOM_KB);
}

/// Aliases of aliases: a billion words in a few lines.
fn laughs() -> String {
    let mut text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        let _ = writeln!(text, "a{level}: &a{level} [{}]", [before.as_str(); 10].join(", "));
    }
    text + "rules: *a11\n"
}

#[tokio::test]
async fn rules_that_would_never_end_are_refused() {
    let database = Database::create(Mode::Embedded).await;
    let program = Program::start(&database, &[]).await;
    let before_kb = program.most_memory_kb();
    let list = laughs().replace("rules: *a11\n", "");
    let patterns = [
        "(?:x{1000}){1000}",
        "(?:(?:(?:x{100}){100}){100}){100}",
        "((((((((((a*)*)*)*)*)*)*)*)*)*)*b",
        "\\pL{1000}{1000}",
    ];
    for yaml in [
        laughs(),
        list,
        format!("- {}", "[".repeat(200_000)),
        format!("{}a", "- ".repeat(100_000)),
        "&a [*a]".into(),
        "<<: &a {<<: *a}".into(),
    ] {
        let body = json!({"rules": yaml, "body": {}}).to_string();
        let (status, text) = program.ask("POST", "/api/rules/test", &[], body).await;
        assert_eq!(status, 400, "{} {text}", &yaml[..yaml.len().min(60)]);
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("name", "a"), ("kind", "open"), ("rules", &yaml)])
            .finish();
        let (status, _) =
            program.ask("POST", "/new-source", &[("content-type", "application/x-www-form-urlencoded")], form).await;
        assert!((400..500).contains(&status), "{status}");
    }
    for pattern in patterns {
        let rules = json!([{"when": [{"pointer": "/a", "matches": pattern}], "priority": "Low"}]);
        let body = json!({"rules": rules, "body": {"a": "a".repeat(100_000)}}).to_string();
        let (status, text) = program.ask("POST", "/api/rules/test", &[], body).await;
        let read: Value = serde_json::from_str(&text).unwrap_or_default();
        assert!(status == 400 || read["priority"] == "other", "{pattern}: {status} {text}");
    }
    program.within(before_kb + ROOM_KB);
}
