//! Calls by link and by body, made up: nothing panics, and what is read is what may be done.

use base64::engine::general_purpose::{STANDARD as PADDED, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What is read may go into the log, the audit and the database as it is.
fn is_good(call: &Call) -> bool {
    check_event_id(&call.event_id).is_ok() && call.sensor_data.as_ref().is_none_or(|data| check_sensor(data).is_ok())
}

proptest! {
    #[test]
    fn any_query_is_a_call_or_told_what_to_change(query in r"((payload|eventId|event_id|api_key|apiKey|dry_run)=|&|[A-Za-z0-9+/=_%-]{0,12}|.{0,4}){0,8}") {
        let _ = key_in(&query);
        match from_query(&query) {
            Ok(call) => prop_assert!(is_good(&call)),
            Err(error) => prop_assert!(!error.is_empty()),
        }
    }

    #[test]
    fn any_body_is_a_call_or_told_what_to_change(body in prop::collection::vec(any::<u8>(), 0..80), near in r#"[\[{]?("event_id"|"sensor_data"|"id"|"event"|"dry_run"|[:,{}\[\]"0-9a-z ]){0,12}"#) {
        for body in [&body[..], near.as_bytes()] {
            prop_assert!(from_body(body).as_ref().map_or(true, is_good));
        }
    }

    #[test]
    fn what_is_called_is_read_however_it_is_encoded(event_id in "[!-~äß]([ -~äß]{0,20}[!-~äß])?", id in "[!-~]{1,20}", value in ".{0,20}") {
        let body = json!({"event_id": event_id, "sensor_data": {"id": id, "event": "e", "value": value}}).to_string();
        let expected = from_body(body.as_bytes());
        for payload in [PADDED.encode(&body), URL_SAFE_NO_PAD.encode(&body)] {
            let encoded: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
            let read = from_query(&format!("payload={encoded}"));
            prop_assert_eq!(read.is_ok(), expected.is_ok());
            if let (Ok(read), Ok(expected)) = (read, &expected) {
                prop_assert_eq!(&read, expected);
            }
        }
    }
}
