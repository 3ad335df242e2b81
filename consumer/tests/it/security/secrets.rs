//! Secrets are in no log however much is logged, and on no page and in no answer but those that are there to show them.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use common::signature;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    matrix::doors::{DOORS, Door},
    support::{
        database::{Database, Mode},
        eventually, on_both,
        socket::Socket,
    },
};

const SECRET_KEY: &str = "Zq1-secret-key-of-the-service";
const PASSWORD: &str = "Zq2-admin-password";
const TOKEN: &str = "Zq3-token-of-a-source";
const BASIC: &str = "Zq4-password-of-a-device";
const SIGNING: &str = "Zq5-secret-that-signs";
const SCREEN: &str = "2a86c1e2f0b94d7780aa13579bdf02468ace13579bdf02468ace13579bdf0246";
const GUESSED: &str = "Zq6-key-that-is-none";
/// A parameter and a header that are secret by their names.
const BESIDE: &str = "Zq7-token-of-somebody-else";
const REDIS: &str = "Zq8-password-of-redis";
const POSTGRES: &str = "Zq9-password-of-postgres";
/// Whatever any part of the program would say.
const EVERYTHING: &str = "trace";

/// A consumer as a program that logs all it can, killed when it is dropped.
struct Logged {
    child: Child,
    client: Client,
    url: String,
    folder: TempDir,
}

