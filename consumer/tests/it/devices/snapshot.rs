//! The state that a device tells when it starts is no burst of alarms.

use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

fn array(readings: &[(&str, i64, &str)]) -> String {
    let one = |(circuit, value, priority): &(&str, i64, &str)| {
        format!(r#"{{"dev":"ai","circuit":"{circuit}","value":{value},"priority":"{priority}"}}"#)
    };
    format!("[{}]", readings.iter().map(one).collect::<Vec<_>>().join(","))
}

/// The priority of each event and whether it is marked.
async fn told(app: &TestApp) -> Vec<(Value, Value)> {
    app.events().await.iter().map(|event| (event["priority"].clone(), event["snapshot"].clone())).collect()
}

#[tokio::test]
async fn a_first_state_is_marked_and_raises_no_alarm_and_what_changed_meanwhile_does() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(array(&[("1", 5, "Critical"), ("2", 5, "Major"), ("3", 5, "Low")])).await;
        let calm = (json!("Low"), json!(true));
        assert_eq!(told(&app).await, [calm.clone(), calm.clone(), calm.clone()]);
        // The controller starts again: one of its devices is in another state by now, one is new.
        app.take(array(&[("1", 5, "Critical"), ("2", 9, "Major"), ("3", 5, "Low"), ("4", 1, "Critical")])).await;
        assert_eq!(told(&app).await[3..], [(json!("Major"), json!(true)), calm]);
        let counts = app.json("/api/counts").await;
        assert_eq!((&counts["Low"], &counts["Major"], &counts["Critical"]), (&json!(4), &json!(1), &json!(0)));
        let html = app.get("/events/@4").await.text().await.unwrap();
        assert!(html.contains(">snapshot</span>") && html.contains(r#"<a href="/devices/2">"#), "{html}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn changes_and_a_lone_first_reading_are_no_snapshot() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(array(&[("1", 5, "Critical")])).await;
        app.take(array(&[("2", 5, "Critical")])).await;
        app.take(array(&[("1", 6, "Critical"), ("2", 6, "Critical"), ("3", 6, "Critical")])).await;
        assert_eq!(told(&app).await, vec![(json!("Critical"), json!(false)); 5]);
        app.end().await;
    })
    .await;
}
