//! Deep pages of the lists by place: they are what counting from the first row would give, whatever came and went.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::time::now_us;
use serde_json::Value;

use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, Wire, delete, get},
};

/// Rows of each list, of which every second one is the owner's.
const ROWS: i64 = 2400;
const YEARS_AGO_US: i64 = 1_600_000_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

/// A list, who reads it, and the ids that it has, in its order.
struct List<'a> {
    path: &'static str,
    reader: &'a User,
    sql: String,
}

impl List<'_> {
    async fn page(&self, wire: &Wire, (start, limit): (usize, usize)) -> Vec<String> {
        let told = wire.send(&get(format!("{}?start={start}&limit={limit}", self.path)).by(self.reader)).await;
        assert!(matches!(told.status, 200 | 204), "{} {}", told.status, told.text);
        let lists = told.json.as_object().cloned().unwrap_or_default();
        let records = lists.values().filter_map(Value::as_array).flatten();
        records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Walks over it page by page, and jumps to and fro.
    async fn check(&self, stage: &Stage, wire: &Wire) {
        let whole = stage.texts(&self.sql).await;
        let walk = (0..whole.len() + 200).step_by(100).map(|start| (start, 100));
        let marks = [512, 1024, 1100, 1536, 999_999_999_999_999].map(|start| (start, 20));
        let jumps = (1..20).map(|number| (number * 977 % (whole.len() + 50), number * 37 % 100 + 1));
        for (start, limit) in marks.into_iter().chain(walk).chain(jumps) {
            let expected: Vec<String> = whole.iter().skip(start).take(limit).cloned().collect();
            assert_eq!(self.page(wire, (start, limit)).await, expected, "{} from {start}, {limit}", self.path);
        }
    }
}

fn list<'a>(path: &'static str, reader: &'a User, from: &str) -> List<'a> {
    List { path, reader, sql: format!("select id from {from} order by created_us, id") }
}

fn lists<'a>(stage: &'a Stage, owner: &'a User) -> [List<'a>; 6] {
    let own = |table| format!("{table} where account_id = '{}'", owner.id);
    [
        list("/v1/accounts", &stage.admin, "accounts"),
        list("/v1/webhook/registrations", &stage.admin, "registrations"),
        list("/v1/webhook/subscriptions", &stage.admin, "subscriptions"),
        list("/v1/webhook/triggered", &stage.admin, "triggered"),
        list("/v1/webhook/registration", owner, &own("registrations")),
        list("/v1/webhook/subscription", owner, &own("subscriptions")),
    ]
}

