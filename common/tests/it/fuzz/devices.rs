//! What a device with Evok says on its socket, made up: nothing panics, and what is read of it is JSON that can be sent on.

use common::evok::reading::{parse, with_member};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from)
    ]
}

proptest! {
    #[test]
    fn every_device_of_a_message_is_read(devices in vec(("[a-z]{1,4}", "[ -~äß]{1,6}", value(), "[a-z]{1,5}", value()), 0..6)) {
        let objects: Vec<Value> =
            devices.iter().map(|(dev, circuit, value, name, more)| json!({name: more, "dev": dev, "circuit": circuit, "value": value})).collect();
        let read = parse(&json!(objects).to_string()).unwrap();
        let expected = objects.iter().filter(|object| object["dev"].is_string() && object["circuit"].is_string()).count();
        prop_assert_eq!(read.len(), expected);
        for (reading, object) in read.iter().zip(&objects) {
            prop_assert_eq!(&serde_json::from_str::<Value>(&reading.object).unwrap(), object);
        }
    }

    #[test]
    fn any_message_is_read_or_told_to_be_none(message in r#"([\[\]{}",:\\0-9a-n \n]|NaN|-?Infinity|"dev":|"circuit":|"x"){0,60}|.{0,60}"#) {
        for reading in parse(&message).unwrap_or_default() {
            let longer = with_member(&reading.object, "priority", "\"Low\"");
            prop_assert_eq!(&serde_json::from_str::<Value>(&longer).unwrap()["priority"], "Low", "{}", longer);
        }
    }
}
