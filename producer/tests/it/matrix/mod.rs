//! Who may ask what: every route, asked by nobody, with a session that has ended, by another account, by the account it belongs to, and by the
//! administrator.

pub mod doors;
#[path = "../../../../common/tests/shared/routes.rs"]
mod routes;

use std::collections::BTreeSet;

use common::{key, time::now_ms};
use reqwest::Response;
use serde_json::json;

use crate::support::{
    Database, eventually,
    stage::{SECRET_KEY, Stage},
    visitor::Visitor,
    wire::{User, get, post},
};
use doors::{DOORS, Door};

const PASSWORD: &str = "open sesame";

/// A producer behind its gate, and an account with one of everything that has an id.
struct Scene {
    stage: Stage,
    owner: User,
    webhook: String,
    subscription: String,
    triggered: String,
    delivery: String,
}

/// Who asks.
#[derive(Clone, Debug, Default)]
struct Caller {
    headers: Vec<(&'static str, String)>,
    /// What a form of this caller's session carries.
    token: String,
}

impl Scene {
    async fn set() -> Self {
        let stage = Stage::with(Database::sqlite(), |mut settings| {
            settings.listen = "0.0.0.0:0".parse().unwrap();
            settings.common.admin_password = Some(PASSWORD.into());
            settings.allow_targets = "127.0.0.1".parse().unwrap();
            settings
        })
        .await;
        let owner = stage.join("owner", "/owner").await;
        let webhook = stage.wire.register(&owner, &"order.paid".into(), r#"{"amount": 7}"#).await;
        let subscription = stage.wire.subscribe(&owner, &webhook).await;
        let triggered = stage.wire.must(&post(format!("/v1/webhook/triggered/{webhook}")).by(&owner)).await;
        let log = get("/v1/webhook/deliveries?status=delivered&limit=1").by(&owner);
        let delivered = || async { stage.wire.must(&log).await["deliveries"][0]["id"].as_str().map(str::to_owned) };
        let delivery = eventually("it is delivered", delivered).await;
        let triggered = triggered["id"].as_str().unwrap().to_owned();
        Self { stage, owner, webhook, subscription, triggered, delivery }
    }

    /// The path with the owner's ids in it.
    fn path(&self, route: &str) -> String {
        let (method, path) = route.split_once(' ').unwrap();
        let id = match path {
            _ if path.starts_with("/v1/account") || path.starts_with("/account/admin") => &self.owner.id,
            "/v1/webhook/triggered/{id}" if method == "GET" => &self.triggered,
            "/v1/webhook/subscription/{id}" if method == "POST" => &self.webhook,
            _ if path.contains("/subscription") => &self.subscription,
            _ if path.contains("/deliveries") => &self.delivery,
            _ => &self.webhook,
        };
        // Some say what is wrong with the page before they ask who it is for.
        let page = if route.starts_with("GET /v1/") { "?start=0&limit=10" } else { "" };
        path.replace("{id}", id).replace("{file}", "nothing.css") + page
    }

    async fn ask(&self, route: &str, caller: &Caller) -> Response {
        let (method, _) = route.split_once(' ').unwrap();
        let mut request = self.stage.producer.request(method, &self.path(route));
        for (name, value) in &caller.headers {
            request = request.header(*name, value);
        }
        let is_api = route.contains(" /v1/");
        let (kind, body) = if is_api {
            ("application/json", json!({}).to_string())
        } else {
            ("application/x-www-form-urlencoded", format!("token={}", caller.token))
        };
        if method == "GET" {
            // The accounts API wants it of all.
            return if is_api { request.header("content-type", kind) } else { request }.send().await.unwrap();
        }
        request.header("content-type", kind).body(body).send().await.unwrap()
    }

    async fn status(&self, route: &str, caller: &Caller) -> u16 {
        self.ask(route, caller).await.status().as_u16()
    }

    async fn signed_in(&self, user: &User) -> Caller {
        let mut visitor = Visitor::signed_in(&self.stage.producer, user).await;
        let token = visitor.get(&self.stage.producer, "/account").await.token().to_owned();
        Caller { headers: vec![("cookie", visitor.cookie), ("accept", "text/html".into())], token }
    }

    /// The owner's session and that of who has the password, as this service signs them, with an end in so many seconds.
    fn sessions(&self, ends_in_s: i64) -> Caller {
        let expires_s = now_ms() / 1000 + ends_in_s;
        let hash = |secret: &str| key::hex(&key::sha256(secret.as_bytes()));
        let named = format!("{}.{expires_s}", self.owner.id);
        let signed_with = format!("{}:{}", key::mac(SECRET_KEY, "account sessions"), hash(&self.owner.api_key));
        let mac = key::mac(&signed_with, &format!("session.{named}"));
        let admin_mac = key::mac(&format!("{SECRET_KEY}:{}", hash(PASSWORD)), &format!("session.{expires_s}"));
        let cookie = format!("hookcast_account={named}.{mac}; hookcast_producer={expires_s}.{admin_mac}");
        Caller { headers: vec![("cookie", cookie), ("accept", "text/html".into())], token: String::new() }
    }

    fn ended(&self) -> Caller {
        self.sessions(-1)
    }
}

fn keys(user: &User) -> Caller {
    Caller {
        headers: vec![("username", user.username.clone()), ("api-key", user.api_key.clone())],
        token: String::new(),
    }
}

fn password() -> Caller {
    Caller { headers: vec![("authorization", format!("Bearer {PASSWORD}"))], token: String::new() }
}

fn behind(door: Door) -> impl Iterator<Item = &'static str> {
    DOORS.iter().filter(move |(of, _)| *of == door).flat_map(|(_, routes)| routes.iter().copied())
}

fn leads_to(answer: &Response, start: &str) -> bool {
    answer.status() == 303 && answer.headers()["location"].to_str().unwrap().starts_with(start)
}

#[test]
fn every_route_has_its_door() {
    let known: Vec<String> =
        DOORS.iter().flat_map(|(_, routes)| routes.iter().map(|route| (*route).to_owned())).collect();
    let unique: BTreeSet<String> = known.iter().cloned().collect();
    assert_eq!(known.len(), unique.len(), "each stands behind one door");
    let found = routes::in_sources(&["producer/src", "common/src/admin", "static/src"]);
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
    for route in ["GET /batches", "GET /account"] {
        assert_eq!(scene.status(route, &scene.sessions(60)).await, 200, "{route}");
        assert_eq!(scene.status(route, &scene.ended()).await, 303, "{route}");
    }
}

#[tokio::test]
async fn what_is_behind_the_password_opens_to_it_alone() {
    let scene = Scene::set().await;
    let mut strangers = vec![Caller::default(), keys(&scene.owner), keys(&scene.stage.admin)];
    for user in [&scene.owner, &scene.stage.admin] {
        strangers.push(scene.signed_in(user).await);
    }
    strangers.push(scene.ended());
    for route in behind(Door::Password) {
        for stranger in &strangers {
            let answer = scene.ask(route, stranger).await;
            assert!(answer.status() == 401 || leads_to(&answer, "/login"), "{route}: {} {stranger:?}", answer.status());
        }
        let status = scene.status(route, &password()).await;
        assert!(!matches!(status, 401 | 403), "{route}: {status}");
    }
}

#[tokio::test]
async fn a_page_of_an_account_opens_to_that_account_alone() {
    let scene = Scene::set().await;
    let (owner, other) = (scene.signed_in(&scene.owner).await, scene.stage.join("other", "/other").await);
    let other = scene.signed_in(&other).await;
    let html = ("accept", "text/html".to_owned());
    let strangers = [
        Caller { headers: vec![html.clone()], ..Caller::default() },
        scene.ended(),
        Caller { headers: vec![html, ("authorization", format!("Bearer {PASSWORD}"))], ..Caller::default() },
    ];
    for route in behind(Door::Session).chain(behind(Door::AnySession)).chain(behind(Door::AdminSession)) {
        for stranger in &strangers {
            let answer = scene.ask(route, stranger).await;
            assert!(leads_to(&answer, "/account/login"), "{route}: {} {stranger:?}", answer.status());
        }
    }
    for route in behind(Door::Session).filter(|route| route.contains("{id}")) {
        assert_eq!(scene.status(route, &other).await, 404, "{route}");
    }
    for route in behind(Door::AdminSession) {
        let status = scene.status(route, &other).await;
        assert!(matches!(status, 403 | 404), "{route}: {status}");
    }
    for route in behind(Door::Session).filter(|route| route.starts_with("GET")) {
        assert_eq!(scene.status(route, &owner).await, 200, "{route}");
    }
    let admin = scene.signed_in(&scene.stage.admin).await;
    assert_eq!(scene.status("GET /account/admin", &admin).await, 200);
}

#[tokio::test]
async fn the_accounts_api_opens_to_whom_it_belongs() {
    let scene = Scene::set().await;
    let other = keys(&scene.stage.join("other", "/other").await);
    let guessed = keys(&User { api_key: "0".repeat(40), ..scene.owner.clone() });
    let strangers = [Caller::default(), guessed, scene.signed_in(&scene.owner).await, scene.ended(), password()];
    for route in behind(Door::Key).chain(behind(Door::OwnKey)).chain(behind(Door::AdminKey)) {
        for stranger in &strangers {
            assert_eq!(scene.status(route, stranger).await, 401, "{route}: {stranger:?}");
        }
    }
    for route in behind(Door::OwnKey) {
        let status = scene.status(route, &other).await;
        assert!(matches!(status, 401 | 404), "{route}: {status}");
    }
    for (route, who) in behind(Door::AdminKey).flat_map(|route| [(route, keys(&scene.owner)), (route, other.clone())]) {
        assert_eq!(scene.status(route, &who).await, 401, "{route}");
    }
    // Nobody has changed or removed anything: all is there for who may see it.
    let gets = behind(Door::Key).chain(behind(Door::OwnKey)).filter(|route| route.starts_with("GET"));
    for (route, who) in
        gets.map(|route| (route, keys(&scene.owner))).chain([("GET /v1/accounts", keys(&scene.stage.admin))])
    {
        let status = scene.status(route, &who).await;
        assert!(matches!(status, 200 | 204 | 400), "{route}: {status}");
    }
}
