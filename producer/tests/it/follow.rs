//! Redirects of accounts' endpoints.

use std::{io::Write, time::Duration};

use crate::support::{Accounts, Answer, Database, Receiver, Subscription};

on_both! {
    async fn redirects_are_followed_as_pywebhooks_followed_them(database: Database) {
        let receiver = Receiver::start().await;
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
            receiver.answer(move |number, _| match number {
                0 => Answer::status(status).with("location", "there?a=1"),
                _ => Answer::json(),
            });
            let id = accounts.trigger(Some("\"ev.t\""), "[1]", std::slice::from_ref(&subscription)).await.remove(0);
            assert_eq!(accounts.ended(&id).await, 1, "{status}");
            let hook = receiver.hooks().pop().unwrap();
            assert_eq!((hook.method.as_str(), hook.path.as_str()), (method, "/there?a=1"), "{status}");
            assert_eq!((&hook.body[..], hook.headers.contains_key("content-type")), if method == "POST" { (&b"[1]"[..], true) } else { (&b""[..], false) });
            assert_eq!((hook.header("event"), hook.header("pywebhooks-signature").len()), ("ev.t".into(), 40));
        }
    }

    async fn a_redirect_to_an_address_that_is_not_allowed_is_refused(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(307).with("location", "http://10.1.2.3/hooks"));
        let mut settings = Accounts::settings(&database);
        settings.default_retry = Duration::from_millis(5);
        let (_producer, mut accounts) = Accounts::run(&database, settings).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        let id = accounts.trigger(None, "{}", &[subscription]).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 2);
        let reason = format!("select reason from deliveries where id = '{id}'");
        assert_eq!(accounts.text(reason).await.as_deref(), Some("blocked"));
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(302).with("location", "/hooks"));
    let (_producer, mut accounts) = Accounts::start(&database).await;
    let account = accounts.account(&receiver.url()).await;
    let subscription = Subscription { once: true, ..Subscription::of(&account) };
    let id = accounts.trigger(None, "{}", &[subscription]).await.remove(0);
    assert_eq!(accounts.ended(&id).await, 2);
    assert_eq!(receiver.hooks().len(), 31);
}

#[tokio::test]
async fn an_answer_that_is_compressed_is_read() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"ok\": true}").unwrap();
    receiver.always(Answer::status(200).body(gzip.finish().unwrap()).with("content-encoding", "gzip"));
    let (_producer, mut accounts) = Accounts::start(&database).await;
    let account = accounts.account(&receiver.url()).await;
    let id = accounts.trigger(None, "{}", &[Subscription::of(&account)]).await.remove(0);
    assert_eq!(accounts.ended(&id).await, 1);
    let kept = accounts.text(format!("select response from attempts where delivery_id = '{id}'")).await;
    assert_eq!(kept.as_deref(), Some("{\"ok\": true}"));
}
