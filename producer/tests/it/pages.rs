//! The accounts' pages, as a browser without scripts meets them: who may see and do what, and that every form does what it says.

use common::{key, time::now_ms};
use serde_json::json;

use crate::support::{
    Database,
    endpoint::Say,
    eventually,
    stage::{SECRET_KEY, Stage},
    visitor::{Page, Visitor},
    wire::{User, get, patch, post},
};

const PAGES: [&str; 5] =
    ["/account", "/account/webhooks", "/account/subscriptions", "/account/deliveries", "/account/events"];

/// An account with a subscription to an event of its own; the registration and the subscription.
struct Owner {
    user: User,
    visitor: Visitor,
    webhook: String,
    subscription: String,
}

impl Owner {
    async fn of(stage: &Stage, name: &str) -> Self {
        let user = stage.join(name, &format!("/{name}")).await;
        let webhook = stage.wire.register(&user, &"order.paid".into(), r#"{"amount": 7}"#).await;
        let subscription = stage.wire.subscribe(&user, &webhook).await;
        let visitor = Visitor::signed_in(&stage.producer, &user).await;
        Self { user, visitor, webhook, subscription }
    }

    async fn get(&mut self, stage: &Stage, path: &str) -> Page {
        self.visitor.get(&stage.producer, path).await
    }

    async fn fill(&mut self, stage: &Stage, (on, action): (&str, &str), fields: &[(&str, &str)]) -> Page {
        self.visitor.fill(&stage.producer, (on, action), fields).await
    }

    /// The newest delivery of this status, once there is one.
    async fn delivery(&self, stage: &Stage, status: &str) -> String {
        let log = get(format!("/v1/webhook/deliveries?status={status}&limit=1")).by(&self.user);
        let found = || async { stage.wire.must(&log).await["deliveries"][0]["id"].as_str().map(str::to_owned) };
        eventually(&format!("a delivery is {status}"), found).await
    }
}

fn keys(user: &User) -> [(&str, &str); 2] {
    [("username", &user.username), ("api_key", &user.api_key)]
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_sign_in_and_back() {
    let stage = Stage::set(Database::sqlite()).await;
    let user = stage.join("sarah", "/sarah").await;
    let mut visitor = Visitor::default();
    for path in PAGES {
        let page = visitor.get(&stage.producer, path).await;
        let next = path.replace('/', "%2F");
        assert_eq!((page.status, page.location), (303, format!("/account/login?next={next}")), "{path}");
    }
    let login = "/account/login?next=%2Faccount%2Fdeliveries%3Fstatus%3Dfailed";
    let wrong = [("username", "sarah"), ("api_key", "0000")];
    let page = visitor.fill(&stage.producer, (login, "/account/login"), &wrong).await;
    assert_eq!((page.status, page.set_cookie.as_str()), (401, ""));
    assert!(page.has("do not belong together") && !page.has("0000"), "{}", page.text);
    let right = [("username", "sarah"), ("api_key", user.api_key.as_str())];
    let page = visitor.fill(&stage.producer, (login, "/account/login"), &right).await;
    assert_eq!(page.location, "/account/deliveries?status=failed");
    for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/account"] {
        assert!(page.set_cookie.contains(part), "{}", page.set_cookie);
    }
    assert_eq!(visitor.get(&stage.producer, "/account").await.status, 200);
    visitor.fill(&stage.producer, ("/account", "/account/logout"), &[]).await;
    assert_eq!(visitor.get(&stage.producer, "/account").await.status, 303);
    for next in ["//evil.example", "/\t/evil.example", "https://evil.example"] {
        let away = visitor.post(&stage.producer, "/account/login", &[right[0], right[1], ("next", next)]).await;
        assert_eq!(away.location, "/account", "{next:?}");
    }
    let page = visitor.fill(&stage.producer, ("/account/webhooks?show=all", "/account/logout"), &[("x", "\0")]).await;
    assert!(page.status == 400 && page.has("NUL"), "{}", page.text);
}

#[tokio::test]
async fn whoever_the_api_takes_can_sign_in_and_delete_the_account() {
    let stage = Stage::set(Database::sqlite()).await;
    for (number, (name, typed)) in
        [(json!(" bob "), " bob "), (json!(5), "5"), (json!("zoë"), "zoë")].iter().enumerate()
    {
        let body = json!({ "endpoint": stage.endpoint.url(&format!("/{number}")), "username": name });
        let account = stage.wire.must(&post("/v1/account").json(&body)).await;
        let mut visitor = Visitor::default();
        let keys = [("username", *typed), ("api_key", account["api_key"].as_str().unwrap())];
        assert_eq!(visitor.post(&stage.producer, "/account/login", &keys).await.location, "/account", "{name}");
        let mut admin = Visitor::signed_in(&stage.producer, &stage.admin).await;
        let found = admin.get(&stage.producer, &format!("/account/admin?q={}", typed.trim())).await;
        assert!(found.has(&stage.endpoint.url(&format!("/{number}"))), "{name}");
        let page = visitor.fill(&stage.producer, ("/account", "/account/delete"), &[("confirm", typed.trim())]).await;
        assert_eq!(page.location, "/account/login", "{name}");
    }
}

#[tokio::test]
async fn a_cookie_that_was_not_signed_here_is_none() {
    let stage = Stage::set(Database::sqlite()).await;
    let (one, other) = (Owner::of(&stage, "one").await, Owner::of(&stage, "other").await);
    let (named, mac) = one.visitor.cookie.rsplit_once('.').unwrap();
    let expires = named.rsplit_once('.').unwrap().1;
    let later = named.replace(expires, "99999999999");
    for cookie in [
        format!("{named}.{}", mac.replace(['a', 'b', 'c'], "d")),
        format!("{later}.{mac}"),
        named.replace(&one.user.id, &other.user.id) + "." + mac,
        "hookcast_account=..".into(),
        "hookcast_account=".into(),
    ] {
        let page = Visitor { cookie: cookie.clone() }.get(&stage.producer, "/account").await;
        assert_eq!(page.status, 303, "{cookie}");
    }
}

#[tokio::test]
async fn a_session_ends_after_a_week_whatever_the_browser_keeps() {
    let stage = Stage::set(Database::sqlite()).await;
    let mut owner = Owner::of(&stage, "owner").await;
    let api_key_sha256 = key::hex(&key::sha256(owner.user.api_key.as_bytes()));
    let signing_key = format!("{}:{api_key_sha256}", key::mac(SECRET_KEY, "account sessions"));
    let cookie = |expires_s: i64| {
        let named = format!("{}.{expires_s}", owner.user.id);
        format!("hookcast_account={named}.{}", key::mac(&signing_key, &format!("session.{named}")))
    };
    let now_s = now_ms() / 1000;
    for (cookie, status) in [(cookie(now_s + 60), 200), (cookie(now_s - 1), 303)] {
        assert_eq!(Visitor { cookie }.get(&stage.producer, "/account").await.status, status);
    }
    let page = owner.visitor.post(&stage.producer, "/account/login", &keys(&owner.user)).await;
    assert!(page.set_cookie.ends_with("; Max-Age=604800"), "{}", page.set_cookie);
}

#[tokio::test]
async fn a_form_that_is_not_of_this_session_changes_nothing() {
    let stage = Stage::set(Database::sqlite()).await;
    let (mut one, mut other) = (Owner::of(&stage, "one").await, Owner::of(&stage, "other").await);
    let stolen = other.get(&stage, "/account").await;
    let token = stolen.token().to_owned();
    let confirm = ("confirm", "one");
    for token in ["", "0000", &token] {
        let page = one.visitor.post(&stage.producer, "/account/delete", &[("token", token), confirm]).await;
        assert_eq!(page.status, 403, "{token}");
    }
    let foreign = stage.producer.request("POST", "/account/delete").header("origin", "https://evil.example");
    let foreign = foreign.header("cookie", &one.visitor.cookie).body(format!("token={token}&confirm=one"));
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(one.get(&stage, "/account").await.status, 200, "it is still there");
    assert_eq!(one.fill(&stage, ("/account", "/account/delete"), &[("confirm", "One")]).await.status, 400);
    assert_eq!(one.fill(&stage, ("/account", "/account/delete"), &[confirm]).await.status, 303);
    assert_eq!(one.get(&stage, "/account").await.status, 303, "its session went with it");
}

#[tokio::test]
async fn an_account_sees_and_changes_its_own_and_the_administrator_everybodys() {
    let stage = Stage::set(Database::sqlite()).await;
    let (mut one, mut other) = (Owner::of(&stage, "one").await, Owner::of(&stage, "other").await);
    let mut admin = Visitor::signed_in(&stage.producer, &stage.admin).await;
    stage.wire.trigger(&one.user, &one.webhook).await;
    let delivery = one.delivery(&stage, "delivered").await;
    let own = [format!("/account/subscriptions/{}", one.subscription), format!("/account/deliveries/{delivery}")];
    for path in &own {
        assert_eq!(one.get(&stage, path).await.status, 200, "{path}");
        assert_eq!(other.get(&stage, path).await.status, 404, "{path}");
        assert_eq!(admin.get(&stage.producer, path).await.status, 200, "{path}");
    }
    assert!(one.get(&stage, "/account/deliveries").await.has(&delivery));
    assert!(!other.get(&stage, "/account/deliveries").await.has(&delivery));
    assert!(!other.get(&stage, &format!("/account/deliveries?account={}", one.user.id)).await.has(&delivery));
    let webhook = format!("/account/webhooks/{}", one.webhook);
    let page = other.get(&stage, &webhook).await;
    assert!(page.has("Subscribe") && !page.has("/trigger\"") && !page.has("/delete\""), "{}", page.text);
    let token = page.token().to_owned();
    for (action, field) in [
        (format!("{webhook}/trigger"), ("event_data", "1")),
        (format!("{webhook}/describe"), ("description", "mine")),
        (format!("{webhook}/delete"), ("confirm", "order.paid")),
        (format!("{}/options", own[0]), ("rate", "1")),
        (format!("{}/ping", own[0]), ("a", "b")),
        (format!("{}/recover", own[0]), ("since_ms", "0")),
        (format!("{}/delete", own[0]), ("a", "b")),
        (format!("{}/retry", own[1]), ("a", "b")),
        (format!("{}/cancel", own[1]), ("a", "b")),
        (format!("/account/admin/{}/delete", one.user.id), ("confirm", "one")),
    ] {
        let page = other.visitor.post(&stage.producer, &action, &[("token", &token), field]).await;
        assert_eq!(page.status, 404, "{action}");
    }
    assert_eq!(other.get(&stage, "/account/admin").await.status, 404);
    let page = admin.get(&stage.producer, "/account/admin").await;
    assert!(["one", "other", "Dead letters"].iter().all(|text| page.has(text)), "{}", page.text);
    let delete = format!("/account/admin/{}/delete", one.user.id);
    assert_eq!(admin.fill(&stage.producer, ("/account/admin", &delete), &[("confirm", "one")]).await.status, 303);
    assert!(!admin.get(&stage.producer, "/account/admin?q=one").await.has("/one"));
}

#[tokio::test]
async fn a_new_api_key_is_shown_once_and_ends_every_other_session() {
    let stage = Stage::set(Database::sqlite()).await;
    let mut owner = Owner::of(&stage, "owner").await;
    let mut elsewhere = Visitor::signed_in(&stage.producer, &owner.user).await;
    let page = owner.fill(&stage, ("/account", "/account/key"), &[]).await;
    assert_eq!((page.status, page.cache_control.as_str()), (200, "no-store"));
    let renewed = User { api_key: page.by_id("api-key").to_owned(), ..owner.user.clone() };
    assert_eq!(stage.wire.send(&get("/v1/account/health").by(&owner.user)).await.status, 401);
    assert_eq!(stage.wire.send(&get("/v1/account/health").by(&renewed)).await.status, 200);
    let page = owner.get(&stage, "/account").await;
    assert!(page.status == 200 && !page.has(&renewed.api_key), "this session goes on, and does not show it again");
    assert_eq!(elsewhere.get(&stage.producer, "/account").await.status, 303);
    assert_eq!(page.cache_control, "no-store", "the secret key is on it");
    assert_eq!(page.by_id("secret-key"), owner.user.secret_key);
    owner.fill(&stage, ("/account", "/account/secret"), &[("grace_s", "3600")]).await;
    let page = owner.get(&stage, "/account").await;
    assert_ne!(page.by_id("secret-key"), owner.user.secret_key);
    assert!(page.has("The one before signs beside it until"));
}

#[tokio::test]
async fn beside_the_admin_password_accounts_sign_in_with_their_own_keys() {
    let stage = Stage::with(Database::sqlite(), |mut settings| {
        settings.listen = "0.0.0.0:0".parse().unwrap();
        settings.common.admin_password = Some("the password".into());
        settings.allow_targets = "127.0.0.0/8".parse().unwrap();
        settings
    })
    .await;
    let mut stranger = Visitor::default();
    assert!(stranger.get(&stage.producer, "/").await.location.starts_with("/login"));
    let mut owner = Owner::of(&stage, "owner").await;
    assert_eq!(owner.get(&stage, "/account").await.status, 200);
    assert!(owner.get(&stage, "/deliveries").await.location.starts_with("/login"), "that needs the password");
}

on_both! {
    async fn every_form_of_a_webhook_and_its_subscription_works_without_scripts(database: Database) {
        let stage = Stage::set(database).await;
        let mut owner = Owner::of(&stage, "owner").await;
        let refused = [("event", "a.b"), ("description", "kept"), ("event_data", "{")];
        let page = owner.fill(&stage, ("/account/webhooks", "/account/webhooks"), &refused).await;
        assert!(page.status == 400 && page.has("Data: this is not JSON") && page.has("value=\"kept\""), "{}", page.text);
        let good = [("event", "a.b"), ("description", "<i>d</i>"), ("event_data", "{\"b\":1,\"a\":2}")];
        let page = owner.fill(&stage, ("/account/webhooks", "/account/webhooks"), &good).await;
        let webhook = page.location.split('?').next().unwrap().to_owned();
        let page = owner.get(&stage, &webhook).await;
        assert!(page.has("&#60;i&#62;d&#60;/i&#62;") && page.has("&#34;a&#34;: 2, "), "{}", page.text);
        let page = owner.fill(&stage, (&webhook, "/account/subscriptions"), &[]).await;
        let subscription = page.location.split('?').next().unwrap().to_owned();
        assert!(owner.get(&stage, "/account/webhooks?show=all&q=A.B").await.has("Subscribed"), "whatever the case");
        let page = owner.fill(&stage, (&webhook, &format!("{webhook}/trigger")), &[("event_data", "[1]")]).await;
        assert!(owner.get(&stage, &page.location).await.has("Triggered: 1 delivery on the way."));
        assert_eq!(stage.endpoint.arrived("POST", "/owner", 1).await[0].body, "[1]");
        options(&stage, &mut owner, &subscription).await;
        let page = owner.fill(&stage, (&webhook, &format!("{webhook}/describe")), &[("description", "anew")]).await;
        assert!(owner.get(&stage, &page.location).await.has("anew"));
        owner.fill(&stage, (&subscription, &format!("{subscription}/delete")), &[]).await;
        assert_eq!(owner.get(&stage, &subscription).await.status, 404);
        let page = owner.fill(&stage, (&webhook, &format!("{webhook}/delete")), &[("confirm", "a.b")]).await;
        assert!(page.location.starts_with("/account/webhooks?said=deleted"), "{page:?}");
        assert_eq!(owner.get(&stage, &webhook).await.status, 404);
    }

    async fn what_failed_is_seen_retried_counted_and_recovered(database: Database) {
        let stage = Stage::set(database).await;
        let mut owner = Owner::of(&stage, "owner").await;
        stage.endpoint.script("POST", "/owner", Say::status(500));
        let subscription = format!("/account/subscriptions/{}", owner.subscription);
        let page = owner.fill(&stage, (&subscription, &format!("{subscription}/ping")), &[]).await;
        let delivery = page.location;
        let page = owner.get(&stage, &delivery).await;
        for part in ["Failed: 500", "1 of 1", "webhook-signature", "500 Internal Server Error", "Retry now"] {
            assert!(page.has(part), "{part}: {}", page.text);
        }
        assert!(owner.get(&stage, "/account/deliveries?status=failed&since=1h&event=order.*&q=500").await.has("No delivery"));
        assert!(owner.get(&stage, "/account/deliveries?status=failed&since=1h&event=order.*&q=amount").await.has("1 delivery"));
        assert!(owner.get(&stage, "/account/deliveries?status=nonsense").await.status == 400);
        let page = owner.get(&stage, &subscription).await;
        assert!(page.has("of the last 1: 0 delivered, 1 failed, 0 under way"), "{}", page.text);
        let page = owner.get(&stage, &format!("{subscription}?recover=24h")).await;
        assert!(page.has("Send 1 failed event again"), "{}", page.text);
        stage.endpoint.script("POST", "/owner", Say::usual());
        let recover = (format!("{subscription}?recover=24h"), format!("{subscription}/recover"));
        let page = owner.fill(&stage, (&recover.0, &recover.1), &[]).await;
        assert!(owner.get(&stage, &page.location).await.has("1 event in the queue again."));
        eventually("it is delivered", || {
            let mut visitor = owner.visitor.clone();
            let (stage, delivery) = (&stage, &delivery);
            async move { visitor.get(&stage.producer, delivery).await.has("Delivered 200").then_some(()) }
        }).await;
        let account = owner.get(&stage, "/account").await;
        let token = account.token();
        let page = owner.visitor.post(&stage.producer, &format!("{delivery}/retry"), &[("token", token)]).await;
        assert!(page.status == 409 && page.has("It was delivered already."), "{}", page.text);
    }

    async fn a_disabled_endpoint_is_said_so_and_enabled_with_what_is_held(database: Database) {
        let stage = Stage::with(database, |settings| producer::config::Settings { max_failed_count: 2, ..settings }).await;
        let mut owner = Owner::of(&stage, "owner").await;
        stage.endpoint.script("POST", "/owner", Say::status(500));
        stage.wire.trigger(&owner.user, &owner.webhook).await;
        stage.failed(&owner.user, 4).await;
        stage.wire.trigger(&owner.user, &owner.webhook).await;
        let page = owner.get(&stage, "/account").await;
        assert!(page.has("Endpoint disabled") && page.has("Enable and send 1"), "{}", page.text);
        stage.endpoint.script("POST", "/owner", Say::usual());
        let page = owner.fill(&stage, ("/account", "/account/enable"), &[]).await;
        assert!(owner.get(&stage, &page.location).await.has("Endpoint enabled. 1 event released."));
        owner.delivery(&stage, "delivered").await;
        let told = [("endpoint", stage.endpoint.url("/ops"))];
        let told = told.each_ref().map(|(name, url)| (*name, url.as_str()));
        let page = owner.fill(&stage, ("/account", "/account/operational"), &told).await;
        assert!(page.location.contains("said=operational"), "{page:?}");
        let page = owner.fill(&stage, ("/account", "/account/endpoint"), &[("endpoint", "ftp://x")]).await;
        assert!(page.status == 400 && page.has("Write a URL") && page.has("ftp://x"), "{}", page.text);
    }

    async fn an_open_page_is_told_that_its_own_deliveries_moved(database: Database) {
        let stage = Stage::set(database).await;
        let (one, other) = (Owner::of(&stage, "one").await, Owner::of(&stage, "other").await);
        let mut streams = Vec::new();
        for visitor in [&one.visitor, &Visitor::signed_in(&stage.producer, &stage.admin).await, &other.visitor] {
            let request = stage.producer.request("GET", "/account/events").header("cookie", &visitor.cookie);
            let mut stream = request.header("accept", "text/event-stream").send().await.unwrap();
            assert!(next(&mut stream).await.contains("event: ready"));
            streams.push(stream);
        }
        stage.wire.trigger(&one.user, &one.webhook).await;
        for stream in &mut streams[..2] {
            assert!(next(stream).await.contains("event: moved"));
        }
        stage.wire.trigger(&other.user, &other.webhook).await;
        other.delivery(&stage, "delivered").await;
        assert!(next(&mut streams[2]).await.contains("event: moved"));
        let mut other = other;
        other.fill(&stage, ("/account", "/account/key"), &[]).await;
        while streams[2].chunk().await.unwrap().is_some() {}
        stage.producer.stop().await;
    }
}

async fn options(stage: &Stage, owner: &mut Owner, subscription: &str) {
    let action = format!("{subscription}/options");
    let wrong = [("profile", "standard"), ("rate", "often"), ("events", "kept.*")];
    let page = owner.fill(stage, (subscription, &action), &wrong).await;
    assert!(page.status == 400 && page.has("rate_per_minute") && page.has("kept.*"), "{}", page.text);
    let right =
        [("profile", "standard"), ("fifo", "1"), ("rate", "600"), ("events", "a.*"), ("headers", "X-Team: ops")];
    let page = owner.fill(stage, (subscription, &action), &right).await;
    assert!(owner.get(stage, &page.location).await.has("Options saved."));
    let id = subscription.rsplit('/').next().unwrap();
    let stored = stage.wire.must(&get(format!("/v1/webhook/subscription/{id}/options")).by(&owner.user)).await;
    let expected = json!({"profile": "standard", "fifo": true, "rate_per_minute": 600, "filter": {"events": ["a.*"]}, "headers": {"X-Team": "ops"}});
    assert_eq!(stored, expected);
    assert!(owner.get(stage, "/account/subscriptions").await.has("in order"));
    stage
        .wire
        .must(&patch(format!("/v1/webhook/subscription/{id}/options")).by(&owner.user).json(&json!({"fifo": false})))
        .await;
    stage.wire.must(&post(format!("/v1/webhook/subscription/{id}/ping")).by(&owner.user)).await;
}

/// What the stream says next, comments aside.
async fn next(stream: &mut reqwest::Response) -> String {
    loop {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        let text = String::from_utf8_lossy(&chunk).into_owned();
        if text.contains("event:") {
            return text;
        }
    }
}