impl Logged {
    async fn start(database: &Database) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(&folder, &database.url);
        command.env("LISTEN", format!("0.0.0.0:{port}"));
        if let Some(broker) = database.broker_url() {
            command.env("BROKER_URL", broker);
        }
        let child = command.spawn().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let started = Self { child, client, url: format!("http://127.0.0.1:{port}"), folder };
        eventually("the program is ready", async || {
            started
                .client
                .get(format!("{}/readyz", started.url))
                .send()
                .await
                .ok()
                .filter(|answer| answer.status().is_success())
        })
        .await;
        started
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let url = format!("{}{path}", self.url);
        let request = self.client.request(method.parse::<Method>().unwrap(), url).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let (status, cookies) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        (status, cookies + &answer.text().await.unwrap())
    }

    async fn admin(&self, method: &str, path: &str, body: Value) -> Value {
        let password = format!("Bearer {PASSWORD}");
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let answer = request.header("authorization", password).body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Ends it as SIGTERM would not, and gives its log.
    fn log(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        log(&self.folder)
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(folder: &TempDir) -> String {
    let bytes = std::fs::read(folder.path().join("log")).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The program with all secrets that its settings have, and its log in the folder.
fn program(folder: &TempDir, database_url: &str) -> Command {
    let sources = format!(
        "sources:\n  - {{name: header, guard: {{kind: token, in: header, name: X-Mine}}, secret: {TOKEN}}}\n  - {{name: query, guard: {{kind: token, in: query, name: k}}, secret: {TOKEN}}}\n  - {{name: path, guard: {{kind: token, in: path}}, secret: {TOKEN}}}\n  - {{name: basic, guard: {{kind: basic, user: evok}}, secret: {BASIC}}}\n  - {{name: signed, guard: {{kind: standard_webhooks}}, secret: {SIGNING}, second_secret: {SIGNING}-before}}\n"
    );
    std::fs::write(folder.path().join("sources.yaml"), sources).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
    command.current_dir(folder.path()).env_clear().env("RUST_LOG", EVERYTHING).env("SOURCES", "sources.yaml");
    command.env("DATABASE_URL", database_url).env("SECRET_KEY", SECRET_KEY).env("ADMIN_PASSWORD", PASSWORD);
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command
}

/// What came to be while it ran and is nobody's business either.
#[derive(Default)]
struct Made {
    secrets: BTreeMap<&'static str, String>,
    ids: BTreeMap<&'static str, String>,
}

/// Uses every secret once rightly and once wrongly.
async fn use_all(app: &Logged) -> Made {
    let mut made = Made::default();
    let key = app.admin("POST", "/api/keys", json!({"name": "alarm"})).await;
    let device = app.admin("POST", "/api/action-devices", json!({"name": "lobby"})).await;
    let action = json!({"name": "hi", "event_id": "hi", "function": "show_toast", "parameters": {"text": "hi"}, "target": "all"});
    let action = app.admin("POST", "/api/actions", action).await;
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    made.secrets = BTreeMap::from([("an API key", text(&key, "key")), ("a device's key", text(&device, "key"))]);
    made.ids = BTreeMap::from([
        ("/actions/keys", text(&key, "id")),
        ("/screens", text(&device, "id")),
        ("/actions", text(&action, "id")),
    ]);

    let form = [("content-type", "application/x-www-form-urlencoded")];
    for password in [PASSWORD, GUESSED] {
        let (_, answer) = app.send("POST", "/login", &form, &format!("password={password}")).await;
        if let Some((_, rest)) = answer.split_once("hookcast_consumer=") {
            made.secrets.insert("a session", rest.split(';').next().unwrap().to_owned());
        }
    }
    let api_key = made.secrets["an API key"].clone();
    for key in [&api_key, GUESSED] {
        app.send("GET", &format!("/public-api/integration/webhooks?eventId=hi&api_key={key}"), &[], "").await;
        app.send("POST", "/public-api/integration/webhooks", &[("x-webhook-apikey", key)], r#"{"event_id":"hi"}"#)
            .await;
    }
    let port: u16 = app.url.rsplit(':').next().unwrap().parse().unwrap();
    for key in [&made.secrets["a device's key"], GUESSED] {
        let _ = Socket::connect_as(([127, 0, 0, 1], port).into(), "/devices", &json!({"key": key})).await;
    }
    app.send("POST", "/screen-api/pairing", &[], &json!({"name": "wall", "key": SCREEN}).to_string()).await;
    app.send("GET", "/screen-api/content", &[("x-device-key", SCREEN)], "").await;
    send_webhooks(app).await;
    made
}

async fn send_webhooks(app: &Logged) {
    let now_s = common::time::now_ms() / 1000;
    let signed = signature::sign(SIGNING.as_bytes(), "m", now_s, b"{}");
    let stamp = now_s.to_string();
    let basic = |password: &str| {
        format!(
            "Basic {}",
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("evok:{password}"))
        )
    };
    for (path, header, expected) in [
        ("/consumetasks/header".to_owned(), ("x-mine", TOKEN.to_owned()), 200),
        ("/consumetasks/header".into(), ("x-mine", format!("{TOKEN}x")), 401),
        (format!("/consumetasks/query?k={TOKEN}"), ("x-a", String::new()), 200),
        (format!("/consumetasks/query?k={TOKEN}x"), ("x-a", String::new()), 401),
        (format!("/consumetasks/path/{TOKEN}"), ("x-a", String::new()), 200),
        (format!("/consumetasks/path/{TOKEN}x"), ("x-a", String::new()), 401),
        ("/consumetasks/basic".into(), ("authorization", basic(BASIC)), 200),
        ("/consumetasks/basic".into(), ("authorization", basic(&format!("{BASIC}x"))), 401),
        ("/consumetasks/signed".into(), ("webhook-signature", signed), 200),
        (format!("/consumetasks/hall?access_token={BESIDE}"), ("x-api-key", BESIDE.to_owned()), 200),
    ] {
        let headers =
            [(header.0, header.1.as_str()), ("webhook-id", "m"), ("webhook-timestamp", &stamp), ("cookie", BESIDE)];
        assert_eq!(app.send("POST", &path, &headers, "{}").await.0, expected, "{path}");
    }
}

/// Every page and every answer that is not there to show a secret, as the administrator sees them; named by the path.
async fn everything_shown(app: &Logged, made: &Made) -> Vec<(String, String)> {
    let gets = DOORS.iter().filter(|(door, _)| matches!(door, Door::Open | Door::Password | Door::ScreenSession));
    let routes = gets.flat_map(|(_, routes)| routes.iter().filter_map(|route| route.strip_prefix("GET ")));
    let mut shown = Vec::new();
    let password = format!("Bearer {PASSWORD}");
    // Those that are followed have no end; what they say is that something moved.
    let endless = ["/actions/moved", "/screens-moved", "/sources-moved", "/devices/events"];
    for route in routes.filter(|route| *route != "/api/keys/{id}/key" && !endless.contains(route)) {
        for source in ["header", "query", "path", "basic", "signed", "hall"] {
            let place =
                made.ids.iter().filter(|(place, _)| route.starts_with(*place)).max_by_key(|(place, _)| place.len());
            let id = place.map_or("@1", |(_, id)| id.as_str());
            let path = route.replace("{name}", source).replace("{source}", source).replace("{id}", id);
            for accept in ["text/html", "application/json"] {
                let (_, text) = app.send("GET", &path, &[("authorization", &password), ("accept", accept)], "").await;
                shown.push((path.clone(), text));
            }
            if !route.contains('{') {
                break;
            }
        }
    }
    for offset in 1..20 {
        let path = format!("/api/events/@{offset}");
        shown.push((path.clone(), app.send("GET", &path, &[("authorization", &password)], "").await.1));
    }
    shown
}

fn all(made: &Made) -> Vec<(&'static str, String)> {
    let known = [
        ("SECRET_KEY", SECRET_KEY),
        ("ADMIN_PASSWORD", PASSWORD),
        ("a token", TOKEN),
        ("a password of a device", BASIC),
        ("a secret that signs", SIGNING),
        ("the key of a screen", SCREEN),
        ("a key that is none", GUESSED),
        ("what is secret by its name", BESIDE),
        ("the password of PostgreSQL", ":hookcast@"),
    ];
    let known = known.map(|(what, secret)| (what, secret.to_owned()));
    known.into_iter().chain(made.secrets.iter().map(|(what, secret)| (*what, secret.clone()))).collect()
}

#[tokio::test]
async fn no_secret_is_in_the_log_or_shown() {
    on_both(async |database| {
        let app = Logged::start(&database).await;
        let made = use_all(&app).await;
        let shown = everything_shown(&app, &made).await;
        assert!(shown.len() > 100, "{}", shown.len());
        let log = app.log();
        assert!(log.contains("DEBUG") && log.lines().count() > 100, "all is logged");
        for (what, secret) in all(&made) {
            for (path, text) in &shown {
                assert!(!text.contains(&secret), "{what} is shown at {path}: {}", around(text, &secret));
            }
            assert!(!log.contains(&secret), "{what} is logged: {}", around(&log, &secret));
        }
    })
    .await;
}

/// Where it stands.
fn around<'a>(text: &'a str, secret: &str) -> &'a str {
    let at = text.find(secret).unwrap_or(0);
    let (from, to) =
        (text.floor_char_boundary(at.saturating_sub(300)), text.ceil_char_boundary((at + 300).min(text.len())));
    &text[from..to]
}

#[tokio::test]
async fn what_cannot_be_reached_is_named_without_its_password() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = Database::create(Mode::Machines).await.url.replacen(":hookcast@", &format!(":{POSTGRES}@"), 1);
    let embedded = Database::create(Mode::Embedded).await;
    for (database, broker) in [
        (format!("postgres://hookcast:{POSTGRES}@{closed}/none"), None),
        (refused, None),
        (embedded.url.clone(), Some(format!("redis://user:{REDIS}@{closed}"))),
        (embedded.url.clone(), Some(format!("redis//user:{REDIS}@{closed}"))),
        (format!("postgres//hookcast:{POSTGRES}@{closed}/none"), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(&folder, &database);
        command.env("LISTEN", "127.0.0.1:0").envs(broker.as_ref().map(|broker| ("BROKER_URL", broker)));
        let mut child = command.spawn().unwrap();
        eventually("it says what is wrong, or is up without", async || {
            let said = log(&folder);
            let is_up = said.contains("consumer is at") && (broker.is_none() || said.contains("Connection refused"));
            (is_up || child.try_wait().unwrap().is_some()).then_some(())
        })
        .await;
        let _ = (child.kill(), child.wait());
        let log = log(&folder);
        assert!(!log.is_empty());
        for secret in [REDIS, POSTGRES] {
            assert!(!log.contains(secret), "{database} {broker:?}: {}", around(&log, secret));
        }
    }
}
