//! `NaN`, `Infinity` and `-Infinity` where JSON has a value, as Python's `json` and Evok write them, put in quotes.

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// A text with quotes that were not sent.
pub struct Quoted {
    pub text: String,
    /// Where in `text` the quotes stand, in order.
    quotes: Vec<usize>,
}

impl Quoted {
    /// Where in the text as it was sent that is which stands at `offset` in `text`.
    #[must_use]
    pub fn sent_at(&self, offset: usize) -> usize {
        offset - self.quotes.partition_point(|quote| *quote < offset)
    }
}

/// The text with each bare word in quotes; `None`: it has none.
#[must_use]
pub fn quoted(sent: &str) -> Option<Quoted> {
    let (mut text, mut quotes) = (String::with_capacity(sent.len() + 16), Vec::new());
    let (mut copied, mut at) = (0, 0);
    let bytes = sent.as_bytes();
    while at < bytes.len() {
        if bytes[at] == b'"' {
            at = behind_string(bytes, at);
            continue;
        }
        let Some(word) = word_at(sent, at) else {
            at += 1;
            continue;
        };
        text.push_str(&sent[copied..at]);
        quotes.extend([text.len(), text.len() + 1 + word.len()]);
        text.extend(["\"", word, "\""]);
        at += word.len();
        copied = at;
    }
    text.push_str(&sent[copied..]);
    (!quotes.is_empty()).then_some(Quoted { text, quotes })
}

/// Behind the quote that ends the string at `start`, or the end of all.
fn behind_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The bare word that begins there and is not a part of a longer one.
fn word_at(sent: &str, at: usize) -> Option<&'static str> {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(byte));
    let bytes = sent.as_bytes();
    let word = WORDS.into_iter().find(|word| bytes[at..].starts_with(word.as_bytes()))?;
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    (!is_part(before) && !is_part(bytes.get(at + word.len()))).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_becomes_a_text_and_strings_stay() {
        let cases = [
            (r#"[{"value": NaN}]"#, r#"[{"value": "NaN"}]"#),
            ("[-Infinity,Infinity, -1.5]", r#"["-Infinity","Infinity", -1.5]"#),
            (
                r#"{"value": "NaN", "alias": "a \" NaN", "x": NaN}"#,
                r#"{"value": "NaN", "alias": "a \" NaN", "x": "NaN"}"#,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text).unwrap().text, expected);
        }
        for unchanged in [r#"{"unit": "°C NaN"}"#, r#"["NaN"#, "[xNaN, NaN_1, 1]", ""] {
            assert!(quoted(unchanged).is_none(), "{unchanged}");
        }
    }
}
