//! Requests to the accounts API, made up: nothing panics, and each is read or told what to change.

use axum::{body::Bytes, http::Uri};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{body::Members, deliveries, paging};

proptest! {
    #[test]
    fn any_page_is_one_that_there_can_be(query in r"((start|limit)=|&|[-+ _0-9]{0,18}|%[0-9a-f]{2}|[!$-;=?-Z_a-z~]{0,3}){0,6}") {
        if let Ok(uri) = format!("/v1/accounts?{}", query.replace(' ', "+")).parse::<Uri>()
            && let Ok(slice) = paging::read(&uri)
        {
            prop_assert!(slice.start >= 0 && (1..=100).contains(&slice.limit) && slice.start.checked_add(slice.limit).is_some());
        }
    }

    #[test]
    fn any_body_has_members_that_can_be_stored_or_none(body in vec(any::<u8>(), 0..60), near in r#"[{\[]?("endpoint"|"username"|"a\\u00[0-9]{2}"|[:,{}\[\]"0-9a-z .]){0,16}"#) {
        for body in [Bytes::from(body), Bytes::from(near)] {
            let Ok(members) = Members::read(&body) else { continue };
            for name in ["endpoint", "username"] {
                if let Ok(Some(text)) = members.get(name, 40) {
                    prop_assert!(text.len() <= 40 && text.is_ascii() && serde_json::from_str::<Value>(&text).is_ok());
                }
            }
        }
    }

    #[test]
    fn any_text_is_a_time_or_named_as_wrong(text in "[0-9.eE+:TZ-]{0,24}|.{0,20}") {
        let _ = deliveries::time("since", &text);
    }
}
