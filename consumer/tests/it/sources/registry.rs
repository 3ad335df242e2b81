//! Sources that are made and changed, on this node and on another.

use common::seal::Vault;
use consumer::{
    rules::Rules,
    sources::{Origin, Refusal, Registry},
};
use sqlx::Executor;

use super::{File, KEY, WITH_KEY, draft, open, registry};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both,
};

const TOKEN: &str = r#"{"kind":"token","in":"query","name":"k"}"#;

fn fields(refusal: Result<(), Refusal>) -> Vec<&'static str> {
    match refusal {
        Err(Refusal::Fields(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_source_is_made_changed_and_removed() {
    on_both(async |database| {
        let sources = registry(&database).await;
        let mut first = draft("door", TOKEN, Some("the-first-secret"));
        first.rules = Some(Rules::from_yaml("[{priority: Major}]").unwrap());
        (first.stale_after_s, first.rate_per_minute) = (Some(60), Some(600));
        sources.save(first).await.unwrap();
        let made = sources.get("door").unwrap();
        assert_eq!((made.guard.kind(), made.origin, made.rate_per_minute()), ("token", Origin::Page, Some(600)));
        assert_eq!((made.stale_after_s, made.rules.written().count()), (Some(60), 1));

        sources.save(draft("door", r#"{"kind":"github"}"#, None)).await.unwrap();
        let changed = sources.get("door").unwrap();
        assert_eq!(
            (changed.guard.kind(), changed.created_ms, changed.rules.written().count()),
            ("github", made.created_ms, 1)
        );
        assert_eq!(
            sources.reveal("door").unwrap().first(),
            Some("the-first-secret"),
            "it stays unless another is given"
        );

        assert_eq!(fields(sources.save(draft("a b", TOKEN, Some("long-enough"))).await), ["name"]);
        assert_eq!(fields(sources.save(draft("hall", TOKEN, None)).await), ["secret"]);
        assert_eq!(fields(sources.save(draft("hall", TOKEN, Some("short"))).await), ["secret"]);
        let mut fast = draft("hall", r#"{"kind":"open"}"#, None);
        fast.rate_per_minute = Some(0);
        assert_eq!(fields(sources.save(fast).await), ["rate_per_minute"]);
        assert_eq!(sources.list().len(), 1);

        for number in 1..10 {
            sources.save(draft(&number.to_string(), r#"{"kind":"open"}"#, None)).await.unwrap();
        }
        let full = sources.save(draft("one-more", r#"{"kind":"open"}"#, None)).await;
        assert!(matches!(full, Err(Refusal::Full { max: 10 })), "{full:?}");
        sources.save(draft("9", TOKEN, Some("long-enough"))).await.unwrap();
        sources.remove("door").await.unwrap();
        assert!(sources.get("door").is_none() && matches!(sources.remove("door").await, Err(Refusal::Missing)));
    })
    .await;
}

#[tokio::test]
async fn two_secrets_are_good_until_the_rotation_is_finished() {
    on_both(async |database| {
        let sources = registry(&database).await;
        sources.save(draft("door", TOKEN, Some("the-first-secret"))).await.unwrap();
        sources.rotate("door", None).await.unwrap();
        assert!(sources.get("door").unwrap().is_rotating());
        let secrets = sources.reveal("door").unwrap();
        let (new, old) = (secrets.first().unwrap().to_owned(), secrets.second().unwrap());
        assert_eq!((new.len(), old), (40, "the-first-secret"));

        let app = TestApp::start(&database, &WITH_KEY).await;
        let status = async |secret: &str| app.get(&format!("/consumetasks/door?k={secret}")).await.status().as_u16();
        assert_eq!((status(&new).await, status("the-first-secret").await, status("another").await), (200, 200, 401));
        sources.finish_rotation("door").await.unwrap();
        eventually("the old one is good no more", async || (status("the-first-secret").await == 401).then_some(()))
            .await;
        assert_eq!(status(&new).await, 200);
        app.end().await;

        assert_eq!(fields(sources.rotate("door", Some("short".into())).await), ["secret"]);
        assert!(matches!(sources.rotate("hall", None).await, Err(Refusal::Missing)));
        sources.save(draft("hall", r#"{"kind":"open"}"#, None)).await.unwrap();
        assert_eq!(fields(sources.rotate("hall", None).await), ["guard"]);
    })
    .await;
}

#[tokio::test]
async fn another_node_hears_of_a_change() {
    on_both(async |database| {
        let app = TestApp::start(&database, &WITH_KEY).await;
        let other = registry(&database).await;
        let status = async || app.get("/consumetasks/door").await.status().as_u16();
        assert_eq!(status().await, 200);
        other.save(draft("door", TOKEN, Some("the-first-secret"))).await.unwrap();
        eventually("the door is shut", async || (status().await == 401).then_some(())).await;
        other.remove("door").await.unwrap();
        eventually("the door is open", async || (status().await == 200).then_some(())).await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_has_not_heard_of_a_change_does_not_undo_it() {
    on_both(async |database| {
        let [here, there] = [registry(&database).await, registry(&database).await];
        here.save(draft("door", TOKEN, Some("the-first-secret"))).await.unwrap();
        // The other one still thinks that there is no such source.
        assert!(matches!(there.create(draft("door", r#"{"kind":"open"}"#, None)).await, Err(Refusal::Exists)));
        there.set_rules("door", Rules::from_yaml("[{priority: Major}]").unwrap()).await.unwrap();
        for sources in [&here, &there] {
            sources.read_if_changed().await.unwrap();
            let door = sources.get("door").unwrap();
            assert_eq!((door.guard.kind(), door.rules.written().count()), ("token", 1));
        }
    })
    .await;
}

#[tokio::test]
async fn secrets_are_encrypted_where_they_are_stored() {
    let database = Database::create(Mode::Embedded).await;
    let sources = registry(&database).await;
    sources.save(draft("door", TOKEN, Some("plain-to-see-1"))).await.unwrap();
    sources.rotate("door", Some("plain-to-see-2".into())).await.unwrap();
    let mut beside = database.connection().await;
    beside.execute("pragma wal_checkpoint(truncate)").await.unwrap();
    let folder = std::path::Path::new(database.url.strip_prefix("sqlite://").unwrap()).parent().unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(!has(b"plain-to-see"));
        seen += usize::from(has(br#"{"kind":"token""#));
    }
    assert!(seen > 0, "it was looked where the source is");
}

#[tokio::test]
async fn who_changed_the_key_has_shut_the_door_and_not_opened_it() {
    on_both(async |database| {
        registry(&database).await.save(draft("door", TOKEN, Some("the-first-secret"))).await.unwrap();
        let app = TestApp::start(&database, &["--secret-key", "another key"]).await;
        for path in ["/consumetasks/door", "/consumetasks/door?k=the-first-secret"] {
            let answer = app.get(path).await;
            assert_eq!(answer.status(), 503, "{path}");
            assert!(answer.headers().contains_key("retry-after"));
        }
        let kept = super::rejected(&app, "/api/sources/door/rejected", 1).await;
        assert!(kept[0]["reason"].as_str().unwrap().contains("SECRET_KEY"), "{kept:?}");
        app.end().await;

        let sources = Registry::load(open(&database).await, Vault::new("another key"), None, 10).await.unwrap();
        assert!(sources.get("door").unwrap().closed_because().is_some() && sources.reveal("door").is_none());
        assert!(matches!(sources.rotate("door", None).await, Err(Refusal::Sealed)));
        sources.save(draft("door", TOKEN, Some("a-new-secret"))).await.unwrap();
        assert_eq!(sources.get("door").unwrap().closed_because(), None);
    })
    .await;
}

#[tokio::test]
async fn the_file_wins_over_the_page_and_is_changed_in_the_file_only() {
    let database = Database::create(Mode::Embedded).await;
    registry(&database).await.save(draft("door", TOKEN, Some("the-first-secret"))).await.unwrap();
    let file = File::new("sources:\n  - name: door\n");
    let sources = Registry::load(open(&database).await, Vault::new(KEY), Some(&file.path), 10).await.unwrap();
    let door = sources.get("door").unwrap();
    assert_eq!((door.origin, door.guard.kind(), sources.list().len()), (Origin::File, "open", 1));
    for refused in [
        sources.save(draft("door", TOKEN, Some("the-second-secret"))).await,
        sources.remove("door").await,
        sources.rotate("door", None).await,
        sources.finish_rotation("door").await,
    ] {
        assert!(matches!(refused, Err(Refusal::OfFile)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_wrong_ends_the_start_with_its_place() {
    let database = Database::create(Mode::Embedded).await;
    let load = async |path: &std::path::Path| {
        let loaded = Registry::load(open(&database).await, Vault::new(KEY), Some(path), 10).await;
        format!("{:#}", loaded.err().unwrap())
    };
    let file = File::new("sources:\n  - name: door\n    colour: red\n");
    let error = load(&file.path).await;
    assert!(error.contains("sources.yaml:3:5: ") && error.contains("colour"), "{error}");
    let missing = load(&file.path.with_file_name("none.yaml")).await;
    assert!(missing.contains("SOURCES") && missing.contains("none.yaml"), "{missing}");
    let beside = File::new("sources:\n  - name: door\n    guard: {kind: github}\n    secret_file: secret.txt\n");
    std::fs::write(beside.path.with_file_name("secret.txt"), "from its own file\n").unwrap();
    let sources = Registry::load(open(&database).await, Vault::new(KEY), Some(&beside.path), 10).await.unwrap();
    assert_eq!(sources.reveal("door").unwrap().first(), Some("from its own file"));
}
