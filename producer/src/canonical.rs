//! JSON as Python's `json.dumps(json.loads(text), sort_keys=True)` writes it: what is signed and sent is a fixed point of Python's own.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use serde_json::value::RawValue;

/// The longest integer that Python reads (`sys.int_info.default_max_str_digits`).
const MOST_DIGITS: usize = 4300;
/// How deep lists and objects may stand in each other: what `serde_json::Value` reads again, and what the stack bears.
const MOST_DEPTH: usize = 127;

/// Why a text is not taken; it says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The JSON text in Python's form: `", "` and `": "` between things, ASCII only with lower-case `\uXXXX`, Python's `repr` of floats, integers
/// digit by digit, and the keys of every object sorted by code point. Of equal keys the last counts.
///
/// # Errors
/// When it is not JSON (`NaN` and `Infinity` are not, nor half of a surrogate pair), has a number that Python would not read back as it was, or is
/// nested too deep.
pub fn dumps(text: &str) -> Result<String, Invalid> {
    let value: &RawValue = serde_json::from_str(text).map_err(|error| Invalid(format!("this is not JSON: {error}")))?;
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    write_value(value.get(), MOST_DEPTH, &mut out)?;
    Ok(out)
}

/// The text as a JSON string in the same form.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_text(text, &mut out);
    out
}

/// Writes one value; what it holds is parsed level by level, so that numbers keep their text. The parser skips a raw value without
/// counting its depth, so `levels` says how many more may follow.
fn write_value(value: &str, levels: usize, out: &mut String) -> Result<(), Invalid> {
    match value.as_bytes().first() {
        Some(b'{' | b'[') if levels == 0 => {
            return Err(Invalid(format!("nest lists and objects at most {MOST_DEPTH} deep")));
        }
        Some(b'{') => write_object(&read(value)?, levels - 1, out)?,
        Some(b'[') => write_list(&read::<Vec<&RawValue>>(value)?, levels - 1, out)?,
        Some(b'"') => write_text(&read::<String>(value)?, out),
        Some(b'-' | b'0'..=b'9') => out.push_str(&number(value)?),
        _ => out.push_str(value),
    }
    Ok(())
}

fn read<'a, T: serde::Deserialize<'a>>(value: &'a str) -> Result<T, Invalid> {
    serde_json::from_str(value).map_err(|error| Invalid(format!("this is not JSON: {error}")))
}

fn write_object(members: &BTreeMap<String, &RawValue>, levels: usize, out: &mut String) -> Result<(), Invalid> {
    out.push('{');
    for (place, (name, value)) in members.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { ", " });
        write_text(name, out);
        out.push_str(": ");
        write_value(value.get(), levels, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_list(items: &[&RawValue], levels: usize, out: &mut String) -> Result<(), Invalid> {
    out.push('[');
    for (place, value) in items.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { ", " });
        write_value(value.get(), levels, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn number(text: &str) -> Result<String, Invalid> {
    if !text.contains(['.', 'e', 'E']) {
        let digits = text.trim_start_matches('-').len();
        return match text {
            "-0" => Ok("0".into()),
            _ if digits > MOST_DIGITS => {
                Err(Invalid(format!("a number has {digits} digits; {MOST_DIGITS} are the most")))
            }
            _ => Ok(text.to_owned()),
        };
    }
    let value: f64 = text.parse().map_err(|_| Invalid(format!("{text} is not a number")))?;
    if value.is_infinite() {
        return Err(Invalid(format!("{text} is beyond the largest number, 1.7976931348623157e+308; write it as text")));
    }
    Ok(repr(value))
}

/// A finite float as Python's `repr` writes it: its shortest digits, with an exponent below 1e-4 and from 1e16 on.
fn repr(value: f64) -> String {
    let shortest = shortest(value);
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        return plain(digits, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// The fewest digits that read back as the same, as `d.ddde-5`. Where two texts are as near, Rust takes the larger, Python the even one, which is
/// what rounding to that many digits gives.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{value:.*e}", digits.saturating_sub(1));
    let same = rounded.parse().is_ok_and(|read: f64| read.to_bits() == value.to_bits());
    if same { rounded } else { shortest }
}

/// `d.ddd` times ten to the `exponent`, written out, with at least one digit after the point.
fn plain(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let zeros = "0".repeat(usize::try_from(-exponent).unwrap_or_default());
    let whole = 1 + usize::try_from(exponent).unwrap_or_default();
    let digits = zeros + &digits.replace('.', "");
    let padded = format!("{digits:0<width$}", width = whole + 1);
    let (whole, fraction) = padded.split_at(whole);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_examples_are_written_as_python_writes_them() {
        for (posted, sent) in [
            (
                r#"{"items":[{"item1":1},{"item2":2}],"message":"hello world"}"#,
                r#"{"items": [{"item1": 1}, {"item2": 2}], "message": "hello world"}"#,
            ),
            ("{ }", "{}"),
            ("[\n]", "[]"),
            ("null", "null"),
            (r#""a""#, r#""a""#),
            ("0", "0"),
            (r#"{"b":1,"a":2}"#, r#"{"a": 2, "b": 1}"#),
            (r#"{"s":"zoë 😀"}"#, r#"{"s": "zo\u00eb \ud83d\ude00"}"#),
            (r#"{"f":[0.1,2.5,1e16,1e-5,1e22,100000.0]}"#, r#"{"f": [0.1, 2.5, 1e+16, 1e-05, 1e+22, 100000.0]}"#),
            (r#"{"c":"\u0000\u001f\u007f\"\\/\b\f\n\r\t"}"#, r#"{"c": "\u0000\u001f\u007f\"\\/\b\f\n\r\t"}"#),
            (r#"{"n":{"z":[{"y":1,"x":null}],"a":true}}"#, r#"{"n": {"a": true, "z": [{"x": null, "y": 1}]}}"#),
            (
                "[-0, -0.0, 1E2, 123456789012345678901234567890, 1e-400]",
                "[0, -0.0, 100.0, 123456789012345678901234567890, 0.0]",
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
            ("[1009297135874438.25, -1009297135874438.75]", "[1009297135874438.2, -1009297135874438.8]"),
            (
                "[0.0001, 0.00012, 9999999999999998.0, 1e15]",
                "[0.0001, 0.00012, 9999999999999998.0, 1000000000000000.0]",
            ),
            ("[5e-324, 1.7976931348623157e308, -1.5e-7]", "[5e-324, 1.7976931348623157e+308, -1.5e-07]"),
        ] {
            assert_eq!(dumps(posted).as_deref(), Ok(sent), "{posted}");
            assert_eq!(dumps(sent).as_deref(), Ok(sent), "it is a fixed point");
        }
    }

    #[test]
    fn what_python_would_not_read_back_is_refused() {
        let long = "1".repeat(MOST_DIGITS + 1);
        for text in ["", "NaN", "[Infinity]", "1e999", r#""\ud800""#, "{", "[1,]", long.as_str()] {
            assert!(dumps(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_and_the_deepest_can_be_read_again() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deepest = dumps(&nested(MOST_DEPTH)).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
        for depth in [MOST_DEPTH + 1, 50_000] {
            assert!(dumps(&nested(depth)).unwrap_err().to_string().contains("at most 127 deep"), "{depth}");
        }
        assert!(dumps(&format!("{}1{}", r#"{"a":"#.repeat(20_000), "}".repeat(20_000))).is_err());
    }
}
