//! Accounts whose endpoint is disabled: what comes is held, they are told of it, and a success lets it out.

use common::{signature, time::now_ms};
use serde_json::Value;

use crate::support::{Account, Accounts, Answer, Database, Producer, Receiver, Subscription, eventually};

/// An account that failed as often as it may, with a subscription in order; its receiver now says 500.
async fn disabled(
    database: &Database,
    receiver: &Receiver,
    told: Option<&str>,
) -> (Producer, Accounts, Account, Subscription) {
    receiver.always(Answer::status(500));
    let mut settings = Accounts::settings(database);
    settings.max_failed_count = 3;
    let (producer, mut accounts) = Accounts::run(database, settings).await;
    let account = accounts.account(&receiver.url()).await;
    if let Some(url) = told {
        accounts.change(format!("update accounts set operational_url = '{url}'")).await;
    }
    let subscription = Subscription { fifo: true, ..Subscription::of(&account) };
    accounts.subscribe(&subscription).await;
    let id = accounts.trigger(None, "\"first\"", std::slice::from_ref(&subscription)).await.remove(0);
    assert_eq!(accounts.ended(&id).await, 2);
    (producer, accounts, account, subscription)
}

on_both! {
    async fn what_is_held_goes_out_in_order_after_a_success(database: Database) {
        let receiver = Receiver::start().await;
        let (_producer, mut accounts, account, subscription) = disabled(&database, &receiver, None).await;
        assert_eq!(accounts.failed_count(&account).await, 4, "it goes on to count what is still tried");
        let since = format!("select disabled_ms from accounts where id = '{}'", account.id);
        assert!(accounts.number(since.clone()).await.is_some_and(|since| since <= now_ms()));
        for number in 0..5 {
            accounts.hold(&number.to_string(), std::slice::from_ref(&subscription)).await;
        }
        // The account moves; a retry that was under way finds it well.
        let moved = format!("http://{}/moved", receiver.address);
        accounts.change(format!("update accounts set endpoint = '\"{moved}\"' where id = '{}'", account.id)).await;
        receiver.always(Answer::json());
        accounts.trigger(None, "\"well\"", &[subscription]).await;
        let hooks = receiver.arrived(4 + 1 + 5).await;
        let after: Vec<(&str, Value)> = hooks[5..].iter().map(|hook| (hook.path.as_str(), hook.task())).collect();
        assert_eq!(after, (0..5).map(|number| ("/moved", Value::from(number))).collect::<Vec<_>>());
        assert_eq!((accounts.failed_count(&account).await, accounts.number(since).await), (0, None));
    }

    async fn an_account_is_told_once_at_its_other_url_that_its_endpoint_was_disabled(database: Database) {
        let (receiver, operator) = (Receiver::start().await, Receiver::start().await);
        let (_producer, mut accounts, account, subscription) =
            disabled(&database, &receiver, Some(&operator.url())).await;
        let hook = operator.arrived(1).await.remove(0);
        let told = hook.task();
        assert_eq!((&told["type"], &told["account_id"]), (&"endpoint.disabled".into(), &account.id.clone().into()));
        assert_eq!((&told["endpoint"], &told["failed_count"]), (&receiver.url().into(), &3.into()));
        assert_eq!(hook.header("event"), "endpoint.disabled");
        let stamp = (hook.id(), hook.header("webhook-timestamp").parse().unwrap());
        let signatures = hook.header("webhook-signature");
        let verified = signature::verify(account.secret.as_bytes(), (&stamp.0, stamp.1), &hook.body, &signatures, now_ms() / 1000);
        assert_eq!(verified, Ok(()));
        let id = accounts.trigger(None, "\"again\"", &[subscription]).await.remove(0);
        assert_eq!(accounts.ended(&id).await, 2);
        assert_eq!((accounts.failed_count(&account).await, operator.hooks().len()), (8, 1));
        let kind = "select count(*) from messages where kind = 'operational'";
        assert_eq!(accounts.number(kind.into()).await, Some(1));
    }

    async fn attempts_for_an_account_that_is_gone_end_as_they_would(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(500));
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription::of(&account);
        accounts.subscribe(&subscription).await;
        let id = accounts.trigger(None, "{}", &[subscription]).await.remove(0);
        receiver.arrived(1).await;
        for table in ["accounts", "subscriptions"] {
            accounts.change(format!("delete from {table}")).await;
        }
        assert_eq!(accounts.ended(&id).await, 2);
        assert_eq!(receiver.hooks().len(), 4);
        let kept = eventually("the attempts are kept", || async {
            let mut connection = database.connection().await;
            let sql = "select count(*) from attempts";
            sqlx::query_scalar::<_, i64>(sql).fetch_optional(&mut connection).await.unwrap()
        })
        .await;
        assert_eq!(kept, 4);
    }
}
