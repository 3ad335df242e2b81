//! Lines: each subscription's own, in order where it asks for that, and none delays another.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use crate::support::{Accounts, Answer, Database, Receiver, Subscription, redis_url};

on_both! {
    async fn a_failing_head_holds_its_own_line_only_and_the_order_stays(database: Database) {
        let receiver = Receiver::start().await;
        let (beside, heads) = (AtomicUsize::new(0), AtomicUsize::new(0));
        receiver.answer(move |_, hook| match hook.path.as_str() {
            // The first attempt fails even where all beside it are faster.
            "/ordered" if hook.task() == 0 && (heads.fetch_add(1, Relaxed) == 0 || beside.load(Relaxed) < 10) => {
                Answer::status(500)
            }
            "/ordered" => Answer::json(),
            _ => {
                beside.fetch_add(1, Relaxed);
                Answer::json()
            }
        });
        let mut settings = Accounts::settings(&database);
        settings.default_retry = Duration::from_secs(1);
        let (_producer, mut accounts) = Accounts::run(&database, settings).await;
        let place = |path: &str| format!("http://{}/{path}", receiver.address);
        let (ordered, free) = (accounts.account(&place("ordered")).await, accounts.account(&place("free")).await);
        let ordered = Subscription { fifo: true, ..Subscription::of(&ordered) };
        let both = [ordered.clone(), Subscription::of(&free)];
        for subscription in &both {
            accounts.subscribe(subscription).await;
        }
        let mut last = String::new();
        for number in 0..10 {
            last = accounts.trigger(None, &number.to_string(), &both).await.remove(0);
        }
        assert_eq!(accounts.ended(&last).await, 1);
        let hooks = receiver.hooks().into_iter().filter(|hook| hook.path == "/ordered");
        let ordered: Vec<i64> = hooks.map(|hook| hook.task().as_i64().unwrap()).collect();
        let heads = ordered.iter().take_while(|number| **number == 0).count();
        assert!((2..=4).contains(&heads), "it failed until the ten beside it had arrived: {ordered:?}");
        assert_eq!(ordered[heads..], (1..10).collect::<Vec<i64>>());
    }

    async fn a_line_in_order_is_not_slower_than_its_receiver(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::json());
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let account = accounts.account(&receiver.url()).await;
        let subscription = Subscription { fifo: true, ..Subscription::of(&account) };
        accounts.subscribe(&subscription).await;
        for number in 0..60 {
            accounts.trigger(None, &number.to_string(), std::slice::from_ref(&subscription)).await;
        }
        let hooks = receiver.arrived(60).await;
        let order: Vec<i64> = hooks.iter().map(|hook| hook.task().as_i64().unwrap()).collect();
        assert_eq!(order, (0..60).collect::<Vec<i64>>());
        assert!(hooks[59].at - hooks[0].at < Duration::from_secs(20), "no poll lies between two of them");
    }

    async fn one_silent_endpoint_among_a_thousand_does_not_delay_the_others(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|_, hook| if hook.path == "/0" { Answer::json().after(Duration::from_mins(1)) } else { Answer::json() });
        let (_producer, mut accounts) = Accounts::start(&database).await;
        let mut all = Vec::new();
        accounts.change("begin".into()).await;
        for number in 0..1000 {
            let account = accounts.account(&format!("http://{}/{number}", receiver.address)).await;
            all.push(Subscription::of(&account));
        }
        accounts.change("commit".into()).await;
        let silent: Vec<Subscription> = (0..100).map(|_| all[0].clone()).collect();
        accounts.trigger(None, "{}", &silent).await;
        let ids = accounts.trigger(None, "{}", &all).await;
        for id in &ids[1..] {
            assert_eq!(accounts.ended(id).await, 1);
        }
        let others: HashSet<String> =
            receiver.hooks().into_iter().map(|hook| hook.path).filter(|path| path != "/0").collect();
        assert_eq!(others.len(), 999);
        let waits = format!("select count(*) from deliveries where state = 0 and account_id = '{}'", all[0].account.id);
        assert_eq!(accounts.number(waits).await, Some(101), "it is silent all the while");
    }
}

#[tokio::test]
async fn two_producers_keep_one_order_and_send_one_at_a_time() {
    let (database, receiver) = (Database::postgres().await, Receiver::start().await);
    let takes = Duration::from_millis(20);
    receiver.always(Answer::json().after(takes));
    let mut settings = Accounts::settings(&database);
    settings.common.broker_url = Some(redis_url());
    let (_one, mut accounts) = Accounts::run(&database, settings.clone()).await;
    let (_other, _) = Accounts::run(&database, settings).await;
    let account = accounts.account(&receiver.url()).await;
    let subscription = Subscription { fifo: true, ..Subscription::of(&account) };
    accounts.subscribe(&subscription).await;
    for number in 0..50 {
        accounts.trigger(None, &number.to_string(), std::slice::from_ref(&subscription)).await;
    }
    let hooks = receiver.arrived(50).await;
    let order: Vec<i64> = hooks.iter().map(|hook| hook.task().as_i64().unwrap()).collect();
    assert_eq!(order, (0..50).collect::<Vec<i64>>());
    assert!(hooks.windows(2).all(|pair| pair[1].at - pair[0].at >= takes));
}
