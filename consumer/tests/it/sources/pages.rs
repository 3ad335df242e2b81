//! The pages of sources as forms, without scripts: what an operator does there, and what is refused.

use super::{File, rejected};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually,
    forms::{form, leads_to, page, refused},
    on_both,
};

const ALARM: &str =
    "- when: [{pointer: /alarm/level, greater: 5}]\n  priority: Critical\n  title: Alarm {/alarm/level}";

/// The page with the secret, which no cache keeps.
async fn revealed(app: &TestApp, source: &str) -> String {
    let answer = form(app, &format!("/sources/{source}/reveal"), &[]).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn a_source_is_made_changed_and_removed_by_forms() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let made =
            form(&app, "/new-source", &[("kind", "github"), ("source", "repo"), ("secret", "the first secret")]).await;
        leads_to(&made, "/sources/repo?said=made");
        let shown = page(&app, "/sources/repo?said=made").await;
        for words in ["Waiting for the first request", "/consumetasks/repo", "X-Hub-Signature-256", "Made."] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("the first secret") && !page(&app, "/sources").await.contains("the first secret"));
        assert!(revealed(&app, "repo").await.contains("the first secret"));
        assert_eq!(app.post("/consumetasks/repo", &[], "{}").await.status(), 401);
        leads_to(
            &form(&app, "/sources/repo/rotate", &[("secret", "the second secret")]).await,
            "/sources/repo?said=rotated",
        );
        assert!(revealed(&app, "repo").await.contains("the second secret"));
        leads_to(&form(&app, "/sources/repo/settle", &[]).await, "/sources/repo?said=settled");
        let token = [
            ("kind", "token"),
            ("in", "query"),
            ("name", "t"),
            ("secret", "a-long-token"),
            ("rate", "60"),
            ("stale_after", "90s"),
        ];
        leads_to(&form(&app, "/sources/repo/edit", &token).await, "/sources/repo?said=saved");
        assert_eq!(app.post("/consumetasks/repo?t=a-long-token", &[], "{}").await.status(), 200);
        let shown = page(&app, "/sources/repo/edit").await;
        assert!(
            shown.contains(r#"value="90s""#) && shown.contains(r#"value="60""#) && shown.contains(r#"value="t""#),
            "{shown}"
        );
        refused(form(&app, "/sources/repo/remove", &[("confirm", "something else")]).await, 400, "Type the name").await;
        leads_to(&form(&app, "/sources/repo/remove", &[("confirm", "repo")]).await, "/sources?said=removed");
        let listed = page(&app, "/sources").await;
        assert!(listed.contains("Not set up") && listed.contains("1 event"), "{listed}");
        assert_eq!(app.post("/consumetasks/repo", &[], "{}").await.status(), 200);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_comes_back_as_it_was_typed_with_what_to_change() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("kind", "open"), ("source", "a b")], "letters a-z"),
        (&[("kind", "github"), ("source", "r"), ("secret", "short")], "Secret: "),
        (&[("kind", "slack"), ("source", "r"), ("tolerance_s", "soon")], "1 to 86400 seconds"),
        (&[("kind", "token"), ("source", "r"), ("in", "header"), ("name", "two words")], "write the header"),
        (&[("kind", "open"), ("source", "r"), ("rate", "many")], "Most requests a minute: "),
        (&[("kind", "open"), ("source", "r"), ("stale_after", "soon")], "Stale after: "),
        (&[("kind", "twilio"), ("source", "r"), ("url", "<b>nowhere</b>")], "the address that Twilio was told"),
    ];
    for (fields, words) in cases {
        let text = refused(form(&app, "/new-source", fields).await, 400, words).await;
        assert!(!text.contains("<b>nowhere"), "what was typed stays text: {text}");
        let (_, source) = fields[1];
        assert!(text.contains(&format!(r#"value="{source}""#)), "{fields:?}: {text}");
    }
    leads_to(&form(&app, "/new-source", &[("kind", "open"), ("source", "r")]).await, "/sources/r?said=made");
    refused(form(&app, "/new-source", &[("kind", "open"), ("source", "r")]).await, 400, "There is a source named r")
        .await;
    assert_eq!(app.get("/sources/nobody").await.status(), 404);
    let foreign = app.post("/sources/r/remove", &[("origin", "http://evil.example")], "confirm=r").await;
    assert_eq!(foreign.status(), 403, "a page of another origin removes nothing");
    app.end().await;
}

#[tokio::test]
async fn a_source_of_the_file_is_shown_and_changed_there_only() {
    let file = File::new("sources:\n  - name: shop\n    guard: {kind: stripe}\n    secret: whsec_of_the_file\n");
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[&file.setting()]).await;
    let shown = page(&app, "/sources/shop").await;
    assert!(shown.contains("stands in") && !shown.contains("Remove this source"), "{shown}");
    assert_eq!(app.post("/consumetasks/shop", &[("x-note", "<script>")], "<b>body</b>").await.status(), 401);
    rejected(&app, "/api/sources/shop/rejected", 1).await;
    let shown = page(&app, "/sources/shop").await;
    assert!(shown.contains("Stripe-Signature") && shown.contains("&#60;b&#62;body"), "{shown}");
    for (path, fields) in [
        ("/sources/shop/edit", &[("kind", "open")][..]),
        ("/sources/shop/rotate", &[]),
        ("/sources/shop/settle", &[]),
        ("/sources/shop/remove", &[("confirm", "shop")]),
        ("/sources/shop/rules", &[("rules", ALARM), ("do", "save")]),
    ] {
        refused(form(&app, path, fields).await, 403, "stands in the file").await;
    }
    app.end().await;
}

#[tokio::test]
async fn what_an_unknown_name_sent_is_on_the_list_when_such_names_are_refused() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--unknown-sources", "refuse"]).await;
    let answer = app.post("/consumetasks/stranger", &[], r#"{"note":"<i>let me in</i>"}"#).await;
    assert_eq!(answer.status(), 403);
    eventually("the page shows it", async || {
        let shown = page(&app, "/sources").await;
        (shown.contains("stranger") && shown.contains("&#60;i&#62;let me in")).then_some(())
    })
    .await;
    app.end().await;
}

#[tokio::test]
async fn rules_are_tried_saved_and_old_events_read_again_with_them() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        assert_eq!(
            app.post("/consumetasks/hall", &[("x-zone", "north")], r#"{"alarm":{"level":7}}"#).await.status(),
            200
        );
        let rules = "/sources/hall/rules";
        let wrong = [("rules", "- when: [{pointer: alarm, greater: 5}]\n  priority: Critical"), ("do", "save")];
        refused(form(&app, rules, &wrong).await, 400, "rule 1").await;
        let tried = [("rules", ALARM), ("body", r#"[{"alarm":{"level":9}},{"a":1}]"#), ("do", "try")];
        let tried = form(&app, rules, &tried).await.text().await.unwrap();
        for words in
            ["Alarm 9", "Rule 1 matches", "2 events; this is the first", "/alarm/level is greater than 5: 9 is there"]
        {
            assert!(tried.contains(words), "{words}: {tried}");
        }
        let nonsense = [("rules", ALARM), ("body", "{nonsense"), ("do", "try")];
        refused(form(&app, rules, &nonsense).await, 200, "The body is not JSON").await;
        leads_to(&form(&app, rules, &[("rules", ALARM), ("do", "save")]).await, "/sources/hall/rules?said=rules");
        let shown = page(&app, &format!("{rules}?event=1")).await;
        for words in ["Alarm 7", "x-zone: north", "pointer: /alarm/level"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert_eq!(app.json("/api/counts").await["Critical"], 0);
        leads_to(&form(&app, "/sources/hall/reread", &[]).await, "/sources/hall/rules?said=reread");
        eventually("it is Critical now", async || (app.json("/api/counts").await["Critical"] == 1).then_some(())).await;
        eventually("the page says so", async || {
            page(&app, rules).await.contains("1 event read, 1 changed").then_some(())
        })
        .await;
        assert_eq!(app.post("/consumetasks/hall", &[], r#"{"alarm":{"level":8}}"#).await.status(), 200);
        assert_eq!(app.events().await[1]["title"], "Alarm 8");
        app.end().await;
    })
    .await;
}
