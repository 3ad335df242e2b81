//! The texts a rule gives: templates with what stands in the event put in, and alternatives of them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor},
};
use utoipa::ToSchema;

use super::input::{Facts, Place, brief};

/// Letters of a text that was made.
const MAX_CHARS: usize = 120;
const MAX_TEMPLATE_CHARS: usize = 200;
const MAX_ALTERNATIVES: usize = 16;

/// One text, or a list of which the first is taken that can be filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum WrittenTexts {
    One(String),
    FirstOf(Vec<String>),
}

impl WrittenTexts {
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::FirstOf(texts) => texts,
        }
    }
}

/// As a person reads it.
impl fmt::Display for WrittenTexts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::One(text) => f.write_str(text),
            Self::FirstOf(texts) => f.write_str(&texts.join(" or ")),
        }
    }
}

impl<'de> Deserialize<'de> for WrittenTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = WrittenTexts;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WrittenTexts, E> {
                Ok(WrittenTexts::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WrittenTexts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    if texts.len() == MAX_ALTERNATIVES {
                        return Err(de::Error::custom(format!(
                            "more than {MAX_ALTERNATIVES} alternatives; keep the best"
                        )));
                    }
                    texts.push(text);
                }
                Ok(WrittenTexts::FirstOf(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Alternatives, ready.
#[derive(Clone, Debug, Default)]
pub struct Texts(Vec<Template>);

impl Texts {
    /// None are written: none can be filled.
    ///
    /// # Errors
    /// Says what to change.
    pub fn read(written: Option<&WrittenTexts>) -> Result<Self, String> {
        let texts = match written {
            None => &[],
            Some(WrittenTexts::One(text)) => std::slice::from_ref(text),
            Some(WrittenTexts::FirstOf(texts)) => texts.as_slice(),
        };
        if written.is_some() && texts.is_empty() {
            return Err("the list is empty: write a text in it, or leave it away".into());
        }
        texts.iter().map(|text| Template::read(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Those that can be filled, in order.
    pub fn filled(&self, facts: &Facts) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|template| template.filled(facts))
    }

    /// Those that are the same for every event.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|template| match template.0.as_slice() {
            [Part::Literal(text)] => Some(text.as_str()),
            _ => None,
        })
    }
}

#[derive(Clone, Debug)]
struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Place(Place),
}

impl Template {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.chars().count() > MAX_TEMPLATE_CHARS {
            return Err(format!("a text has 1 to {MAX_TEMPLATE_CHARS} letters"));
        }
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                literal.push('{');
                rest = after;
                continue;
            }
            let (name, behind) = after.split_once('}').ok_or_else(|| placeholder(after))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Place(place(name)?));
            rest = behind;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// One line; `None` when something is not there, is blank, or is no text, number or boolean.
    fn filled(&self, facts: &Facts) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Place(place) => {
                    let seen = facts.see(place).text()?;
                    let seen = seen.trim();
                    if seen.is_empty() {
                        return None;
                    }
                    text.extend(seen.chars().take(MAX_CHARS));
                }
            }
        }
        let line = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_CHARS);
        let line = line.collect::<String>().trim().to_owned();
        (!line.is_empty()).then_some(line)
    }
}

fn place(name: &str) -> Result<Place, String> {
    match name.strip_prefix("header:") {
        Some(header) => Place::header(header.trim()),
        None if name.starts_with('/') => Place::pointer(name),
        None => Err(placeholder(name)),
    }
}

fn placeholder(text: &str) -> String {
    format!("behind {{ stands {}: write {{/json/pointer}} or {{header:name}}, and {{{{ for a brace", brief(text))
}

#[cfg(test)]
mod tests {
    use super::{super::input::Input, *};

    fn filled(texts: &[&str], body: &str) -> Option<String> {
        let written = WrittenTexts::FirstOf(texts.iter().map(|text| (*text).to_owned()).collect());
        let headers = |name: &str| (name == "x-kind").then_some("push");
        let facts = Facts::of(&Input { body, headers: &headers });
        Texts::read(Some(&written)).unwrap().filled(&facts).next()
    }

    #[test]
    fn the_first_alternative_that_can_be_filled_is_taken() {
        let body = r#"{"a":" x ","n":null,"blank":" \n","o":{"b":2.50},"l":[1],"t":true,"c":"a\nb\u0000c"}"#;
        let cases: [(&[&str], Option<&str>); 12] = [
            (&["plain"], Some("plain")),
            (&["{/a}"], Some("x")),
            (&["{/a}-{/o/b}-{/t}"], Some("x-2.5-true")),
            (&["{/n}"], None),
            (&["{/missing}", "{/blank}", "{/o}", "{/l}", "last"], Some("last")),
            (&["{/blank}"], None),
            (&["{{{/a}}"], Some("{x}")),
            (&["{{/a} }"], Some("{/a} }")),
            (&["{header:X-Kind} by {/l/0}"], Some("push by 1")),
            (&["{header:x-other}"], None),
            (&["{/c}"], Some("a b c")),
            (&["}"], Some("}")),
        ];
        for (texts, expected) in cases {
            assert_eq!(filled(texts, body).as_deref(), expected, "{texts:?}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "ä".repeat(500));
        assert_eq!(filled(&["{/a}{/a}"], &long).unwrap(), "ä".repeat(MAX_CHARS));
    }

    #[test]
    fn a_bad_text_is_told_what_to_change() {
        let long = "x".repeat(201);
        let cases = [
            ("", "1 to 200"),
            (long.as_str(), "1 to 200"),
            ("{", "{/json/pointer}"),
            ("{alias}", "{/json/pointer}"),
            ("{}", "{/json/pointer}"),
            ("a {/b", "{{ for a brace"),
            ("{/a~9}", "no JSON pointer"),
            ("{header:}", "no name of a header"),
            ("{header:Authorization}", "secret"),
        ];
        for (text, words) in cases {
            let error = Texts::read(Some(&WrittenTexts::One(text.into()))).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Texts::read(Some(&WrittenTexts::FirstOf(Vec::new()))).unwrap_err().contains("empty"));
        assert!(Texts::read(None).unwrap().literals().next().is_none());
    }
}
