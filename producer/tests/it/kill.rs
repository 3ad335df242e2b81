//! The program killed in the middle of an event: whatever was answered 201 is delivered, and the table tells what was.

use std::{collections::HashSet, net::SocketAddr, process::Stdio};

use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::process::{Child, Command};

use crate::support::{
    Database, Receiver,
    endpoint::{Call, Endpoint},
    eventually, http,
    stage::{SECRET_KEY, initialise},
    wire::{User, Wire},
};

const DELIVERIES: usize = 5000;
/// When it is killed.
const ARRIVED: usize = 1000;
/// What a crash may send again: what is under way (256 by default), answered and not yet recorded (256), and as much in one commit, with room.
const REPEATS: usize = 850;
const PATH: &str = "/subscriber";

/// The built program, serving.
struct Program {
    child: Child,
    wire: Wire,
}

impl Program {
    async fn start(database: &Database, address: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
        command.env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.env("LISTEN", address.to_string()).env("DATABASE_URL", &database.url).env("SECRET_KEY", SECRET_KEY);
        command.env("DURABILITY", "full").env("WAIT_TIME", "0").env("DELIVERY_TIMEOUT", "1s");
        let child = command.spawn().unwrap();
        let (client, ready) = (http(), format!("http://{address}/readyz"));
        eventually("the program is ready", || async {
            client.get(&ready).send().await.ok().filter(|response| response.status().is_success())
        })
        .await;
        Self { child, wire: Wire::new(address, client) }
    }

    /// Ends it by SIGKILL.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Lets the user subscribe 5 000 times.
async fn subscribe(database: &Database, user: &User, registration: &str) {
    let sql = format!(
        "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {DELIVERIES}) \
         insert into subscriptions (id, registration_id, account_id, created_us) \
         select 'subscription-' || cast(n as text), '{registration}', '{}', n from numbers",
        user.id
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&mut database.connection().await).await.unwrap();
}

async fn number(database: &Database, sql: &'static str) -> usize {
    let number: i64 = sqlx::query_scalar(sql).fetch_one(&mut database.connection().await).await.unwrap();
    number.try_into().unwrap()
}

async fn ids(database: &Database, sql: &'static str) -> HashSet<String> {
    let ids: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut database.connection().await).await.unwrap();
    ids.into_iter().collect()
}

fn webhook_ids(calls: &[Call]) -> HashSet<String> {
    calls.iter().map(|call| call.text("webhook-id").to_owned()).collect()
}

on_both! {
    async fn an_event_in_the_middle_of_which_the_program_is_killed_reaches_everybody(database: Database) {
        let (endpoint, address) = (Endpoint::start().await, Receiver::nobody().await);
        initialise(&database).await;
        let program = Program::start(&database, address).await;
        let user = program.wire.join("subscriber", &endpoint.url(PATH)).await;
        let registration = program.wire.register(&user, &json!("e"), r#"{"n": 1}"#).await;
        subscribe(&database, &user, &registration).await;
        let waits = "select count(*) from deliveries where state <> 1";
        let all_delivered = || async { (number(&database, waits).await == 0).then_some(()) };
        // An event before: of the next one, a thousand are sent without being claimed.
        program.wire.trigger(&user, &registration).await;
        eventually("the first event is delivered", all_delivered).await;
        program.wire.trigger(&user, &registration).await;
        let arrived = || async { (endpoint.count("POST", PATH) >= DELIVERIES + ARRIVED).then_some(()) };
        eventually("the first deliveries of the second", arrived).await;
        program.kill().await;

        let recorded = ids(&database, "select id from deliveries where state = 1").await;
        let arrived = webhook_ids(&endpoint.calls("POST", PATH));
        assert!(recorded.len() < 2 * DELIVERIES, "it was killed too late");
        assert!(recorded.is_subset(&arrived), "something is called delivered that never arrived");

        let program = Program::start(&database, address).await;
        eventually("everything is delivered", all_delivered).await;
        program.kill().await;

        let calls = endpoint.calls("POST", PATH);
        let expected = ids(&database, "select id from deliveries").await;
        assert_eq!(expected.len(), 2 * DELIVERIES);
        assert_eq!(webhook_ids(&calls), expected, "each has an id of its own, and none is lost");
        let repeats = calls.len() - 2 * DELIVERIES;
        assert!(repeats <= REPEATS, "{repeats} were sent again");
        assert_eq!(number(&database, "select count(distinct delivery_id) from attempts").await, 2 * DELIVERIES);
    }
}
