//! What an account's endpoint is sent, and what counts as received.

use std::time::Duration;

use common::{signature, time::now_ms};

use crate::support::{Accounts, Answer, Database, Receiver, Subscription};

on_both! {
    async fn a_failing_endpoint_gets_four_attempts_the_same_wait_apart(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        let id = accounts.trigger(Some("\"ev.t\""), "{}", &[subscription]).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 2);
        let hooks = receiver.hooks();
        assert_eq!((hooks.len(), accounts.failed_count(&account).await), (4, 4));
        for pair in hooks.windows(2) {
            let wait = pair[1].at - pair[0].at;
            assert!(wait >= Duration::from_millis(145) && wait < Duration::from_secs(5), "{wait:?}");
            assert_eq!(pair[0].id(), id);
        }
    }

    async fn only_200_with_json_is_a_success_of_the_old_profile(database: Database) {
        let receiver = Receiver::start().await;
        let mut settings = Accounts::settings(&database);
        settings.default_retry = Duration::from_millis(5);
        let (_producer, mut accounts) = Accounts::run(&database, settings).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        let mut sent = 0;
        for (answer, state, attempts) in [
            (Answer::status(201).body("{}"), 2, 4),
            (Answer::status(204).body(""), 2, 4),
            (Answer::status(410).body("{}"), 2, 4),
            (Answer::status(429).with("retry-after", "3600"), 2, 4),
            (Answer::status(200).body(""), 2, 4),
            (Answer::status(200).body("ok"), 2, 4),
            (Answer::status(200).body("null"), 1, 1),
            (Answer::status(200).body("[1]").with("content-type", "text/plain"), 1, 1),
        ] {
            receiver.always(answer.clone());
            let id = accounts.trigger(None, "{}", std::slice::from_ref(&subscription)).await.remove(0);
            assert_eq!(accounts.ended(&id).await, state, "{answer:?}");
            sent += attempts;
            assert_eq!(receiver.hooks().len(), sent, "{answer:?}");
        }
        assert_eq!(accounts.failed_count(&account).await, 0, "a success forgets");
    }

    async fn a_webhook_carries_its_event_and_verifies_with_both_signatures_and_both_keys(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::json().with("x-told", "yes"));
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        accounts.secret(&account, "older", "older secret", Some(now_ms() + 3_600_000)).await;
        accounts.secret(&account, "oldest", "oldest secret", Some(now_ms() - 1)).await;
        let headers = Some(r#"{"x-place":"here","x-api-token":"hidden","event":"forged","webhook-id":"forged"}"#);
        let subscription = Subscription { headers, ..Subscription::of(&account) };
        accounts.subscribe(&subscription).await;
        let body = r#"{"a": 2, "b": 1}"#;
        let id = accounts.trigger(Some("\"ev.t\""), body, &[subscription]).await.remove(0);
        let hook = receiver.arrived(1).await.remove(0);
        assert_eq!((hook.method.as_str(), hook.path.as_str(), &hook.body[..]), ("POST", "/hooks", body.as_bytes()));
        for (name, value) in [
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip, deflate"),
            ("connection", "keep-alive"),
            ("event", "ev.t"),
            ("x-place", "here"),
            ("x-api-token", "hidden"),
            ("webhook-id", &id),
        ] {
            assert_eq!(hook.header(name), value, "{name}");
        }
        assert_eq!(hook.header("pywebhooks-signature"), signature::sign_sha1(account.secret.as_bytes(), body.as_bytes()));
        let (stamp, signatures) = (hook.header("webhook-timestamp").parse().unwrap(), hook.header("webhook-signature"));
        let verify = |secret: &str| {
            signature::verify(secret.as_bytes(), (&id, stamp), body.as_bytes(), &signatures, now_ms() / 1000).is_ok()
        };
        assert_eq!([verify(&account.secret), verify("older secret"), verify("oldest secret")], [true, true, false]);
        assert_eq!(accounts.ended(&id).await, 1);
        let kept = |whose: &str| format!("select {whose}_headers from attempts where delivery_id = '{id}'");
        let sent = accounts.text(kept("request")).await.unwrap();
        assert!(sent.contains(r#"["x-api-token","•••"]"#) && sent.contains(r#"["event","ev.t"]"#), "{sent}");
        assert!(accounts.text(kept("response")).await.unwrap().contains(r#"["x-told","yes"]"#));
    }

    async fn an_event_whose_name_cannot_be_a_header_is_not_sent_and_fails_four_times(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::json());
        let mut settings = Accounts::settings(&database);
        settings.default_retry = Duration::from_millis(5);
        let (_producer, mut accounts) = Accounts::run(&database, settings).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        let id = accounts.trigger(Some("5"), "{}", std::slice::from_ref(&subscription)).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 2);
        assert_eq!((receiver.hooks().len(), accounts.failed_count(&account).await), (0, 4));
        let reason = format!("select reason from deliveries where id = '{id}'");
        assert_eq!(accounts.text(reason).await.as_deref(), Some("event"));
        for (event, header) in [("null", None), ("\"\"", None), ("\"café\"", Some(&b"caf\xe9"[..]))] {
            let id = accounts.trigger(Some(event), "{}", std::slice::from_ref(&subscription)).await.remove(0);
            assert_eq!(accounts.ended(&id).await, 1);
            let hook = receiver.hooks().pop().unwrap();
            assert_eq!(hook.headers.get("event").map(reqwest::header::HeaderValue::as_bytes), header, "{event}");
        }
    }

    async fn a_key_that_cannot_be_opened_is_a_failed_attempt_that_says_what_to_do(database: Database) {
        let receiver = Receiver::start().await;
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        accounts.change(format!("update secrets set sealed = 'of another key' where id = '{}'", account.secret_id)).await;
        let subscription = Subscription { once: true, ..Subscription::of(&account) };
        let id = accounts.trigger(None, "{}", &[subscription]).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 2, "once is once");
        let told = accounts.text(format!("select detail from attempts where delivery_id = '{id}'")).await.unwrap();
        assert!(told.contains("SECRET_KEY was changed"), "{told}");
        assert_eq!((receiver.hooks().len(), accounts.failed_count(&account).await), (0, 0), "it counts for nothing");
    }

    async fn the_standard_profile_keeps_the_engines_schedule_and_takes_any_2xx(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| Answer::status([500, 302, 204][number]).with("location", "/elsewhere"));
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription { profile: 2, ..Subscription::of(&account) };
        accounts.subscribe(&subscription).await;
        let id = accounts.trigger(Some("\"ev.t\""), "{}", &[subscription]).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 1);
        assert!(receiver.hooks().iter().all(|hook| hook.path == "/hooks"), "no redirect is followed");
        assert_eq!((receiver.hooks().len(), accounts.failed_count(&account).await), (3, 0));
    }
}
