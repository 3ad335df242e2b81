//! PostgreSQL restarts, crashes, or drops connections: what was accepted is there, and everything goes on by itself.

use super::{Expected, Trial, often, ready};
use crate::support::postgres::PostgresServer;
use crate::support::stack::{Mode, Settings, Stack};

const MODE: Mode = Mode::PostgresAndRedis;
const DOWN: &[(&str, &str)] = &[("database", "down")];

async fn begin(fault: &str, server: &PostgresServer) -> Trial {
    let settings = Settings { postgres: Some(server.url()), ..Settings::default() };
    Trial::begin(fault, MODE, Stack::start_with(MODE, settings).await).await
}

#[tokio::test]
async fn a_postgres_that_restarts_or_crashes_loses_nothing_that_was_accepted() {
    let server = PostgresServer::start();
    let mut trial = begin("PostgreSQL restarts (fast), or crashes (immediate)", &server).await;
    for round in 0..often(2, 20) {
        trial.goes_on_to_a_moment(100).await;
        trial.hurts();
        server.stop(["fast", "immediate"][round % 2]);
        for service in trial.services() {
            ready::says(&trial.stack.client, service, 503, DOWN).await;
        }
        server.go_on();
        trial.heals().await;
    }
    assert!(trial.load.refusals() > 0, "the senders were told");
    trial.ends(&Expected::default()).await;
}

#[tokio::test]
async fn connections_that_postgres_drops_lose_nothing_that_was_accepted() {
    let server = PostgresServer::start();
    let mut trial = begin("PostgreSQL drops every connection", &server).await;
    for _ in 0..often(3, 30) {
        trial.goes_on_to_a_moment(100).await;
        trial.hurts();
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'hookcast%'");
        trial.heals().await;
    }
    trial.ends(&Expected::default()).await;
}

/// What a commit waits for is a setting of each session; only the server's own log shows it from outside.
#[tokio::test]
async fn durability_sets_what_a_commit_in_postgres_waits_for() {
    let server = PostgresServer::start();
    server.sql("alter system set log_statement = 'all'");
    server.sql("select pg_reload_conf()");
    for (durability, commit) in [("full", "on"), ("normal", "off")] {
        let own = || vec![("DURABILITY", durability.to_owned())];
        let settings = Settings { postgres: Some(server.url()), consumer: own(), producer: own() };
        let before = server.said().len();
        let _stack = Stack::start_with(MODE, settings).await;
        let said = server.said().split_off(before);
        let set = |value: &str| said.matches(&format!("set synchronous_commit = {value};")).count();
        let other = if commit == "on" { "off" } else { "on" };
        assert!(set(commit) >= 2 && set(other) == 0, "{durability} should set {commit}");
    }
}
