//! Who guesses passwords and keys is told to wait; who has the right key is heard all the same.

use super::{PASSWORD, wide};
use crate::support::{
    Database,
    stage::Stage,
    visitor::Visitor,
    wire::{User, get},
};

/// As many wrong keys as one address may send in a minute.
const GUESSES: usize = 100;

#[tokio::test]
async fn wrong_keys_of_the_api_are_answered_429_in_the_end_and_the_right_one_is_heard() {
    let stage = Stage::set(Database::sqlite()).await;
    let owner = stage.join("owner", "/owner").await;
    let path = format!("/v1/account/{}", owner.id);
    let guess = |number: usize| User { api_key: format!("{number:040}"), ..owner.clone() };
    for number in 0..GUESSES {
        assert_eq!(stage.wire.send(&get(&*path).by(&guess(number))).await.status, 401, "{number}");
    }
    let told = stage.wire.send(&get(&*path).by(&guess(0))).await;
    assert_eq!((told.status, &told.json["Error"]), (429, &"Too many wrong API keys from this address".into()));
    let wait: u64 = told.retry_after.parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let strange = User { username: "nobody".into(), ..guess(1) };
    assert_eq!(stage.wire.send(&get(&*path).by(&strange)).await.status, 429, "a name that there is not tells no more");
    assert_eq!(stage.wire.send(&get(&*path)).await.status, 401, "no key is no guess");
    assert_eq!(stage.wire.send(&get(&*path).by(&owner)).await.status, 200);
    // The page counts with the API.
    let mut visitor = Visitor::default();
    let fields = [("username", "owner"), ("api_key", "0")];
    assert_eq!(visitor.post(&stage.producer, "/account/login", &fields).await.status, 429);
    Visitor::signed_in(&stage.producer, &owner).await;
}

#[tokio::test]
async fn after_ten_wrong_passwords_the_right_one_is_not_heard_but_a_session_is() {
    let stage = wide().await;
    let mut before = Visitor::default();
    assert_eq!(before.post(&stage.producer, "/login", &[("password", PASSWORD)]).await.status, 303);
    let mut guesser = Visitor::default();
    for _ in 0..10 {
        assert_eq!(guesser.post(&stage.producer, "/login", &[("password", "wrong")]).await.status, 401);
    }
    for password in ["wrong", PASSWORD] {
        assert_eq!(guesser.post(&stage.producer, "/login", &[("password", password)]).await.status, 429);
    }
    let by_header = stage.producer.request("GET", "/batches").bearer_auth(PASSWORD).send().await.unwrap();
    assert_eq!(by_header.status(), 429);
    assert_eq!(before.get(&stage.producer, "/batches").await.status, 200);
}
