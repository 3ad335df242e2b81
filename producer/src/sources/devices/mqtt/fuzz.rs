//! Messages of a broker, made up: nothing panics, and what is read of them is JSON that can be sent on.

use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{
    keys::Topic,
    payload::readings,
    topic::{Pattern, Template},
};

const TOPICS: [&str; 4] = [
    "{topic: \"a/#\"}",
    "{topic: \"u/{dev}/{circuit}/value\", unit: V}",
    "{topic: \"z/{name}\", dev: temp, circuit: \"{name}\", value: /temperature/0, unit: °C}",
    "{topic: \"#\"}",
];

fn topics() -> Vec<Topic> {
    TOPICS.map(|keys| serde_saphyr::from_str(keys).unwrap()).into()
}

proptest! {
    #[test]
    fn any_message_is_readings_or_told_to_be_none(
        name in "(a|u|z|[$]SYS|[^\0]{0,4})(/[^\0+#]{0,5}){0,4}", payload in vec(any::<u8>(), 0..60),
        near in r#"([\[\]{}",:\\0-9a-n .-]|NaN|-?Infinity|ON|"dev": ?"|"circuit": ?"|"temperature": ?\[){0,30}"#,
    ) {
        for payload in [&payload[..], near.as_bytes()] {
            for reading in readings(&topics(), &name, payload).unwrap_or_default() {
                let object: Value = serde_json::from_str(&reading.object).unwrap();
                prop_assert_eq!((object["dev"].as_str(), object["circuit"].as_str()), (Some(&*reading.dev), Some(&*reading.circuit)));
            }
        }
    }

    #[test]
    fn any_pattern_is_read_and_asks_or_is_refused(pattern in "[a-z{}/+#$]{0,12}|.{0,8}", template in "[a-z{}]{0,8}", topic in "[a-z/$]{0,12}") {
        if let Ok(pattern) = Pattern::read(&pattern) {
            prop_assert!(!pattern.filter().is_empty());
            if let (Some(parts), Ok(template)) = (pattern.parts(&topic), Template::read(&template, &pattern)) {
                let _ = template.fill(&topic, &parts);
            }
        }
    }
}
