//! Section J: what a subscriber's endpoint sees, and what counts as taken.

use serde_json::{Value, json};

use super::{is_signed, registered, sheet::Sheet};
use crate::support::{
    Database,
    endpoint::{Call, Say},
    stage::Stage,
    wire::User,
};

on_both! {
    async fn section_j(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let owner = stage.join("owner", "/owner").await;
        wire_form(&sheet, &stage, &owner).await;
        events(&sheet, &stage, &owner).await;
        answers(&sheet, &stage, &owner).await;
        redirects(&sheet, &stage, &owner).await;
        recovery(&sheet, &stage, &owner).await;
        stage.two_retries_later("marker").await;
        nothing_more(&sheet, &stage);
        sheet.end();
    }
}

async fn wire_form(sheet: &Sheet, stage: &Stage, owner: &User) {
    let data = r#"{"message":"zoë","items":[{"item1":1},{"item2":2.50}]}"#;
    let registration = stage.wire.register(owner, &json!("ev.t"), data).await;
    let one = stage.follower("one", &registration).await;
    let twice = stage.follower("twice", &registration).await;
    stage.wire.subscribe(&twice, &registration).await;
    stage.wire.trigger(owner, &registration).await;
    let mut calls = stage.endpoint.arrived("POST", "/twice", 2).await;
    for call in &calls {
        sheet.holds("J4", is_signed(call, &twice.secret_key), "another signature");
    }
    calls.extend(stage.endpoint.arrived("POST", "/one", 1).await);
    for call in &calls {
        let seen = ["accept", "content-type", "event"].map(|name| call.text(name));
        sheet.same("J2", &seen, &["application/json", "application/json", "ev.t"]);
        for name in ["api-key", "username", "transfer-encoding"] {
            sheet.holds("J2", call.header(name).is_none(), &format!("there is a header {name}"));
        }
        sheet.same("J2", &call.text("host"), &stage.endpoint.address.to_string().as_str());
        sheet.same("J2", &call.text("content-length"), &call.body.len().to_string().as_str());
        let body = r#"{"items": [{"item1": 1}, {"item2": 2.5}], "message": "zo\u00eb"}"#;
        sheet.same("J3", &String::from_utf8_lossy(&call.body).as_ref(), &body);
    }
    let call = &calls[2];
    sheet.holds(
        "J4",
        is_signed(call, &one.secret_key),
        &format!("the signature is {}", call.text("pywebhooks-signature")),
    );
}

/// The header `event` holds the event's bytes in Latin-1, or is absent.
async fn events(sheet: &Sheet, stage: &Stage, owner: &User) {
    let cases: [(&str, &str, Value, Option<&[u8]>); 4] = [
        ("J8", "blank", json!(""), None),
        ("J8", "null", Value::Null, None),
        ("J9", "latin", json!("café"), Some(b"caf\xe9")),
        ("J2", "inner", json!("a b,c"), Some(b"a b,c")),
    ];
    for (id, name, event, header) in cases {
        let registration = stage.wire.register(owner, &event, "{}").await;
        let user = stage.follower(name, &registration).await;
        stage.wire.trigger(owner, &registration).await;
        let call = stage.endpoint.arrived("POST", &format!("/{name}"), 1).await[0].clone();
        sheet.same(id, &call.header("event"), &header);
        sheet.holds(id, is_signed(&call, &user.secret_key), &format!("{name}: another signature"));
        sheet.same(id, &call.text("content-type"), &"application/json");
    }
}

/// Bodies that are JSON of any kind, with status 200.
const TAKEN: [(&str, &str); 6] = [
    ("object", "{}"),
    ("list", "[1]"),
    ("text", "\"x\""),
    ("nothing", "null"),
    ("number", " 5 "),
    ("echo", r#"{"a":1}"#),
];

async fn answers(sheet: &Sheet, stage: &Stage, owner: &User) {
    for (name, body) in TAKEN {
        let registration = registered(stage, owner, "e").await;
        stage.endpoint.script("POST", &format!("/{name}"), Say::text(body));
        let user = stage.follower(name, &registration).await;
        stage.wire.trigger(owner, &registration).await;
        stage.endpoint.arrived("POST", &format!("/{name}"), 1).await;
        sheet.same("J11", &stage.wire.account(&user).await["failed_count"], &json!(0));
    }
}

/// After four failures one success makes the count 0.
async fn recovery(sheet: &Sheet, stage: &Stage, owner: &User) {
    let registration = registered(stage, owner, "e").await;
    stage.endpoint.script("POST", "/recovers", Say::status(500));
    let user = stage.follower("recovers", &registration).await;
    stage.wire.trigger(owner, &registration).await;
    stage.failed(&user, 4).await;
    stage.endpoint.script("POST", "/recovers", Say::json(&json!([])));
    stage.wire.trigger(owner, &registration).await;
    stage.failed(&user, 0).await;
    sheet.same("J11", &stage.endpoint.calls("POST", "/recovers").len(), &5);
}

const REDIRECTS: [(u16, &str, &str, &str); 5] = [
    (301, "from301", "/to301", "GET"),
    (302, "from302", "/to302", "GET"),
    (303, "from303", "/to303", "GET"),
    (307, "from307", "/to307", "POST"),
    (308, "from308", "/to308", "POST"),
];

async fn redirects(sheet: &Sheet, stage: &Stage, owner: &User) {
    for (status, name, to, method) in REDIRECTS {
        let registration = stage.wire.register(owner, &json!("ev.r"), r#"{"a":1}"#).await;
        stage.endpoint.script("POST", &format!("/{name}"), Say::redirect(status, to));
        let user = stage.follower(name, &registration).await;
        stage.wire.trigger(owner, &registration).await;
        let first = stage.endpoint.arrived("POST", &format!("/{name}"), 1).await[0].clone();
        let call = stage.endpoint.arrived(method, to, 1).await[0].clone();
        let id = if method == "POST" { "J15" } else { "J16" };
        sheet.same(id, &call.target.as_str(), &to);
        let signed = is_signed(&first, &user.secret_key);
        sheet.holds(id, signed, &format!("{status}: the first request has another signature"));
        for name in ["pywebhooks-signature", "event"] {
            sheet.same(id, &call.header(name), &first.header(name));
        }
        followed(sheet, id, &first, &call);
    }
}

fn followed(sheet: &Sheet, id: &str, first: &Call, call: &Call) {
    if call.method == "POST" {
        sheet.same(id, &call.body, &first.body);
        sheet.same(id, &call.text("content-type"), &"application/json");
    } else {
        sheet.holds(id, call.body.is_empty(), "the GET has a body");
        sheet.same(id, &call.header("content-type"), &None);
        sheet.holds(id, matches!(call.text("content-length"), "" | "0"), "the GET speaks of a body");
    }
}

/// What was taken is not sent again.
fn nothing_more(sheet: &Sheet, stage: &Stage) {
    for (name, _) in TAKEN {
        sheet.same("J11", &(name, stage.endpoint.calls("POST", &format!("/{name}")).len()), &(name, 1));
    }
    for (_, name, to, method) in REDIRECTS {
        let seen =
            (name, stage.endpoint.calls("POST", &format!("/{name}")).len(), stage.endpoint.calls(method, to).len());
        sheet.same("J15, J16", &seen, &(name, 1, 1));
    }
    for (name, count) in [("one", 1), ("twice", 2), ("blank", 1), ("null", 1), ("latin", 1), ("recovers", 5)] {
        sheet.same("J1", &(name, stage.endpoint.calls("POST", &format!("/{name}")).len()), &(name, count));
    }
}
