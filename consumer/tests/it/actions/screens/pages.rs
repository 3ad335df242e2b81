//! The pages of screens, as forms without scripts.

use serde_json::json;

use super::{ask, audit, content, listed, own_key, pair};
use crate::{
    actions::Device,
    support::{
        TestApp,
        database::{Database, Mode},
        forms::{form, leads_to, page, place, refused},
        on_both,
    },
};

#[tokio::test]
async fn a_screen_is_accepted_refused_and_replaced_by_the_page() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let empty = page(&app, "/screens").await;
        assert!(empty.contains(&format!("http://{}/screen/lobby-1", app.address)), "{empty}");
        let (_, told) = ask(&app, "lobby-1", &own_key('a')).await;
        let code = told["code"].as_str().unwrap();
        assert!(page(&app, "/screens").await.contains(code));
        let path = format!("/screens/pairings/{code}/accept");
        let accepted = form(&app, &path, &[("groups", "lobby, north ,"), ("tags", "")]).await;
        leads_to(&accepted, "/screens?said=accepted");
        assert_eq!(content(&app, &own_key('a')).await["groups"], json!(["lobby", "north"]));

        let (_, told) = ask(&app, "lobby-1", &own_key('b')).await;
        assert!(page(&app, "/screens").await.contains("Replace lobby-1"));
        let path = format!("/screens/pairings/{}/accept", told["code"].as_str().unwrap());
        leads_to(&form(&app, &path, &[]).await, "/screens?said=accepted");
        assert_eq!(content(&app, &own_key('b')).await["groups"], json!(["lobby", "north"]));

        let (_, told) = ask(&app, "stranger", &own_key('c')).await;
        let path = format!("/screens/pairings/{}/refuse", told["code"].as_str().unwrap());
        leads_to(&form(&app, &path, &[]).await, "/screens?said=refused");
        assert!(!page(&app, "/screens").await.contains("stranger"));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn buttons_tell_a_device_what_to_do() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        let (path, told) = (format!("/screens/{id}/tell"), format!("/screens/{id}?said=told"));
        for (fields, parameters) in [
            (vec![("function", "pause_loop")], json!({})),
            (vec![("function", "resume_loop")], json!({})),
            (vec![("function", "refresh_content")], json!({})),
            (vec![("function", "snooze")], json!({})),
            (vec![("function", "snooze"), ("seconds", "60")], json!({"seconds": 60})),
            (vec![("function", "wake")], json!({})),
            (vec![("function", "restart_device")], json!({})),
            (
                vec![("function", "show_toast"), ("toast", "<b>hi</b>"), ("seconds", "5")],
                json!({"text": "<b>hi</b>", "seconds": 5}),
            ),
            (
                vec![("function", "load_url"), ("url", "https://a.example"), ("seconds", "9")],
                json!({"url": "https://a.example", "seconds": 9}),
            ),
            (vec![("function", "refresh_datasource"), ("datasource", "w")], json!({"datasource": "w"})),
            (vec![("function", "disable_emergency")], json!({})),
        ] {
            leads_to(&form(&app, &path, &fields).await, &told);
            let command = screen.does().await;
            assert_eq!((&command["function"], &command["parameters"]), (&json!(fields[0].1), &parameters));
        }
        let fields = [("function", "enable_emergency"), ("emergency", "Out"), ("color", "#112233")];
        let more = [("title", "Fire"), ("sound", "yes"), ("ends", "5m")];
        leads_to(&form(&app, &path, &[&fields[..], &more[..]].concat()).await, &told);
        let emergency = screen.does().await["parameters"].clone();
        assert_eq!((&emergency["text"], &emergency["color"]), (&json!("Out"), &json!("#112233")));
        assert_eq!((&emergency["title"], &emergency["sound"]), (&json!("Fire"), &json!(true)));
        assert!(emergency["until"].is_string(), "{emergency}");
        let fields = [("function", "send_sensor_event_data"), ("sensor_id", "door-1"), ("sensor_event", "open")];
        leads_to(&form(&app, &path, &[&fields[..], &[("sensor_value", "1")]].concat()).await, &told);
        assert_eq!(
            screen.does().await["parameters"]["sensor_data"],
            json!({"id": "door-1", "event": "open", "value": "1"})
        );
        let shown = page(&app, &format!("/screens/{id}")).await;
        assert!(shown.contains("show_toast") && shown.contains("done after") && shown.contains("done it"), "{shown}");
        for (fields, said) in [
            (vec![("function", "format_disk")], "format_disk"),
            (vec![("function", "load_url"), ("url", "javascript:alert(1)")], "http"),
            (vec![("function", "load_url"), ("url", "https://a"), ("seconds", "soon")], "whole number"),
            (vec![("function", "enable_emergency"), ("emergency", "Out"), ("ends", "2001-01-01")], "a time to come"),
            (vec![("function", "send_sensor_event_data"), ("sensor_event", "open")], "sensor_data.id"),
        ] {
            refused(form(&app, &path, &fields).await, 400, said).await;
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_command_from_the_list_is_told_once_and_leads_to_what_becomes_of_it() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        let path = format!("/screens/{id}/tell");
        let list = page(&app, "/screens?q=lobby&group=&tag=4k").await;
        let hidden = |name: &str| {
            let rest = list.split_once(&format!(r#"name="{name}" value=""#)).unwrap().1;
            rest.split_once('"').unwrap().0.replace("&#38;", "&")
        };
        let (back, once) = (hidden("back"), hidden("once"));
        let fields = |function| [("function", function), ("back", back.as_str()), ("once", once.as_str())];
        let pause = fields("pause_loop");
        let (first, again) = tokio::join!(form(&app, &path, &pause), form(&app, &path, &pause));
        let first = place(&first);
        assert_eq!(first, place(&again), "a double click");
        let execution = first.strip_prefix("/screens?q=lobby&tag=4k&said=told&execution=").expect(first);
        assert!(page(&app, first).await.contains(&format!(r#"href="/actions/executions/{execution}""#)));
        let shown = page(&app, &format!("/actions/executions/{execution}")).await;
        assert!(shown.contains("Pause loop") && shown.contains("lobby-1"), "{shown}");
        let other = form(&app, &path, &fields("resume_loop")).await;
        assert_ne!(place(&other), first, "another button of the same form is another command");
        assert_eq!(screen.does().await["function"], "pause_loop");
        assert_eq!(screen.does().await["function"], "resume_loop", "it was told once");
        let fields = [("function", "wake"), ("back", "list?q=a&to=//evil.example&said=x")];
        let told = form(&app, &path, &fields).await;
        assert!(place(&told).starts_with("/screens?q=a&said=told&execution="), "{told:?}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_page_of_a_screen_has_the_address_that_is_opened_on_it() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let id = pair(&app, "lobby one", &own_key('a')).await;
    let shown = page(&app, &format!("/screens/{id}")).await;
    assert!(shown.contains(&format!("http://{}/screen/lobby%20one</pre>", app.address)), "{shown}");
    assert!(!shown.contains(r#"href="/screen/"#), "no other browser is led there");
    app.end().await;
}

#[tokio::test]
async fn content_is_put_together_row_by_row_without_scripts() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let path = format!("/screens/{id}/content");
        let mut fields = vec![
            ("items", "1"),
            ("item-0-kind", "dashboard"),
            ("item-0-seconds", "30"),
            ("sources", "0"),
            ("rules", "0"),
            ("do", "add-item"),
        ];
        let text = refused(form(&app, &path, &fields).await, 200, "Not saved yet.").await;
        assert!(text.contains("item-1-url"), "{text}");
        let card = "Now {{main.temp}}\r\n<script>alert(1)</script>";
        fields[0].1 = "2";
        fields[5].1 = "save";
        fields.extend([
            ("item-1-kind", "card"),
            ("item-1-text", card),
            ("item-1-datasource", "w"),
            ("item-1-seconds", "15"),
        ]);
        let why = "Loop, row 2: datasource: there is no datasource w";
        let text = refused(form(&app, &path, &fields).await, 400, why).await;
        assert!(
            text.contains("&#60;script&#62;alert(1)") && !text.contains("<script>alert"),
            "what was typed is there"
        );
        fields[3].1 = "1";
        fields.extend([("source-0-name", "w"), ("source-0-url", "https://a.example/w"), ("source-0-every", "60")]);
        leads_to(&form(&app, &path, &fields).await, &format!("/screens/{id}?said=kept"));
        let kept = content(&app, &own_key('a')).await["content"].clone();
        assert_eq!(kept["items"][1]["text"], "Now {{main.temp}}\n<script>alert(1)</script>");
        assert_eq!(kept["datasources"][0]["every_seconds"], 60);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_is_placed_filtered_and_forgotten_and_its_name_is_only_text() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let name = "<img src=x onerror=alert(1)>";
        let id = pair(&app, name, &own_key('a')).await;
        ask(&app, "<script>alert(2)</script>", &own_key('b')).await;
        for path in ["/screens".to_owned(), format!("/screens/{id}")] {
            let text = page(&app, &path).await;
            assert!(!text.contains("<img src=x") && !text.contains("<script>alert") && text.contains("&#60;img"));
        }
        let placed = form(&app, &format!("/screens/{id}/place"), &[("groups", "<i>hall</i>"), ("tags", "a, b")]).await;
        leads_to(&placed, &format!("/screens/{id}?said=placed"));
        assert_eq!(listed(&app, &id, |_| true).await["tags"], json!(["a", "b"]));
        assert!(!page(&app, "/screens").await.contains("<i>hall"));
        for (query, is_there) in [
            ("q=IMG", true),
            ("q=nothing", false),
            ("tag=a", true),
            ("tag=c", false),
            ("group=%3Ci%3Ehall%3C%2Fi%3E", true),
        ] {
            assert_eq!(page(&app, &format!("/screens?{query}")).await.contains(&id), is_there, "{query}");
        }
        let forget = format!("/screens/{id}/forget");
        assert_eq!(form(&app, &forget, &[("confirm", "something")]).await.status(), 400);
        leads_to(&form(&app, &forget, &[("confirm", name)]).await, "/screens?said=forgotten");
        assert_eq!(app.get(&format!("/screens/{id}")).await.status(), 404);
        assert_eq!(audit(&app).await[0], "device.delete");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_for_a_program_shows_its_key_once() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let made = form(&app, "/new-device", &[("name", "robot"), ("groups", "hall")]).await;
        assert_eq!(made.status(), 200);
        let text = made.text().await.unwrap();
        let key = text.split(r#"aria-label="Key">"#).nth(1).unwrap().split('<').next().unwrap();
        let device = Device::connect(&app, key, json!(0)).await;
        assert_eq!(device.state["groups"], json!(["hall"]));
        let again = refused(form(&app, "/new-device", &[("name", "robot")]).await, 409, "of this name").await;
        assert!(again.contains(r#"value="robot""#), "{again}");
        assert!(!page(&app, "/screens").await.contains(key));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_page_hears_that_something_moved() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let mut stream = app.get("/screens-moved").await;
        let mut heard = String::new();
        while !heard.contains("ready") {
            heard += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
        }
        ask(&app, "lobby-1", &own_key('a')).await;
        while !heard.contains("moved") {
            heard += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
        }
        drop(stream);
        app.end().await;
    })
    .await;
}
