//! Who may ask what: every route, asked by nobody, with a session that has ended, with an API key, by another screen, by the screen itself, and by the
//! administrator with the password and with a session.

pub mod doors;
#[path = "../../../../common/tests/shared/routes.rs"]
mod routes;

use std::collections::BTreeSet;

use common::{key, seal::Vault, time::now_ms};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{
    TestApp,
    database::{Database, Mode},
};
use doors::{DOORS, Door};

const PASSWORD: &str = "open sesame";
const SECRET_KEY: &str = "matrix test";
/// As a screen makes one.
const DEVICE_KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a caller sends with every request.
type Headers = Vec<(&'static str, String)>;

/// A consumer behind its gate, with a key and a screen.
struct Scene {
    app: TestApp,
    api_key: String,
    cookie: String,
    /// The device that the screen is.
    device: String,
    _database: Database,
}

impl Scene {
    async fn set() -> Self {
        let database = Database::create(Mode::Embedded).await;
        let app =
            TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", PASSWORD, "--secret-key", SECRET_KEY])
                .await;
        let made = admin(&app, "/api/keys", json!({"name": "alarm"})).await;
        let api_key = made["key"].as_str().unwrap().to_owned();
        let cookie = paired(&app).await;
        let devices = app.client.get(app.url("/api/action-devices")).bearer_auth(PASSWORD).send().await.unwrap();
        let devices: Value = serde_json::from_str(&devices.text().await.unwrap()).unwrap();
        let device = devices["devices"][0]["id"].as_str().unwrap().to_owned();
        Self { app, api_key, cookie, device, _database: database }
    }

    fn api_key(&self) -> Headers {
        vec![("x-webhook-apikey", self.api_key.clone())]
    }

    fn screen(&self) -> Headers {
        vec![("cookie", self.cookie.clone())]
    }

    /// The administrator's session and the screen's, as this service signs them, with an end in so many seconds.
    fn sessions(&self, ends_in_s: i64) -> (String, String) {
        let expires_s = now_ms() / 1000 + ends_in_s;
        let signed_with = format!("{SECRET_KEY}:{}", key::hex(&key::sha256(PASSWORD.as_bytes())));
        let mac = key::mac(&signed_with, &format!("session.{expires_s}"));
        let sealed = Vault::new(SECRET_KEY).seal(&format!("{expires_s}.{}", self.device), "session of a screen");
        (format!("hookcast_consumer={expires_s}.{mac}"), format!("hookcast_screen={sealed}"))
    }

    fn ended(&self) -> Headers {
        let (admin, screen) = self.sessions(-1);
        vec![("cookie", format!("{admin}; {screen}"))]
    }

    /// Everybody but the administrator.
    fn strangers(&self) -> Vec<Headers> {
        let nobody = vec![vec![], vec![("accept", "text/html".to_owned())]];
        let other_screen = vec![("x-device-key", DEVICE_KEY.replace('0', "1"))];
        let other_key = vec![("x-webhook-apikey", self.api_key.replace(|digit: char| digit.is_ascii_digit(), "a"))];
        let known = vec![self.api_key(), other_key, self.screen(), device(), other_screen, self.ended()];
        [nobody, known].concat()
    }

    async fn ask(&self, route: &str, headers: &Headers) -> Response {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{name}", "default").replace("{source}", "default").replace("{file}", "nothing.css");
        let url = self.app.url(&path.replace("{id}", "nothing").replace("{code}", "AAAAAA").replace("{token}", "t"));
        let mut request = self.app.client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if method != "GET" {
            request = request.body("{}");
        }
        request.send().await.unwrap()
    }
}

fn password() -> Headers {
    vec![("authorization", format!("Bearer {PASSWORD}"))]
}

fn device() -> Headers {
    vec![("x-device-key", DEVICE_KEY.to_owned())]
}

async fn admin(app: &TestApp, path: &str, body: Value) -> Value {
    let request = app.client.post(app.url(path)).bearer_auth(PASSWORD).body(body.to_string());
    let (answer, path) = (request.send().await.unwrap(), path.to_owned());
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Pairs a screen; gives the cookie of its session.
async fn paired(app: &TestApp) -> String {
    let body = json!({"name": "lobby", "key": DEVICE_KEY}).to_string();
    let asked = app.post("/screen-api/pairing", &[], body).await.text().await.unwrap();
    let code = serde_json::from_str::<Value>(&asked).unwrap()["code"].as_str().unwrap().to_owned();
    admin(app, &format!("/api/pairings/{code}/accept"), json!({})).await;
    let session = app.post("/screen-api/session", &[("x-device-key", DEVICE_KEY)], "").await;
    let cookie = session.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn behind(door: Door) -> impl Iterator<Item = &'static str> {
    DOORS.iter().filter(move |(of, _)| *of == door).flat_map(|(_, routes)| routes.iter().copied())
}

/// Whether the gate turned it away: 401, or for a browser the page to sign in at.
fn is_shut(answer: &Response) -> bool {
    let asks = || answer.headers()["location"].to_str().unwrap().starts_with("/login?next=");
    answer.status() == 401 || (answer.status() == 303 && asks())
}

#[test]
fn every_route_has_its_door() {
    let known: Vec<String> =
        DOORS.iter().flat_map(|(_, routes)| routes.iter().map(|route| (*route).to_owned())).collect();
    let unique: BTreeSet<String> = known.iter().cloned().collect();
    assert_eq!(known.len(), unique.len(), "each stands behind one door");
    let found = routes::in_sources(&["consumer/src", "common/src/admin", "static/src"]);
    let missing: Vec<_> = found.difference(&unique).collect();
    let gone: Vec<_> = unique.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "say in doors.rs who may ask for {missing:?}; there is no {gone:?} any more"
    );
}

#[tokio::test]
async fn a_session_that_is_signed_here_is_good_until_its_end() {
    let scene = Scene::set().await;
    let (admin, screen) = scene.sessions(60);
    for (route, cookie) in [("GET /api/counts", admin), ("GET /screen-dashboard", screen)] {
        assert_eq!(scene.ask(route, &vec![("cookie", cookie)]).await.status(), 200, "{route}");
        assert_eq!(scene.ask(route, &scene.ended()).await.status(), 401, "{route}");
    }
    scene.app.end().await;
}

#[tokio::test]
async fn what_is_behind_the_password_opens_to_it_alone() {
    let scene = Scene::set().await;
    let session = vec![("cookie", scene.sessions(60).0)];
    for route in behind(Door::Password) {
        for stranger in scene.strangers() {
            let answer = scene.ask(route, &stranger).await;
            assert!(is_shut(&answer), "{route}: {} {stranger:?}", answer.status());
        }
        for admin in [password(), session.clone()] {
            let status = scene.ask(route, &admin).await.status();
            assert!(!matches!(status.as_u16(), 401 | 403), "{route}: {status}");
        }
    }
    scene.app.end().await;
}

#[tokio::test]
async fn what_needs_a_key_opens_to_its_own_kind_of_key_alone() {
    let scene = Scene::set().await;
    for (door, own) in [(Door::ApiKey, scene.api_key()), (Door::DeviceKey, device())] {
        for route in behind(door) {
            let others = scene.strangers().into_iter().filter(|headers| *headers != own);
            for stranger in others.chain([password()]) {
                let status = scene.ask(route, &stranger).await.status().as_u16();
                // Who shows many wrong keys is told to wait.
                assert!(matches!(status, 401 | 429), "{route}: {status} {stranger:?}");
            }
            let status = scene.ask(route, &own).await.status();
            assert!(!matches!(status.as_u16(), 401 | 403), "{route}: {status}");
        }
    }
    scene.app.end().await;
}

#[tokio::test]
async fn the_cookie_of_a_screen_opens_its_dashboard_alone() {
    let scene = Scene::set().await;
    for route in behind(Door::ScreenSession) {
        for stranger in scene.strangers().into_iter().filter(|headers| *headers != scene.screen()) {
            let answer = scene.ask(route, &stranger).await;
            assert!(is_shut(&answer), "{route}: {} {stranger:?}", answer.status());
        }
        for welcome in [scene.screen(), password()] {
            assert_eq!(scene.ask(route, &welcome).await.status(), 200, "{route}: {welcome:?}");
        }
    }
    scene.app.end().await;
}
