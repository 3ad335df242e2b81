//! The page that makes a browser a screen: open to every browser, and safe whatever the screen is called.

use crate::support::{
    TestApp,
    database::{Database, Mode},
};

#[tokio::test]
async fn a_screen_needs_no_password_and_every_other_page_does() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "long enough to be one"]).await;
    assert_eq!(app.get("/events").await.status(), 401);
    let page = app.get("/screen/lobby-1").await;
    assert_eq!((page.status().as_u16(), &page.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-src *") && policy.contains("img-src * data:"), "{policy}");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(!page.contains("<script>"), "no script stands in the page itself");
    app.end().await;
}

#[tokio::test]
async fn the_name_of_a_screen_stays_text() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let page = app.get("/screen/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await.text().await.unwrap();
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    for name in ["a%0Ab", "%20", &"x".repeat(101)] {
        let answer = app.get(&format!("/screen/{name}")).await;
        assert_eq!(answer.status(), 400, "{name}");
        assert!(answer.text().await.unwrap().contains("1 to 100 characters"), "{name}");
    }
    app.end().await;
}
