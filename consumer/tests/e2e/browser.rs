//! The pages in a real browser: scripts in `tests/browser` do what a person does, the test does things to the programs.

use std::time::Duration;

use crate::support::peer::Peer;
use crate::support::stack::{Mode, Stack};

/// For the longest step of a script that says nothing meanwhile.
const LONG: Duration = Duration::from_mins(6);

#[tokio::test]
async fn the_dashboard_shows_every_task_of_the_button_without_a_reload_and_after_one() {
    play("press_the_button.mjs").await;
}

#[tokio::test]
async fn the_button_works_with_no_field_touched() {
    play("untouched_button.mjs").await;
}

#[tokio::test]
async fn the_button_works_without_javascript() {
    play("without_script.mjs").await;
}

#[tokio::test]
async fn a_reading_of_this_machine_is_sent_by_a_press_of_the_button() {
    play("hardware.mjs").await;
}

#[tokio::test]
async fn the_dashboard_is_exact_after_the_consumer_was_killed() {
    play("outage.mjs").await;
}

#[tokio::test]
async fn the_dashboard_comes_back_after_it_was_turned_away() {
    play("refused_socket.mjs").await;
}

#[tokio::test]
async fn what_a_page_counts_is_kept_true_and_what_is_typed_beside_it_stays() {
    play("live_parts.mjs").await;
}

#[tokio::test]
async fn who_reads_keeps_the_place_while_events_come() {
    play("reading.mjs").await;
}

#[tokio::test]
async fn a_refused_form_comes_back_with_the_error_beside_its_field() {
    play("refused_form.mjs").await;
}

#[tokio::test]
async fn hostile_text_stays_text() {
    play("hostile_text.mjs").await;
}

#[tokio::test]
async fn devices_are_followed_without_a_reload() {
    play("readings.mjs").await;
}

#[tokio::test]
async fn an_account_makes_its_webhooks_and_watches_them_arrive() {
    play("own_webhooks.mjs").await;
}

#[tokio::test]
async fn an_operator_guards_a_source_and_sees_every_kind_of_sender() {
    play("sources.mjs").await;
}

#[tokio::test]
async fn screens_are_paired_and_do_what_they_are_told() {
    play("screens.mjs").await;
}

#[tokio::test]
async fn an_administrator_makes_keys_and_actions_and_reads_what_became_of_them() {
    play("actions.mjs").await;
}

#[tokio::test]
async fn every_page_is_accessible_in_every_look() {
    play("every_page.mjs").await;
}

#[tokio::test]
async fn every_page_of_accounts_is_accessible_in_every_look() {
    play("every_account_page.mjs").await;
}

/// Plays a script to its end, and does what it asks for on the way.
async fn play(script: &str) {
    let mut stack = Stack::start(Mode::Embedded).await;
    let mut person = Peer::node(script, &[&stack.producer.url, &stack.consumer.url]);
    while let Some(line) = person.line(LONG).await {
        match line.as_str() {
            "@kill consumer" => stack.consumer.process.kill(),
            "@start consumer" => {
                stack.consumer.process.start_again();
                stack.consumer.ready(&stack.client).await;
            }
            "@admin keys" => {
                let said = stack.producer.process.said();
                let keys = said.lines().find(|line| line.starts_with("{'secret_key'"));
                person.say(keys.expect("the administrator's keys are printed at the first start")).await;
                continue;
            }
            other => panic!("{script} says {other}"),
        }
        person.say("done").await;
    }
    person.succeed(LONG).await;
}
