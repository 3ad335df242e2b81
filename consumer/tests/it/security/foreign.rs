//! Pages of other origins and names of other hosts: on every route, on the sockets, and on long polling.

use crate::{
    matrix::doors::{DOORS, Door},
    security::routes,
    support::{
        TestApp,
        database::{Database, Mode},
        socket::Socket,
    },
};

const PASSWORD: &str = "open sesame";
const NAMESPACES: [&str; 3] = ["/live", "/collectHooks", "/devices"];
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn no_form_of_another_origin_is_taken_by_any_route_whatever_the_browser_has() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", PASSWORD]).await;
    let entered =
        app.post("/login", &[("content-type", "application/x-www-form-urlencoded")], "password=open+sesame").await;
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let foreign = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:5001"),
        ("origin", "http://127.0.0.1.evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let mut acts = 0;
    for (method, path) in routes("nothing").into_iter().filter(|(method, _)| !matches!(*method, "GET" | "OPTIONS")) {
        for (name, value) in foreign {
            let request = app.client.request(method.parse().unwrap(), app.url(&path)).header("cookie", &cookie);
            let form = request.header("content-type", "application/x-www-form-urlencoded").body("a=1");
            let answer = form.header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {path} {name}: {value}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"));
        }
        acts += 1;
    }
    assert!(acts > 30, "{acts}");
    app.end().await;
}

#[tokio::test]
async fn a_foreign_name_that_leads_to_this_machine_reads_and_does_nothing() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for (method, path) in
        routes("nothing").into_iter().chain([("GET", POLLING.to_owned()), ("POST", POLLING.to_owned())])
    {
        for host in ["rebound.example", "rebound.example:5001", "127.0.0.1.nip.example", "localhost.evil.example"] {
            let request = app.client.request(method.parse().unwrap(), app.url(&path)).header("host", host);
            assert_eq!(request.send().await.unwrap().status(), 421, "{method} {path} {host}");
        }
    }
    for namespace in NAMESPACES {
        assert!(
            Socket::try_connect(app.address, namespace, &[("host", "rebound.example")]).await.is_err(),
            "{namespace}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_into_no_namespace_by_websocket() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for namespace in NAMESPACES {
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            let refused = Socket::try_connect(app.address, namespace, &[("origin", origin)]).await;
            assert!(refused.is_err(), "{namespace} {origin}");
        }
    }
    for namespace in ["/live", "/collectHooks"] {
        assert!(Socket::try_connect(app.address, namespace, &[("origin", "http://localhost:5000")]).await.is_ok());
    }
    app.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_into_no_namespace_by_long_polling() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let origin = ("origin", "https://evil.example");
    let opened = app.client.get(app.url(POLLING)).header(origin.0, origin.1).send().await.unwrap();
    assert!(!opened.headers().contains_key("access-control-allow-origin"), "the page cannot read it");
    let text = opened.text().await.unwrap();
    let session = text.split("\"sid\":\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
    let path = format!("{POLLING}&sid={session}");
    for namespace in NAMESPACES {
        assert_eq!(app.post(&path, &[origin], format!("40{namespace},")).await.status(), 403, "{namespace}");
        // A page cannot leave its origin out; what is said in the session that it opened is judged by how it was opened.
        let _ = app.post(&path, &[], format!("40{namespace},")).await;
    }
    let heard = app.get(&path).await.text().await.unwrap_or_default();
    assert!(!heard.contains("40/live,{") && !heard.contains("40/collectHooks,{"), "{heard}");
    app.end().await;
}

#[test]
fn what_is_open_to_everybody_is_known() {
    let open = DOORS.iter().filter(|(door, _)| *door == Door::Open).flat_map(|(_, routes)| routes.iter());
    let acts: Vec<_> = open.filter(|route| route.starts_with("POST") && !route.contains("/consumetasks")).collect();
    assert_eq!(acts, [&"POST /login", &"POST /logout", &"POST /screen-api/pairing"], "each has a limit of its own");
}
