//! Who may see and do what, where the consumer listens wider than its own machine.

use serde_json::{Value, json};

use super::{ask, own_key, with_key};
use crate::support::{TestApp, on_both, socket::Socket};

const PASSWORD: &str = "open sesame";

#[tokio::test]
async fn nobody_without_the_password_comes_to_screens_or_pairings() {
    on_both(async |database| {
        let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", PASSWORD]).await;
        for path in ["/screens", "/screens-moved", "/screens/x", "/new-device", "/api/pairings", "/screen-dashboard"] {
            assert_eq!(app.get(path).await.status(), 401, "{path}");
        }
        for path in [
            "/api/pairings/ABCDEF/accept",
            "/api/action-devices/x/commands",
            "/screens/pairings/ABCDEF/accept",
            "/screens/x/tell",
            "/screens/x/content",
        ] {
            assert_eq!(app.post(path, &[], "{}").await.status(), 401, "{path}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_session_of_a_screen_opens_its_dashboard_and_nothing_else() {
    on_both(async |database| {
        let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", PASSWORD]).await;
        let key = own_key('a');
        let (_, told) = ask(&app, "lobby-1", &key).await;
        let path = app.url(&format!("/api/pairings/{}/accept", told["code"].as_str().unwrap()));
        let accepted = app.client.post(path).bearer_auth(PASSWORD).body("{}").send().await.unwrap();
        let id = serde_json::from_str::<Value>(&accepted.text().await.unwrap()).unwrap()["id"].clone();
        app.take(json!({"owner": "<b>Norma</b>", "priority": "Major"}).to_string()).await;

        assert_eq!(app.post("/screen-api/session", &[("x-device-key", &own_key('b'))], "").await.status(), 401);
        let begun = app.post("/screen-api/session", &[("x-device-key", &key)], "").await;
        assert_eq!(begun.status(), 204);
        let cookie = begun.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=3600"));
        let cookie = cookie.split(';').next().unwrap();
        let with = async |path: &str, cookie: &str| {
            app.client.get(app.url(path)).header("cookie", cookie).send().await.unwrap()
        };
        let dashboard = with("/screen-dashboard", cookie).await;
        assert_eq!(dashboard.status(), 200);
        let policy = dashboard.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
        let page = dashboard.text().await.unwrap();
        assert!(page.contains("&#60;b&#62;Norma") && !page.contains("<b>Norma") && !page.contains("<a "), "{page}");
        Socket::try_connect(app.address, "/live", &[("cookie", cookie)]).await.unwrap();
        assert!(Socket::try_connect(app.address, "/collectHooks", &[("cookie", cookie)]).await.is_err());
        for path in ["/", "/events", "/screens", "/api/events", "/api/counts", "/api/pairings", "/openapi.json"] {
            assert_eq!(with(path, cookie).await.status(), 401, "{path}");
        }
        let changed = format!("{}A", cookie.trim_end_matches(['=', 'A']));
        assert_eq!(with("/screen-dashboard", &changed).await.status(), 401);

        let device = app.url(&format!("/api/action-devices/{}", id.as_str().unwrap()));
        assert_eq!(app.client.delete(device).bearer_auth(PASSWORD).send().await.unwrap().status(), 204);
        assert_eq!(with("/screen-dashboard", cookie).await.status(), 401, "a device that was forgotten sees nothing");
        assert!(Socket::try_connect(app.address, "/live", &[("cookie", cookie)]).await.is_err());
        assert_eq!(with_key(&app, "/screen-api/content", &key).await.status(), 401);
        app.end().await;
    })
    .await;
}
