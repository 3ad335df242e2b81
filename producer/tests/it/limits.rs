//! Rate limits of subscriptions and of accounts.

use std::time::{Duration, Instant};

use crate::support::{Accounts, Answer, Database, Receiver, Subscription};

/// Two subscriptions of one account with four events each, queued at once; gives the time from then to the last arrival.
async fn eight(database: &Database, subscription: i64, account: i64) -> Duration {
    let receiver = Receiver::start().await;
    receiver.always(Answer::json());
    let (_producer, mut accounts) = Accounts::start(database).await;
    let owner = accounts.account(&receiver.url()).await;
    accounts.change(format!("update accounts set rate_per_minute = {account}")).await;
    let limited = || Subscription { rate_per_minute: subscription, ..Subscription::of(&owner) };
    let both = [limited(), limited()];
    accounts.subscribe(&both[0]).await;
    accounts.subscribe(&both[1]).await;
    let started = Instant::now();
    accounts.trigger(None, "{}", &[&both[..], &both, &both, &both].concat()).await;
    receiver.arrived(8).await[7].at - started
}

on_both! {
    async fn a_subscription_gets_no_more_than_its_rate(database: Database) {
        let took = eight(&database, 300, 0).await;
        assert!(took >= Duration::from_millis(3 * 200), "four slots of 200 ms each, two lines at once: {took:?}");
    }

    async fn an_account_gets_no_more_than_it_allows_over_all_its_subscriptions(database: Database) {
        let took = eight(&database, 0, 300).await;
        assert!(took >= Duration::from_millis(7 * 200), "eight slots of 200 ms: {took:?}");
    }

    async fn the_narrower_of_two_limits_holds(database: Database) {
        let took = eight(&database, 6000, 600).await;
        assert!(took >= Duration::from_millis(7 * 100), "eight slots of 100 ms: {took:?}");
    }
}

#[tokio::test]
async fn two_producers_on_one_database_keep_one_limit_together() {
    let (database, receiver) = (Database::postgres().await, Receiver::start().await);
    receiver.always(Answer::json());
    let (_one, mut accounts) = Accounts::start(&database).await;
    let (_other, _) = Accounts::start(&database).await;
    let account = accounts.account(&receiver.url()).await;
    let subscription = Subscription { rate_per_minute: 600, ..Subscription::of(&account) };
    accounts.subscribe(&subscription).await;
    let started = Instant::now();
    accounts.trigger(None, "{}", &vec![subscription; 12]).await;
    let took = receiver.arrived(12).await[11].at - started;
    assert!(took >= Duration::from_millis(11 * 100), "{took:?}");
}
