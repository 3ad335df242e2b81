//! Paths that would lead out of where they belong, and line breaks that would become headers.

use crate::{
    security::{raw, routes},
    support::{
        TestApp,
        database::{Database, Mode},
    },
};

#[tokio::test]
async fn no_path_leads_from_the_assets_to_a_file() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let steps = ["..", "%2e%2e", "%252e%252e", ".%2e", "%2E.", "..%00", "%c0%ae%c0%ae", "....", "..;"];
    let slashes = ["/", "%2f", "%252f", "\\", "%5c", "%255c", "//", "%c0%af"];
    let mut asked = 0;
    for step in steps {
        for slash in slashes {
            let up = format!("{step}{slash}").repeat(8);
            for path in [
                format!("/assets/{up}etc{slash}passwd"),
                format!("/assets{slash}{up}etc/passwd"),
                format!("/{up}etc/passwd"),
                format!("/screen/{up}etc/passwd"),
            ] {
                let answer = raw(app.address, &path).await;
                let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
                assert!(matches!(status, 400 | 404), "{path}: {answer}");
                assert!(!answer.contains("root:"), "{path}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, steps.len() * slashes.len() * 4);
    app.end().await;
}

#[tokio::test]
async fn no_line_break_in_an_address_becomes_a_header() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for broken in ["%0d%0ax-evil:%201", "%0ax-evil:%201", "%0dx-evil:%201", "%E5%98%8D%E5%98%8Ax-evil:1"] {
        for (method, path) in routes(broken) {
            let query =
                format!("next=/{broken}&said={broken}&q={broken}&source={broken}&before={broken}&event={broken}");
            let joint = if path.contains('?') { '&' } else { '?' };
            let request = app.client.request(method.parse().unwrap(), app.url(&format!("{path}{joint}{query}")));
            let request =
                request.header("accept", "text/html").header("content-type", "application/x-www-form-urlencoded");
            let answer = request.body(query.clone()).send().await.unwrap();
            let headers = format!("{:?}", answer.headers());
            assert!(!answer.headers().contains_key("x-evil"), "{method} {path}: {headers}");
            assert!(answer.status().as_u16() < 500, "{method} {path}: {}", answer.status());
        }
    }
    app.end().await;
}

#[tokio::test]
async fn who_signs_in_is_led_nowhere_else() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "right"]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for next in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "%0d%0ax-evil:1",
        "/%0a/evil.example",
    ] {
        let entered = app.post("/login", &form, format!("password=right&next={next}")).await;
        assert_eq!((entered.status().as_u16(), entered.headers()["location"].to_str().unwrap()), (303, "/"), "{next}");
    }
    app.end().await;
}
