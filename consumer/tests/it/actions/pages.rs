//! The pages of actions as forms, without scripts: what the administrator does there, what is refused, and what is kept secret.

use reqwest::Response;
use serde_json::json;

use super::{Device, action, call, device, key, made_key, make};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually,
    forms::{form, leads_to, page, refused},
    on_both,
};

/// What a page that no cache keeps has between two texts.
async fn shown(answer: Response, (before, after): (&str, &str)) -> String {
    assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    let text = answer.text().await.unwrap();
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before}: {text}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

const SECRET: (&str, &str) = (r#"class="shown-secret">"#, "<");
const LINK: (&str, &str) = (r#"aria-label="Link">"#, "<");

/// The id of the only key of this name.
async fn id_of(app: &TestApp, name: &str) -> String {
    let keys = app.json("/api/keys").await["keys"].as_array().unwrap().clone();
    keys.iter().find(|key| key["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_made_shown_changed_and_deleted_by_forms() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "lobby", &[]).await;
        action(&app, "fire", json!({})).await;
        let fields = [
            ("name", "<b>alarm</b>"),
            ("scope", "chosen"),
            ("event", "fire"),
            ("others", "later\r\n"),
            ("expires_at", "8h"),
            ("max_uses", "2"),
        ];
        let secret = shown(form(&app, "/actions/keys/new", &fields).await, SECRET).await;
        let id = id_of(&app, "<b>alarm</b>").await;
        let own = format!("/actions/keys/{id}");
        for path in ["/actions/keys", &own, "/actions/audit", "/actions/event?id=fire"] {
            let text = page(&app, path).await;
            assert!(!text.contains(&secret) && !text.contains("<b>alarm"), "{path}: {text}");
        }
        assert_eq!(shown(form(&app, &format!("{own}/reveal"), &[]).await, SECRET).await, secret);
        let answer = app.post(&format!("{own}/reveal"), &[("accept", "application/json")], "").await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.text().await.unwrap(), json!({"key": secret}).to_string());
        assert_eq!(call(&app, &secret, json!({"event_id": "fire"})).await.0, 200);
        let changed = [("name", "alarm"), ("scope", "chosen"), ("others", "later"), ("rate_per_minute", "5")];
        leads_to(&form(&app, &own, &changed).await, &format!("{own}?said=key-saved"));
        assert_eq!(call(&app, &secret, json!({"event_id": "fire"})).await.0, 403, "its scope is another one");
        let listed = app.json("/api/keys").await["keys"][0].clone();
        assert_eq!(
            (&listed["uses"], &listed["max_uses"], &listed["rate_per_minute"]),
            (&json!(1), &json!(null), &json!(5))
        );
        refused(form(&app, &format!("{own}/delete"), &[("confirm", "another")]).await, 400, "Type the name").await;
        leads_to(
            &form(&app, &format!("{own}/delete"), &[("confirm", "alarm")]).await,
            "/actions/keys?said=key-deleted",
        );
        assert_eq!(call(&app, &secret, json!({"event_id": "fire"})).await.0, 401);
        let audit = page(&app, "/actions/audit").await;
        for what in ["key.create", "key.reveal", "key.update", "key.delete"] {
            assert!(audit.contains(what), "{what}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_action_is_made_put_in_order_changed_and_deleted_by_forms() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "lobby", &["south"]).await;
        let toast = |name| {
            [
                ("function", "show_toast"),
                ("name", name),
                ("event_id", "a & b"),
                ("p.text", "<i>hi</i>\r\nall"),
                ("target", "groups"),
                ("group", "south"),
                ("ttl_ms", "5m"),
            ]
        };
        for name in ["first", "second"] {
            leads_to(&form(&app, "/actions/new", &toast(name)).await, "/actions/event?id=a+%26+b&said=made");
        }
        let order = async || {
            let actions = app.json("/api/actions").await["actions"].as_array().unwrap().clone();
            actions.into_iter().map(|action| (action["name"].as_str().unwrap().to_owned(), action)).collect::<Vec<_>>()
        };
        let made = order().await;
        assert_eq!(made[0].1["parameters"], json!({"text": "<i>hi</i>\nall"}));
        assert_eq!((&made[0].1["ttl_ms"], &made[0].1["target"]), (&json!(300_000), &json!({"groups": ["south"]})));
        let second = made[1].1["id"].as_str().unwrap();
        leads_to(&form(&app, &format!("/actions/{second}/move"), &[("to", "earlier")]).await, "/actions");
        assert_eq!(order().await.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["second", "first"]);
        let listed = page(&app, "/actions").await;
        assert!(listed.contains("group south") && listed.contains("1 device: 0 connected, 1 away"), "{listed}");
        let shown = page(&app, &format!("/actions/{second}")).await;
        assert!(
            shown.contains("&#60;i&#62;hi") && !shown.contains("<i>hi") && shown.contains(r#"value="5m""#),
            "{shown}"
        );
        let wake =
            [("function", "wake"), ("name", "third"), ("event_id", "c"), ("target", "device"), ("device", "lobby")];
        leads_to(&form(&app, &format!("/actions/{second}"), &wake).await, "/actions/event?id=c&said=saved");
        refused(form(&app, &format!("/actions/{second}/delete"), &[]).await, 400, "Type the name").await;
        leads_to(
            &form(&app, &format!("/actions/{second}/delete"), &[("confirm", "third")]).await,
            "/actions?said=deleted",
        );
        assert_eq!(app.get(&format!("/actions/{second}")).await.status(), 404);
        assert_eq!(app.get("/actions/event?id=c").await.status(), 404);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_comes_back_as_it_was_typed_with_a_word_at_the_field() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    key(&app).await;
    let keys: [(&[(&str, &str)], &str); 7] = [
        (&[("name", "alarm system"), ("scope", "all")], "There is a key of this name"),
        (&[("name", " "), ("scope", "all")], "Name has 1 to 100"),
        (&[("name", "k"), ("scope", "chosen")], "Event ids names 1 to"),
        (&[("name", "k"), ("scope", "all"), ("expires_at", "<u>soon")], "Expiry is a length of time"),
        (&[("name", "k"), ("scope", "all"), ("rate_per_minute", "many")], "Calls a minute is a whole number"),
        (&[("name", "k"), ("scope", "all"), ("rate_per_minute", "7000")], "Calls a minute is 1 to 6000"),
        (&[("name", "k"), ("scope", "all"), ("max_uses", "0")], "Uses is 1 to"),
    ];
    for (fields, words) in keys {
        let answer = form(&app, "/actions/keys/new", fields).await;
        let status = answer.status().as_u16();
        assert!(status == 400 || status == 409, "{status}");
        let text = refused(answer, status, words).await;
        for (_, typed) in fields.iter().filter(|(name, typed)| *name != "scope" && !typed.contains('<')) {
            assert!(text.contains(&format!(r#"value="{}""#, typed.trim())), "{typed}: {text}");
        }
        assert!(!text.contains("<u>"), "what was typed stays text");
    }
    let actions: [(&[(&str, &str)], &str); 7] = [
        (&[("function", "load_url"), ("p.url", "javascript:alert(1)")], "url begins with"),
        (
            &[("function", "load_url"), ("p.url", "https://a.example"), ("p.seconds", "<u>long")],
            "This is a whole number",
        ),
        (&[("function", "show_toast")], "text has 1 to 500"),
        (&[("function", "wake"), ("target", "groups")], "target.groups names at least one"),
        (&[("function", "wake"), ("ttl_ms", "soon")], "The waiting time is written like"),
        (&[("function", "wake"), ("ttl_ms", "300d")], "Waiting time is 1 to"),
        (&[("function", "wake"), ("event_id", "")], "Event id is missing"),
    ];
    for (fields, words) in actions {
        let given = [("name", "my action"), ("event_id", "e")].into_iter();
        let given = given.filter(|(name, _)| fields.iter().all(|(field, _)| field != name));
        let all: Vec<(&str, &str)> = fields.iter().copied().chain(given).collect();
        let text = refused(form(&app, "/actions/new", &all).await, 400, words).await;
        assert!(text.contains(r#"value="my action""#) && !text.contains("<u>"), "{text}");
    }
    assert_eq!(app.json("/api/actions").await["actions"], json!([]));
    app.end().await;
}

#[tokio::test]
async fn a_link_carries_a_key_of_its_own_or_a_chosen_one_and_is_kept_by_nobody() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let chosen = key(&app).await;
        let chosen_id = id_of(&app, "alarm system").await;
        made_key(&app, json!({"name": "of another", "event_ids": ["other"]})).await;
        device(&app, "lobby", &[]).await;
        action(&app, "door", json!({"function": "send_sensor_event_data", "parameters": {}})).await;
        let shown_page = page(&app, "/actions/event?id=door").await;
        assert!(shown_page.contains("alarm system") && !shown_page.contains("of another"), "{shown_page}");
        let sensor = [("event_id", "door"), ("sensor_id", "door-1"), ("sensor_event", "open"), ("sensor_value", "1")];
        let own: Vec<(&str, &str)> =
            sensor.into_iter().chain([("key", "own"), ("uses", "1"), ("expires", "1h")]).collect();
        let link = shown(form(&app, "/actions/event/link", &own).await, LINK).await.replace("&#38;", "&");
        let path = link.strip_prefix(&app.url("")).unwrap();
        assert_eq!(app.get(path).await.status(), 200, "{link}");
        assert_eq!(app.get(path).await.status(), 403, "it was good for one use");
        let mut for_a_system = own.clone();
        for_a_system[5] = ("good", "system");
        let answer = form(&app, "/actions/event/link", &for_a_system).await.text().await.unwrap();
        assert!(
            answer.contains("Good for any number of uses, no end") && answer.contains("It may call door."),
            "{answer}"
        );
        let link = answer.split_once(LINK.0).unwrap().1.split_once('<').unwrap().0.replace("&#38;", "&");
        for _ in 0..2 {
            assert_eq!(app.get(link.strip_prefix(&app.url("")).unwrap()).await.status(), 200, "{link}");
        }
        for_a_system[5] = ("good", "person");
        let answer = form(&app, "/actions/event/link", &for_a_system).await.text().await.unwrap();
        assert!(answer.contains("Good for 1 use, until 2"), "{answer}");
        let with_chosen: Vec<(&str, &str)> = sensor.into_iter().chain([("key", chosen_id.as_str())]).collect();
        let link = shown(form(&app, "/actions/event/link", &with_chosen).await, LINK).await;
        assert!(link.contains(&chosen));
        assert!(page(&app, "/actions/audit?what=key.reveal").await.contains("in a link for door"));
        for (fields, words) in [
            (vec![("event_id", "door"), ("key", "own"), ("expires", "soon")], "Good until is"),
            (vec![("event_id", "door"), ("key", "own"), ("uses", "0")], "Uses is 1 to"),
            (vec![("event_id", "door"), ("key", "own"), ("sensor_id", "door-1")], "sensor&#39;s event is a text"),
        ] {
            refused(form(&app, "/actions/event/link", &fields).await, 400, words).await;
        }
        let test = refused(form(&app, "/actions/event/test", &[("event_id", "door")]).await, 400, "sensor_data").await;
        assert!(!test.contains(&chosen));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn choosing_another_function_loses_nothing_that_was_typed() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    device(&app, "lobby", &["south"]).await;
    let typed = [
        ("function", "enable_emergency"),
        ("name", "my <i>action</i>"),
        ("event_id", "e"),
        ("p.text", "Leave now"),
        ("p.title", "Fire"),
        ("target", "groups"),
        ("group", "south"),
        ("ttl_ms", "7m"),
        ("do", "kind-show_toast"),
    ];
    let text = form(&app, "/actions/new", &typed).await.text().await.unwrap();
    for part in [
        r#"name="function" value="show_toast""#,
        r#"value="my &#60;i&#62;action&#60;/i&#62;""#,
        ">Leave now</textarea>",
        r#"type="hidden" name="p.title" value="Fire""#,
        r#"name="group" value="south" checked"#,
        r#"value="7m""#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(app.json("/api/actions").await["actions"], json!([]), "nothing is made yet");
    let made = action(&app, "old", json!({})).await;
    let own = format!("/actions/{}", made["id"].as_str().unwrap());
    let text = form(&app, &own, &typed).await.text().await.unwrap();
    assert!(text.contains(r#"name="function" value="show_toast""#) && text.contains(">Leave now</textarea>"), "{text}");
    assert_eq!(app.json("/api/actions").await["actions"][0]["event_id"], "old", "nothing is changed yet");
    app.end().await;
}

#[tokio::test]
async fn a_test_runs_once_and_shows_what_became_of_it_on_each_device() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let screen = device(&app, "<b>lobby</b>", &[]).await;
        device(&app, "away", &[]).await;
        action(&app, "hello", json!({})).await;
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        let fields = [("event_id", "hello"), ("test", "0193d8f2-0000-7000-8000-000000000001")];
        let execution = "/actions/executions/0193d8f2-0000-7000-8000-000000000001";
        for _ in 0..2 {
            leads_to(&form(&app, "/actions/event/test", &fields).await, &format!("{execution}?said=tested"));
        }
        screen.does().await;
        let shown = eventually("it is done", async || {
            let shown = page(&app, execution).await;
            shown.contains("1 done").then_some(shown)
        })
        .await;
        assert!(shown.contains("1 queued") && shown.contains("done it") && !shown.contains("<b>lobby"), "{shown}");
        let (list, audit) = (page(&app, "/actions/executions").await, page(&app, "/actions/audit?what=call").await);
        assert_eq!(list.matches("row execution").count(), 1, "sending the form twice does it once");
        assert!(audit.contains("1 done") && audit.contains("admin") && audit.contains(execution), "{audit}");
        let csv = app.get("/actions/audit.csv?what=call").await.text().await.unwrap();
        assert!(csv.contains(r#""done 1, queued 1""#), "{csv}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_filtered_paged_and_never_a_formula() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for number in 0..105 {
            make(&app, "/api/keys", json!({"name": format!("=SUM({number})")})).await;
        }
        assert_eq!(call(&app, "guess", json!({"event_id": "x"})).await.0, 401);
        let first = page(&app, "/actions/audit").await;
        assert_eq!(first.matches("row audited").count(), 100);
        let older = first.split_once(r#"rel="next""#).unwrap().0.rsplit_once(r#"href=""#).unwrap().1;
        let older = page(&app, older.trim_end_matches(['"', ' '])).await;
        assert_eq!(older.matches("row audited").count(), 6);
        let count =
            async |query: &str| page(&app, &format!("/actions/audit?{query}")).await.matches("row audited").count();
        assert_eq!((count("refused=1").await, count("what=call").await, count("q=SUM(104)").await), (1, 1, 1));
        assert_eq!((count("since=1h&refused=1").await, count("until=1h").await), (1, 0));
        refused(app.get("/actions/audit?since=%3Cb%3Esoon").await, 400, "so long ago").await;
        let csv = app.get("/actions/audit.csv?what=key.").await.text().await.unwrap();
        assert_eq!(csv.lines().count(), 106);
        assert!(csv.contains(r#""'=SUM(7)""#) && !csv.contains(r#""=SUM"#), "{csv}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_or_from_a_page_of_another_origin() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let made = make(&app, "/api/keys", json!({"name": "k"})).await;
    let reveal = format!("/actions/keys/{}/reveal", made["id"].as_str().unwrap());
    for path in [reveal.as_str(), "/actions/new", "/actions/keys/new", "/actions/event/link", "/actions/event/test"] {
        assert_eq!(app.post(path, &[("origin", "http://evil.example")], "name=k").await.status(), 403, "{path}");
    }
    app.end().await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "a long password"]).await;
    for path in
        ["/actions", "/actions/keys", "/actions/audit", "/actions/audit.csv", "/actions/executions", "/actions/moved"]
    {
        let status = app.get(path).await.status().as_u16();
        assert!(status == 303 || status == 401, "{path}: {status}");
    }
    let answer = app.post(&reveal, &[], "").await;
    let key = made["key"].as_str().unwrap();
    assert!(!answer.status().is_success() && !answer.text().await.unwrap().contains(key));
    app.end().await;
}
