//! What registers say: pure.

use serde::Deserialize;

/// How a value lies in its registers, and what it means.
#[derive(Clone, Debug)]
pub struct Format {
    pub kind: Type,
    /// Only this bit of the register, from the lowest, 0.
    pub bit: Option<u8>,
    pub word_order: Order,
    pub byte_order: Order,
    /// What stands there times `scale` plus `offset` is the value.
    pub scale: f64,
    pub offset: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    Bool,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// What comes first: `big`, the most significant part, or `little`. Modbus says big for the bytes of a register, and nothing for the registers of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Big,
    Little,
}

impl Type {
    /// Registers that a value takes; a coil takes one, too.
    pub const fn width(self) -> u16 {
        match self {
            Self::Bool | Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
        }
    }
}

impl Format {
    /// The value of these registers, as many as its type takes, as a JSON text: a number, or one of the texts `NaN`, `Infinity` and `-Infinity`.
    pub fn json(&self, words: &[u16]) -> String {
        let bits = self.bits(words);
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are the value")]
        match self.kind {
            Type::Bool => u8::from(bits >> self.bit.unwrap_or(0) & self.mask() != 0).to_string(),
            Type::U16 | Type::U32 | Type::U64 => self.whole(i128::from(bits)),
            Type::I16 => self.whole(i128::from((bits as u16).cast_signed())),
            Type::I32 => self.whole(i128::from((bits as u32).cast_signed())),
            Type::I64 => self.whole(i128::from(bits.cast_signed())),
            Type::F32 => self.real(widened(f32::from_bits(bits as u32))),
            Type::F64 => self.real(f64::from_bits(bits)),
        }
    }

    /// All registers as one number, the most significant first.
    fn bits(&self, words: &[u16]) -> u64 {
        let push = |bits: u64, word: &u16| {
            let word = if self.byte_order == Order::Little { word.swap_bytes() } else { *word };
            bits << 16 | u64::from(word)
        };
        match self.word_order {
            Order::Big => words.iter().fold(0, push),
            Order::Little => words.iter().rev().fold(0, push),
        }
    }

    const fn mask(&self) -> u64 {
        if self.bit.is_some() { 1 } else { u64::MAX }
    }

    /// A whole number stays one to the digit unless it is scaled.
    fn whole(&self, value: i128) -> String {
        if self.is_plain() {
            return value.to_string();
        }
        #[expect(clippy::cast_precision_loss, reason = "what is scaled is a measurement")]
        self.real(value as f64)
    }

    fn real(&self, value: f64) -> String {
        let value = if self.is_plain() { value } else { rounded(value * self.scale + self.offset) };
        match value {
            value if value.is_nan() => "\"NaN\"".into(),
            f64::INFINITY => "\"Infinity\"".into(),
            f64::NEG_INFINITY => "\"-Infinity\"".into(),
            value => serde_json::Number::from_f64(value).map_or_else(|| "\"NaN\"".into(), |value| value.to_string()),
        }
    }

    #[expect(clippy::float_cmp, reason = "exactly what is written, or nothing")]
    fn is_plain(&self) -> bool {
        self.scale == 1.0 && self.offset == 0.0
    }
}

/// The number that people write for it: 21.3, not 21.299999237060547.
fn widened(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

/// To thirteen digits, so that 2150 times 0.1 is 215.
fn rounded(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(kind: Type) -> Format {
        Format { kind, bit: None, word_order: Order::Big, byte_order: Order::Big, scale: 1.0, offset: 0.0 }
    }

    #[test]
    fn every_type_is_read() {
        for (kind, words, json) in [
            (Type::Bool, &[0][..], "0"),
            (Type::Bool, &[2], "1"),
            (Type::U16, &[0xffff], "65535"),
            (Type::I16, &[0xffff], "-1"),
            (Type::U32, &[0x0001, 0x0002], "65538"),
            (Type::I32, &[0xffff, 0xfffe], "-2"),
            (Type::U64, &[0xffff, 0xffff, 0xffff, 0xffff], "18446744073709551615"),
            (Type::I64, &[0xffff, 0xffff, 0xffff, 0xfff6], "-10"),
            (Type::F32, &[0x41aa, 0x6666], "21.3"),
            (Type::F32, &[0x7fc0, 0x0000], "\"NaN\""),
            (Type::F32, &[0x7f80, 0x0000], "\"Infinity\""),
            (Type::F64, &[0xfff0, 0, 0, 0], "\"-Infinity\""),
            (Type::F64, &[0x4009, 0x21fb, 0x5444, 0x2d18], "3.141592653589793"),
        ] {
            assert_eq!(format(kind).json(words), json, "{kind:?} {words:x?}");
        }
    }

    #[test]
    fn orders_scale_and_offset_are_kept() {
        let swapped = Format { word_order: Order::Little, ..format(Type::F32) };
        assert_eq!(swapped.json(&[0x6666, 0x41aa]), "21.3");
        let bytes = Format { byte_order: Order::Little, ..format(Type::F32) };
        assert_eq!(bytes.json(&[0xaa41, 0x6666]), "21.3");
        let both = Format { byte_order: Order::Little, word_order: Order::Little, ..format(Type::U32) };
        assert_eq!(both.json(&[0x0200, 0x0100]), "65538");
        let tenths = Format { scale: 0.1, ..format(Type::I16) };
        assert_eq!(
            ["213", "-2150"].map(|raw| tenths.json(&[raw.parse::<i16>().unwrap().cast_unsigned()])),
            ["21.3", "-215.0"]
        );
        let kelvin = Format { scale: 0.01, offset: -273.15, ..format(Type::U16) };
        assert_eq!(kelvin.json(&[29445]), "21.3");
    }

    #[test]
    fn a_bit_of_a_register_is_told_apart_from_the_others() {
        let bit = |bit| Format { bit: Some(bit), ..format(Type::Bool) }.json(&[0b1000_0000_0000_0101]);
        assert_eq!([0, 1, 2, 14, 15].map(bit), ["1", "0", "1", "0", "1"]);
    }
}