async fn check(stage: &Stage, lists: &[List<'_>]) {
    for list in lists {
        list.check(stage, &stage.wire).await;
    }
}

/// Fills all lists from this time on, three rows a second; their ids are in another order than their times.
async fn fill(stage: &Stage, owner: &User, from_us: i64) {
    let numbers = format!(
        "with recursive numbers (n) as (select cast(0 as bigint) union all select n + 1 from numbers where n < {})",
        ROWS - 1
    );
    let id = |letter: char| format!("'{letter}' || substr(cast(1000000 + (n * 7919) % {ROWS} as text), 2)");
    let (account, registration) = (id('a'), id('r'));
    let owner = format!("case when n % 2 = 0 then '{}' else {account} end", owner.id);
    let at = format!("{from_us} + (n / 3) * 1000000");
    for sql in [
        format!(
            "insert into secrets (id, account_id, sealed, created_ms) {numbers} \
             select {}, {account}, (select sealed from secrets order by id limit 1), 1 from numbers",
            id('k')
        ),
        format!(
            "insert into accounts (id, username, endpoint, api_key_sha256, secret_id, failed_count, created_us) {numbers} \
             select {account}, '\"filled ' || {account} || '\"', '\"\"', '', {}, 0, {at} from numbers",
            id('k')
        ),
        format!(
            "insert into registrations (id, account_id, description, event, event_data, created_us) {numbers} \
             select {registration}, {owner}, '\"d\"', '\"e\"', '{{}}', {at} from numbers"
        ),
        format!(
            "insert into subscriptions (id, registration_id, account_id, created_us) {numbers} \
             select {}, {registration}, {owner}, {at} from numbers",
            id('s')
        ),
        format!(
            "insert into triggered (id, registration_id, created_us) {numbers} select {}, {registration}, {at} from numbers",
            id('t')
        ),
    ] {
        stage.change(&sql).await;
    }
}

/// Makes one of each, now; gives the ids of the account, the registration and the subscription.
async fn make(stage: &Stage, owner: &User, name: &str) -> [String; 3] {
    let account = stage.join(name, "/ok").await;
    let registration = stage.wire.register(owner, &name.into(), "{}").await;
    let subscription = stage.wire.subscribe(owner, &registration).await;
    stage.wire.trigger(owner, &registration).await;
    [account.id, registration, subscription]
}

/// The id of a row in the middle; of two that are the owner's and that are not.
async fn middle(stage: &Stage, table: &str, condition: &str) -> String {
    let sql = format!("select id from {table} where {condition} order by created_us, id limit 1 offset 300");
    stage.texts(&sql).await.remove(0)
}

async fn ask(stage: &Stage, request: Request) {
    stage.wire.must(&request).await;
}

on_both! {
    async fn a_page_is_that_part_of_the_list_before_and_after_every_change(database: Database) {
        let stage = Stage::set(database).await;
        let (admin, owner) = (&stage.admin, stage.join("owner", "/ok").await);
        fill(&stage, &owner, YEARS_AGO_US).await;
        make(&stage, &owner, "first").await;
        let lists = lists(&stage, &owner);
        check(&stage, &lists).await;
        let account = middle(&stage, "accounts", "id in (select account_id from registrations)").await;
        ask(&stage, delete(format!("/v1/account/{account}")).by(admin)).await;
        check(&stage, &lists).await;
        let own = format!("account_id = '{}'", owner.id);
        let registration = middle(&stage, "registrations", &own).await;
        ask(&stage, delete(format!("/v1/webhook/registration/{registration}")).by(&owner)).await;
        check(&stage, &lists).await;
        let subscription = middle(&stage, "subscriptions", &own).await;
        ask(&stage, delete(format!("/v1/webhook/subscription/{subscription}")).by(&owner)).await;
        check(&stage, &lists).await;
        make(&stage, &owner, "second").await;
        check(&stage, &lists).await;
    }

    async fn what_was_emptied_is_paged_as_what_came_after(database: Database) {
        let stage = Stage::set(database).await;
        let (admin, owner) = (&stage.admin, stage.join("owner", "/ok").await);
        fill(&stage, &owner, YEARS_AGO_US).await;
        make(&stage, &owner, "first").await;
        let lists = lists(&stage, &owner);
        check(&stage, &lists).await;
        ask(&stage, delete("/v1/webhook/subscriptions").by(admin)).await;
        ask(&stage, delete("/v1/webhook/registrations").by(admin)).await;
        make(&stage, &owner, "second").await;
        check(&stage, &lists).await;
        ask(&stage, delete("/v1/accounts").by(admin)).await;
        check(&stage, &lists[..4]).await;
    }

    async fn a_row_that_comes_late_moves_those_after_it(database: Database) {
        let stage = Stage::set(database).await;
        let owner = stage.join("owner", "/ok").await;
        // What another producer made, whose clock is ahead.
        fill(&stage, &owner, now_us() + HOUR_US).await;
        let lists = lists(&stage, &owner);
        check(&stage, &lists).await;
        // With PostgreSQL nothing after the present time is marked, so there it shows in the versions only.
        let versions = "select version from lists order by name";
        let before = stage.texts(versions).await;
        make(&stage, &owner, "late").await;
        let after = stage.texts(versions).await;
        assert_eq!((before.len(), after.len()), (4, 4));
        assert!(before.iter().all(|version| !after.contains(version)), "{before:?} {after:?}");
        check(&stage, &lists).await;
    }

    async fn what_comes_at_the_end_leaves_the_versions_as_they_are(database: Database) {
        let stage = Stage::set(database).await;
        let owner = stage.join("owner", "/ok").await;
        fill(&stage, &owner, YEARS_AGO_US).await;
        check(&stage, &lists(&stage, &owner)).await;
        let versions = "select version from lists order by name";
        let before = stage.texts(versions).await;
        make(&stage, &owner, "timely").await;
        assert_eq!(stage.texts(versions).await, before);
    }

    async fn a_page_that_is_read_while_rows_go_is_of_one_moment(database: Database) {
        let stage = Stage::set(database).await;
        let owner = stage.join("owner", "/ok").await;
        fill(&stage, &owner, YEARS_AGO_US).await;
        stage.wire.register(&owner, &"newest".into(), "{}").await;
        let (_neighbour, wire) = stage.neighbour().await;
        let all = list("/v1/webhook/registrations", &stage.admin, "registrations");
        all.check(&stage, &wire).await;
        let whole = stage.texts(&all.sql).await;
        let gone = stage.texts("select id from registrations where id like 'r%' order by created_us, id limit 80").await;
        let (asked, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let deleting = async {
            for id in &gone {
                asked.fetch_add(1, SeqCst);
                ask(&stage, delete(format!("/v1/webhook/registration/{id}")).by(&stage.admin)).await;
                done.fetch_add(1, SeqCst);
            }
        };
        let reading = async {
            while done.load(SeqCst) < gone.len() {
                let least = done.load(SeqCst);
                let page = all.page(&wire, (1500, 3)).await;
                let most = asked.load(SeqCst);
                let fits = (least..=most).any(|count| page == whole[1500 + count..1503 + count]);
                assert!(fits, "{page:?} after {least} to {most} of {} deletions", gone.len());
            }
        };
        tokio::join!(deleting, reading);
        all.check(&stage, &wire).await;
    }
}

#[tokio::test]
async fn what_one_producer_deletes_another_pages_without() {
    let stage = Stage::set(Database::postgres().await).await;
    let owner = stage.join("owner", "/ok").await;
    fill(&stage, &owner, YEARS_AGO_US).await;
    let [_, _, newest] = make(&stage, &owner, "first").await;
    let (_neighbour, wire) = stage.neighbour().await;
    let lists = lists(&stage, &owner);
    let account = middle(&stage, "accounts", "id in (select account_id from registrations)").await;
    for gone in [format!("/v1/account/{account}"), format!("/v1/webhook/subscription/{newest}")] {
        for list in &lists {
            list.check(&stage, &wire).await;
        }
        ask(&stage, delete(gone).by(&stage.admin)).await;
        for list in &lists {
            list.check(&stage, &wire).await;
        }
    }
}
