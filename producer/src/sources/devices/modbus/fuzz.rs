//! What registers may hold, made up: whatever it is, it becomes one JSON value.

use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::value::{Format, Order, Type};

fn formats() -> impl Strategy<Value = Format> {
    let kinds = [Type::Bool, Type::U16, Type::I16, Type::U32, Type::I32, Type::U64, Type::I64, Type::F32, Type::F64];
    let order = || prop_oneof![Just(Order::Big), Just(Order::Little)];
    let scale = || prop_oneof![Just(1.0), Just(0.1), any::<f64>()];
    (prop::sample::select(kinds.to_vec()), prop::option::of(0..16_u8), order(), order(), scale(), scale()).prop_map(
        |(kind, bit, word_order, byte_order, scale, offset)| Format {
            kind,
            bit,
            word_order,
            byte_order,
            scale,
            offset,
        },
    )
}

proptest! {
    #[test]
    fn any_registers_are_a_json_value(format in formats(), words in vec(any::<u16>(), 4)) {
        let json = format.json(&words[..usize::from(format.kind.width())]);
        let value: Value = serde_json::from_str(&json).unwrap();
        prop_assert!(value.is_number() || value.is_string(), "{}", json);
    }
}
