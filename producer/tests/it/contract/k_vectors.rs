//! Section K: the golden vectors, computed with Python 3.6 and 3.11.

use serde_json::json;

use super::{is_signed, sheet::Sheet, sign_sha1};
use crate::support::{Database, stage::Stage};

/// The secret of the README, with which the signatures below were computed.
const SECRET: &[u8] = b"c27e823b0a500a537990dcccfc50334fe814fbd2";

/// `event_data` as it is posted, the body on the wire, the signature.
const VECTORS: [(&str, &str, &str); 11] = [
    (
        r#"{"items":[{"item1":1},{"item2":2}],"message":"hello world"}"#,
        r#"{"items": [{"item1": 1}, {"item2": 2}], "message": "hello world"}"#,
        "36b4f12fcc048419046d2c4815b4779bba98aebe",
    ),
    ("{}", "{}", "755d04ed0589f613834a2ea0f23f107f50dfe043"),
    ("[]", "[]", "d407c65fc0e8371d17e453bb0071897e70e5d1f2"),
    ("null", "null", "dd7e71dfe57172fef7704bac1e70642ee4995257"),
    (r#""a""#, r#""a""#, "bc2f22cb2a2371e7e7751a1b266df46b42a9adc9"),
    ("0", "0", "f0cc1daa1cc4c4ba301a99f208220f67cd6e83c8"),
    (r#"{"b":1,"a":2}"#, r#"{"a": 2, "b": 1}"#, "56f297d48a6083db9d2a638253b39d96a54e36a6"),
    (r#"{"s":"zoë 😀"}"#, r#"{"s": "zo\u00eb \ud83d\ude00"}"#, "e84859551bef0cbedb68485e432bc751bdcf4626"),
    (
        r#"{"f":[0.1,2.5,1e16,1e-5,1e22,100000.0]}"#,
        r#"{"f": [0.1, 2.5, 1e+16, 1e-05, 1e+22, 100000.0]}"#,
        "9cd876be666bc55cb92f311126328db1244d2820",
    ),
    (
        r#"{"c":"\u0000\u001f\u007f\"\\/\b\f\n\r\t"}"#,
        r#"{"c": "\u0000\u001f\u007f\"\\/\b\f\n\r\t"}"#,
        "51cb53cc94c81b6160b79b85013712f5bbfa15f8",
    ),
    (
        r#"{"n":{"z":[{"y":1,"x":null}],"a":true}}"#,
        r#"{"n": {"a": true, "z": [{"x": null, "y": 1}]}}"#,
        "bd3d55df3295410ac672087014c262b206521942",
    ),
];

#[test]
fn the_signature_that_the_tests_compute_is_that_of_the_vectors() {
    for (_, body, signature) in VECTORS {
        assert_eq!(sign_sha1(SECRET, body.as_bytes()), signature, "{body}");
    }
}

on_both! {
    async fn section_k(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let owner = stage.join("owner", "/owner").await;
        for (number, (posted, body, signature)) in VECTORS.into_iter().enumerate() {
            let registration = stage.wire.register(&owner, &json!("k"), posted).await;
            let name = format!("k{number}");
            let user = stage.follower(&name, &registration).await;
            stage.wire.trigger(&owner, &registration).await;
            let call = stage.endpoint.arrived("POST", &format!("/{name}"), 1).await[0].clone();
            sheet.same("K", &String::from_utf8_lossy(&call.body).as_ref(), &body);
            // The account has a secret of its own; with the vectors' the same bytes have the vectors' signature.
            sheet.same("K", &sign_sha1(SECRET, &call.body).as_str(), &signature);
            let signed = is_signed(&call, &user.secret_key);
            sheet.holds("K", signed, &format!("{body} is signed {}", call.text("pywebhooks-signature")));
        }
        sheet.end();
    }
}
