//! What the built-in sets make of the payloads they are for.

use serde_json::{Value, json};

use super::{
    super::{Rules, input::Input},
    *,
};

fn read(headers: &[(&str, &str)], body: &Value) -> Reading {
    let lookup = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    Rules::default().read(&Input { body: &body.to_string(), headers: &lookup })
}

/// Reads each body and compares the set, the priority, the title and the owner.
fn check(headers: &[(&str, &str)], cases: &[(Value, [&str; 4])]) {
    for (body, [set, rank, title, owner]) in cases {
        let reading = read(headers, body);
        let name = match reading.rule {
            Some(Matched::BuiltIn(name)) => name,
            _ => "none",
        };
        let said = [
            name,
            reading.rank.as_str(),
            reading.title.as_deref().unwrap_or("-"),
            reading.owner.as_deref().unwrap_or("-"),
        ];
        assert_eq!(said, [*set, *rank, *title, *owner], "{body}");
    }
}

#[test]
fn every_set_can_be_read_and_its_rules_are_within_the_limits_of_everybodys() {
    for (name, text) in TEXTS {
        let rules = Set::read(name, text).unwrap().rules;
        let written = rules.iter().map(|rule| rule.written().clone()).collect();
        assert!(!Rules::new(written).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn tasks_and_what_nobody_knows() {
    check(
        &[],
        &[
            (json!({"batchid": "b", "id": 1, "owner": "Norma", "priority": "Major"}), ["task", "Major", "-", "-"]),
            (json!({"priority": "Urgent"}), ["none", "other", "-", "-"]),
            (json!({"dev": "do"}), ["none", "other", "-", "-"]),
            (json!({"event": "changed"}), ["changed", "other", "changed", "-"]),
            (json!({"event": "changed", "query": {"state": "open"}}), ["changed", "other", "changed", "-"]),
            (json!({"event": "changed", "title": "door"}), ["none", "other", "-", "-"]),
            (json!([7]), ["none", "other", "-", "-"]),
        ],
    );
}

#[test]
fn evok_devices() {
    let device = |dev: &str, circuit: &str, more: Value| {
        let mut device = json!({"dev": dev, "circuit": circuit});
        device.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        device
    };
    for (dev, circuit, more, rank, title, owner) in [
        ("ai", "1_01", json!({"value": 2.7, "unit": "V"}), "Low", "ai 1_01: 2.7 V", "ai 1_01"),
        ("ai", "1_01", json!({"value": "-Infinity", "unit": "V"}), "Moderate", "ai 1_01: not a number", "ai 1_01"),
        ("ai", "2_01", json!({"value": null, "unit": null}), "Low", "ai 2_01", "ai 2_01"),
        ("ai", "1", json!({"value": 9.1, "unit": "V", "priority": "Critical"}), "Critical", "ai 1: 9.1 V", "ai 1"),
        ("di", "1_01", json!({"value": 1}), "Low", "di 1_01: 1", "di 1_01"),
        ("relay", "1_03", json!({"relay_type": "digital", "value": 0}), "Low", "relay 1_03: 0", "relay 1_03"),
        ("do", "1_02", json!({"value": 1, "alias": "pump"}), "Low", "pump: 1", "pump"),
        ("data_point", "18", json!({"value": 812.5, "name": "CO2", "unit": "ppm"}), "Low", "CO2: 812.5 ppm", "CO2"),
        ("data_point", "26", json!({"value": 98.0, "name": "VOC", "unit": "N/A"}), "Low", "VOC: 98", "VOC"),
        ("data_point", "26", json!({"value": "NaN", "name": "VOC"}), "Moderate", "VOC: not a number", "VOC"),
        ("temp", "28", json!({"value": 47.05, "lost": false}), "Low", "temp 28: 47.05", "temp 28"),
        ("temp", "28", json!({"value": 47.05, "lost": true}), "Major", "temp 28: lost", "temp 28"),
        ("wd", "1", json!({"value": 1, "was_wd_reset": 0}), "Low", "wd 1: 1", "wd 1"),
        ("wd", "1", json!({"was_wd_reset": 1}), "Major", "wd 1: the watchdog has reset the device", "wd 1"),
        ("modbus_slave", "1", json!({"last_comm": 0.0036}), "Low", "modbus_slave 1", "modbus_slave 1"),
        ("modbus_slave", "1", json!({"stale": true}), "Major", "modbus_slave 1: silent", "modbus_slave 1"),
        (
            "modbus_slave",
            "1",
            json!({"last_comm": 61.5}),
            "Major",
            "modbus_slave 1: silent for 61.5 s",
            "modbus_slave 1",
        ),
        (
            "modbus_slave",
            "1",
            json!({"last_comm": 2_147_483_647}),
            "Major",
            "modbus_slave 1: has never answered",
            "modbus_slave 1",
        ),
        ("unheard_of", "7", json!({}), "Low", "unheard_of 7", "unheard_of 7"),
    ] {
        check(&[], &[(device(dev, circuit, more), ["evok", rank, title, owner])]);
    }
}

/// Each is an event of a repository, with what is its own.
fn check_github(cases: &[(&str, Value, &str, &str)]) {
    for (event, own, rank, title) in cases {
        let mut body = json!({"sender": {"login": "octocat"}, "repository": {"full_name": "octo/hello"}});
        body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        check(&[("x-github-event", event)], &[(body, ["github", rank, title, "octocat"])]);
    }
}

#[test]
fn what_happens_on_github() {
    check_github(&[
        ("push", json!({"ref": "refs/heads/main"}), "Low", "push to octo/hello"),
        ("ping", json!({"zen": "Keep it logically awesome."}), "Low", "ping from octo/hello"),
        (
            "pull_request",
            json!({"action": "opened", "pull_request": {"title": "Fix it"}}),
            "Low",
            "pull_request opened: Fix it",
        ),
        (
            "issue_comment",
            json!({"action": "created", "issue": {"title": "Broken"}}),
            "Low",
            "issue_comment created: Broken",
        ),
        ("star", json!({"action": "created"}), "Low", "star created in octo/hello"),
        ("create", json!({"ref": "v1", "ref_type": "tag"}), "Low", "create v1 in octo/hello"),
    ]);
    check(&[("x-github-event", "ping")], &[(json!({"zen": "x"}), ["github", "Low", "ping", "-"])]);
}

#[test]
fn what_fails_on_github() {
    let run =
        |conclusion: &str| json!({"action": "completed", "workflow_run": {"name": "CI", "conclusion": conclusion}});
    let deployment = json!({"deployment_status": {"state": "failure", "environment": "prod"}});
    check_github(&[
        ("workflow_run", run("failure"), "Major", "workflow CI: failure in octo/hello"),
        ("workflow_run", run("success"), "Low", "workflow_run completed: CI"),
        (
            "workflow_job",
            json!({"workflow_job": {"name": "lint", "conclusion": "timed_out"}}),
            "Major",
            "job lint: timed_out in octo/hello",
        ),
        (
            "check_run",
            json!({"check_run": {"name": "test", "conclusion": "failure"}}),
            "Major",
            "check test: failure in octo/hello",
        ),
        (
            "check_suite",
            json!({"check_suite": {"conclusion": "failure"}}),
            "Major",
            "check suite: failure in octo/hello",
        ),
        ("status", json!({"state": "error", "context": "ci/build"}), "Major", "ci/build: error in octo/hello"),
        ("deployment_status", deployment, "Major", "deployment to prod: failure in octo/hello"),
    ]);
}

#[test]
fn what_is_not_safe_on_github() {
    let dependency = |action: &str, severity: &str| json!({"action": action, "alert": {"security_advisory": {"severity": severity, "summary": "Pollution"}}});
    let code = |rule: Value| json!({"action": "created", "alert": {"rule": rule}});
    let critical = code(json!({"security_severity_level": "critical", "description": "SQL injection"}));
    let note = code(json!({"severity": "note", "description": "Unused"}));
    let package = json!({"action": "create", "alert": {"severity": "moderate", "affected_package_name": "rack"}});
    let advisory = json!({"action": "published", "security_advisory": {"severity": "high", "summary": "Bad"}});
    check_github(&[
        ("dependabot_alert", dependency("created", "critical"), "Critical", "dependabot_alert created: Pollution"),
        ("dependabot_alert", dependency("created", "high"), "Major", "dependabot_alert created: Pollution"),
        ("dependabot_alert", dependency("reopened", "medium"), "Moderate", "dependabot_alert reopened: Pollution"),
        ("dependabot_alert", dependency("created", "low"), "Low", "dependabot_alert created: Pollution"),
        ("dependabot_alert", dependency("fixed", "critical"), "Low", "dependabot_alert fixed: Pollution"),
        ("code_scanning_alert", critical, "Critical", "code_scanning_alert created: SQL injection"),
        ("code_scanning_alert", note, "Major", "code_scanning_alert created: Unused"),
        (
            "secret_scanning_alert",
            json!({"action": "created", "alert": {"secret_type": "npm"}}),
            "Critical",
            "secret_scanning_alert created: npm",
        ),
        ("repository_vulnerability_alert", package, "Moderate", "repository_vulnerability_alert create: rack"),
        ("security_advisory", advisory, "Major", "security_advisory published: Bad"),
    ]);
}

#[test]
fn grafana_and_alertmanager() {
    let alert = |status: &str, labels: Value| {
        json!({
            "version": "4", "receiver": "team-blue", "status": status, "groupLabels": {}, "commonLabels": labels,
            "commonAnnotations": {}, "alerts": [{"status": status, "labels": labels}], "externalURL": "http://am:9093",
        })
    };
    let named = |severity: &str| alert("firing", json!({"alertname": "Down", "severity": severity}));
    let mut grouped = named("critical");
    grouped["groupLabels"] = json!({"alertname": "HighCPU"});
    grouped["commonAnnotations"] = json!({"summary": "95 % for 5 min"});
    let mut grafana = alert("firing", json!({}));
    grafana["title"] = json!("[FIRING:2] (team blue)");
    check(
        &[],
        &[
            (named("critical"), ["alerts", "Critical", "Down", "team-blue"]),
            (named("page"), ["alerts", "Critical", "Down", "team-blue"]),
            (named("error"), ["alerts", "Major", "Down", "team-blue"]),
            (named("high"), ["alerts", "Major", "Down", "team-blue"]),
            (named("warning"), ["alerts", "Moderate", "Down", "team-blue"]),
            (named("info"), ["alerts", "Low", "Down", "team-blue"]),
            (named("P7"), ["alerts", "Moderate", "Down", "team-blue"]),
            (
                alert("resolved", json!({"alertname": "Down", "severity": "critical"})),
                ["alerts", "Low", "Down: resolved", "team-blue"],
            ),
            (grouped, ["alerts", "Critical", "HighCPU: 95 % for 5 min", "team-blue"]),
            (grafana, ["alerts", "Moderate", "[FIRING:2] (team blue)", "team-blue"]),
        ],
    );
}

#[test]
fn cloudevents() {
    let event = json!({"specversion": "1.0", "id": "1", "type": "com.example.made", "source": "/shop", "subject": "order 7", "data": {}});
    let mut severe = event.clone();
    severe["data"] = json!({"severity": "critical"});
    severe.as_object_mut().unwrap().remove("subject");
    check(
        &[],
        &[
            (event, ["cloudevents", "other", "com.example.made: order 7", "/shop"]),
            (severe, ["cloudevents", "Critical", "com.example.made", "/shop"]),
        ],
    );
    let headers = [("ce-specversion", "1.0"), ("ce-type", "made"), ("ce-source", "/shop"), ("ce-subject", "7")];
    check(&headers, &[(json!({"a": 1}), ["cloudevents", "other", "made: 7", "/shop"])]);
    check(&headers, &[(json!({"severity": "warn"}), ["cloudevents", "Moderate", "made: 7", "/shop"])]);
    check(&headers[..2], &[(json!([1]), ["cloudevents", "other", "made", "-"])]);
}
