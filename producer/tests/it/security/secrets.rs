//! Secrets are in no log however much is logged, and on no page and in no answer but those that are there to show them.

use std::{
    collections::BTreeMap,
    fs::File,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    matrix::doors::{DOORS, Door},
    support::{
        Database,
        endpoint::{Endpoint, Say},
        eventually, http,
        wire::{User, Wire, patch, post, request},
    },
};

const SECRET_KEY: &str = "Zq1-secret-key-of-the-service";
const PASSWORD: &str = "Zq2-admin-password";
const WEBHOOK_SECRET: &str = "Zq3-secret-that-signs-batches";
const CUSTOM: &str = "Zq4-header-of-a-subscription";
const GUESSED: &str = "Zq5-key-that-is-none";
const POSTGRES: &str = "Zq6-password-of-postgres";
const REDIS: &str = "Zq7-password-of-redis";
const MQTT: &str = "Zq8-password-of-a-broker";
/// Whatever any part of the program would say.
const EVERYTHING: &str = "trace";

/// A producer as a program that logs all it can, killed when it is dropped.
struct Logged {
    child: Child,
    folder: TempDir,
    port: u16,
    wire: Wire,
}

impl Logged {
    async fn start(database: &Database, receiver: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(&folder, &database.url);
        command.env("LISTEN", format!("0.0.0.0:{port}")).env("WEBHOOK_RECEIVER_URL", receiver).env("WAIT_TIME", "0");
        command.env("ALLOW_TARGETS", "127.0.0.1").env("DEFAULT_RETRY", "50ms").env("RETRY_SCHEDULE", "0");
        let child = command.spawn().unwrap();
        let wire = Wire::new(([127, 0, 0, 1], port).into(), http());
        let started = Self { child, folder, port, wire };
        eventually("the program is ready", || async {
            let asked = http().get(started.url("/readyz")).send().await;
            asked.ok().filter(|answer| answer.status().is_success())
        })
        .await;
        started
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The administrator, whose keys are told on standard output, where they belong.
    fn admin(&self) -> User {
        let said = std::fs::read_to_string(self.folder.path().join("out")).unwrap();
        let key =
            |name: &str| said.split(&format!("'{name}': '")).nth(1).unwrap().split('\'').next().unwrap().to_owned();
        User { username: "admin".into(), api_key: key("api_key"), secret_key: key("secret_key"), ..User::default() }
    }

    /// What a browser with these headers is shown.
    async fn shown(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
        let request = http().request(method.parse().unwrap(), self.url(path)).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").map_or("", |cookie| cookie.to_str().unwrap());
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (cookie, answer.text().await.unwrap())
    }

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
    String::from_utf8_lossy(&std::fs::read(folder.path().join("log")).unwrap()).into_owned()
}

fn program(folder: &TempDir, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.current_dir(folder.path()).env_clear().env("RUST_LOG", EVERYTHING).env("DATABASE_URL", database_url);
    command.env("SECRET_KEY", SECRET_KEY).env("ADMIN_PASSWORD", PASSWORD).env("WEBHOOK_SECRET", WEBHOOK_SECRET);
    let file = |name: &str| File::create(folder.path().join(name)).unwrap();
    command.stdin(Stdio::null()).stdout(file("out")).stderr(file("log"));
    command
}

/// Uses every secret once rightly and once wrongly; gives those that came to be, and the cookies.
async fn use_all(app: &Logged, endpoint: &Endpoint) -> (BTreeMap<&'static str, String>, String) {
    let owner = app.wire.join("owner", &endpoint.url("/owner")).await;
    let registration = app.wire.register(&owner, &"e".into(), "{}").await;
    let subscription = app.wire.subscribe(&owner, &registration).await;
    let options = json!({ "headers": { "authorization": format!("Bearer {CUSTOM}"), "x-api-key": CUSTOM } });
    app.wire.must(&patch(format!("/v1/webhook/subscription/{subscription}/options")).by(&owner).json(&options)).await;
    app.wire
        .must(&request("PUT", "/v1/account/operational").by(&owner).json(&json!({ "endpoint": endpoint.url("/told") })))
        .await;
    app.wire.trigger(&owner, &registration).await;
    endpoint.script("POST", "/owner", Say::status(500));
    app.wire.trigger(&owner, &registration).await;
    endpoint.arrived("POST", "/owner", 5).await;
    let rotated = app.wire.must(&post("/v1/account/rotate/secretkey").by(&owner).body("{}")).await;
    app.wire.must(&post("/v1/account/reset/secretkey").by(&owner)).await;
    app.wire.send(&post("/v1/account/reset/apikey").header("username", "owner")).await;
    let reset = |field: &str| {
        endpoint.calls("GET", "/owner").iter().find_map(|call| call.field(field).map(str::to_owned)).unwrap()
    };
    let (api_key, secret_key) = (reset("api_key"), reset("secret_key"));
    let guess = User { api_key: GUESSED.into(), ..owner.clone() };
    assert_eq!(app.wire.send(&post("/v1/account/enable").by(&guess)).await.status, 401);

    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (password, _) = app.shown("POST", "/login", &form, &format!("password={PASSWORD}")).await;
    app.shown("POST", "/login", &form, &format!("password={GUESSED}")).await;
    let (session, _) = app.shown("POST", "/account/login", &form, &format!("username=owner&api_key={api_key}")).await;
    app.shown("POST", "/account/login", &form, &format!("username=owner&api_key={GUESSED}")).await;
    let bearer = format!("Bearer {PASSWORD}");
    app.shown("POST", "/producetasks", &[form[0], ("authorization", &bearer)], "count=2").await;
    endpoint.arrived("POST", "/tasks", 2).await;
    let admin = app.admin();
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let made = BTreeMap::from([
        ("the first API key", owner.api_key),
        ("the first secret key", owner.secret_key),
        ("an API key", api_key),
        ("a secret key", secret_key),
        ("a rotated secret key", rotated["secret_key"].as_str().unwrap().to_owned()),
        ("the administrator's API key", admin.api_key),
        ("the administrator's secret key", admin.secret_key),
        ("a session of the password", value(&password)),
        ("a session of an account", value(&session)),
    ]);
    (made, format!("{password}; {session}"))
}

/// Every page and every answer that is not there to show a secret, by whoever may see it; named by the path.
async fn everything_shown(
    app: &Logged,
    (made, cookie): &(BTreeMap<&'static str, String>, String),
) -> Vec<(String, String)> {
    let (api_key, bearer) = (&made["an API key"], format!("Bearer {PASSWORD}"));
    let owner = [("username", "owner"), ("api-key", api_key), ("content-type", "application/json")];
    let mut ids = BTreeMap::new();
    for list in ["registration", "subscription", "triggered", "deliveries"] {
        let (_, text) = app
            .shown(
                "GET",
                &format!("/v1/webhook/{list}?limit=1{}", if list == "deliveries" { "" } else { "&start=0" }),
                &owner,
                "",
            )
            .await;
        let page: Value = serde_json::from_str(&text).unwrap_or_default();
        let first =
            page.as_object().and_then(|page| page.values().find_map(|list| list[0]["id"].as_str().map(str::to_owned)));
        ids.insert(list, first.unwrap_or_else(|| panic!("no {list}: {text}")));
    }
    let routes = DOORS.iter().flat_map(|(door, routes)| routes.iter().map(move |route| (*door, *route)));
    let gets = routes.filter_map(|(door, route)| Some((door, route.strip_prefix("GET ")?)));
    // Those that are followed have no end; and an account is there to show its owner the secret key, the list of accounts to show the administrator all.
    let left_out = ["/batches/{id}/events", "/devices/events", "/account/events", "/v1/account/{id}", "/v1/accounts"];
    let mut shown = Vec::new();
    for (door, route) in gets.filter(|(_, route)| !left_out.contains(route)) {
        let id = ids
            .iter()
            .find(|(list, _)| route.contains(**list) || (**list == "registration" && route.contains("webhooks")));
        let page = if route.starts_with("/v1/") && !route.contains("deliveries") { "?start=0&limit=10" } else { "" };
        let path = route.replace("{id}", id.map_or("nothing", |(_, id)| id)) + page;
        let json = [("username", "owner"), ("api-key", api_key.as_str()), ("content-type", "application/json")];
        let page = [("authorization", bearer.as_str()), ("cookie", cookie), ("accept", "text/html")];
        let (_, text) =
            app.shown("GET", &path, if matches!(door, Door::Key | Door::OwnKey) { &json } else { &page }, "").await;
        shown.push((path, text));
    }
    for id in batch_ids(app, &bearer).await {
        for path in
            [format!("/batches/{id}"), format!("/api/batches/{id}/lines"), format!("/api/deliveries?batch={id}")]
        {
            shown.push((path.clone(), app.shown("GET", &path, &[("authorization", &bearer)], "").await.1));
        }
    }
    shown
}

async fn batch_ids(app: &Logged, bearer: &str) -> Vec<String> {
    let (_, text) = app.shown("GET", "/api/batches", &[("authorization", bearer)], "").await;
    let list: Value = serde_json::from_str(&text).unwrap();
    list["batches"].as_array().unwrap().iter().map(|batch| batch["id"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn no_secret_is_in_the_log_or_shown(database: Database) {
        let endpoint = Endpoint::start().await;
        let app = Logged::start(&database, &endpoint.url("/tasks")).await;
        let made = use_all(&app, &endpoint).await;
        let shown = everything_shown(&app, &made).await;
        assert!(shown.len() > 40, "{}", shown.len());
        let log = app.log();
        assert!(log.contains("DEBUG") && log.lines().count() > 100, "all is logged");
        let known = [
            ("SECRET_KEY", SECRET_KEY),
            ("ADMIN_PASSWORD", PASSWORD),
            ("WEBHOOK_SECRET", WEBHOOK_SECRET),
            ("a key that is none", GUESSED),
            ("a header of a subscription", CUSTOM),
            ("the password of PostgreSQL", ":hookcast@"),
        ];
        let known = known.map(|(what, secret)| (what, secret.to_owned()));
        for (what, secret) in made.0.into_iter().chain(known) {
            for (path, text) in shown.iter().filter(|(path, _)| !is_there_to_show(path, what)) {
                assert!(!text.contains(&secret), "{what} is shown at {path}: {}", around(text, &secret));
            }
            assert!(!log.contains(&secret), "{what} is logged: {}", around(&log, &secret));
        }
    }
}

/// An account sees its signing key on its page, behind a button, and the headers of its subscriptions where it sets them.
fn is_there_to_show(path: &str, what: &str) -> bool {
    match what {
        "a secret key" => path == "/account",
        "a header of a subscription" => path.contains("subscription"),
        _ => false,
    }
}

/// Where it stands.
fn around<'a>(text: &'a str, secret: &str) -> &'a str {
    let at = text.find(secret).unwrap_or(0);
    &text[text.floor_char_boundary(at.saturating_sub(300))..text.ceil_char_boundary((at + 300).min(text.len()))]
}

#[tokio::test]
async fn what_cannot_be_reached_is_named_without_its_password() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (postgres, embedded) = (Database::postgres().await, Database::sqlite());
    let devices = format!(
        "sources:\n  - name: house\n    mqtt: {{url: \"mqtt://{closed}\", username: u, password: {MQTT}, topics: [{{topic: a}}]}}\n"
    );
    for (database, broker) in [
        (format!("postgres://hookcast:{POSTGRES}@{closed}/none"), None),
        (postgres.url.replacen(":hookcast@", &format!(":{POSTGRES}@"), 1), None),
        (format!("postgres//hookcast:{POSTGRES}@{closed}/none"), None),
        (embedded.url.clone(), Some(format!("redis://user:{REDIS}@{closed}"))),
        (embedded.url.clone(), Some(format!("redis//user:{REDIS}@{closed}"))),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("devices.yaml"), &devices).unwrap();
        let mut command = program(&folder, &database);
        command.env("LISTEN", "127.0.0.1:0").env("DEVICES", "devices.yaml");
        command.envs(broker.as_ref().map(|broker| ("BROKER_URL", broker)));
        let child = std::sync::Mutex::new(command.spawn().unwrap());
        eventually("it says what is wrong, or is up without", || async {
            let said = log(&folder);
            let has_ended = child.lock().unwrap().try_wait().unwrap().is_some();
            let is_up = said.contains("producing at") && (broker.is_none() || said.contains("Connection refused"));
            (is_up || has_ended).then_some(())
        })
        .await;
        let mut child = child.into_inner().unwrap();
        let _ = (child.kill(), child.wait());
        let log = log(&folder);
        assert!(!log.is_empty());
        for secret in [REDIS, POSTGRES, MQTT] {
            assert!(!log.contains(secret), "{database} {broker:?}: {}", around(&log, secret));
        }
    }
}
