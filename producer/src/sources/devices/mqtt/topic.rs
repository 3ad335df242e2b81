//! Patterns of topics with named parts, and texts made of these parts: pure.

/// Such as `house/{room}/+/temperature` or `sensors/#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Level>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Word(String),
    /// One level, with its name when it has one.
    Any(Option<String>),
    /// This level and all below.
    Rest,
}

/// What the named parts of a pattern are in one topic.
pub type Parts<'a> = Vec<(&'a str, &'a str)>;

impl Pattern {
    /// Reads what is written; the error says what to write instead.
    pub fn read(text: &str) -> Result<Self, String> {
        let count = text.split('/').count();
        let levels = text.split('/').enumerate().map(|(place, level)| match level {
            "+" => Ok(Level::Any(None)),
            "#" if place + 1 == count => Ok(Level::Rest),
            _ => match level.strip_prefix('{').and_then(|level| level.strip_suffix('}')) {
                Some(name) if is_name(name) => Ok(Level::Any(Some(name.to_owned()))),
                None if !level.contains(['+', '#', '{', '}', '\0']) => Ok(Level::Word(level.to_owned())),
                _ => Err(format!("topic {text:?}: + and {{name}} stand for a whole level between two slashes, # for all levels at the end")),
            },
        });
        let levels: Vec<Level> = levels.collect::<Result<_, _>>()?;
        if text.is_empty() { Err("topic: write at least one level".into()) } else { Ok(Self(levels)) }
    }

    /// What is subscribed to.
    pub fn filter(&self) -> String {
        let levels: Vec<&str> = self
            .0
            .iter()
            .map(|level| match level {
                Level::Word(word) => word.as_str(),
                Level::Any(_) => "+",
                Level::Rest => "#",
            })
            .collect();
        levels.join("/")
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|level| matches!(level, Level::Any(Some(named)) if named == name))
    }

    /// `None`: the topic is another one. A wildcard in front stands for no topic of the broker's own, which begin with `$`.
    pub fn parts<'a>(&'a self, topic: &'a str) -> Option<Parts<'a>> {
        if topic.starts_with('$') && !matches!(self.0.first(), Some(Level::Word(_))) {
            return None;
        }
        let (mut parts, mut rest) = (Parts::new(), topic.split('/'));
        for level in &self.0 {
            match (level, rest.next()) {
                // `a/#` is `a`, too.
                (Level::Rest, _) => return Some(parts),
                (Level::Word(word), Some(given)) if word == given => {}
                (Level::Any(name), Some(given)) => parts.extend(name.as_deref().map(|name| (name, given))),
                _ => return None,
            }
        }
        rest.next().is_none().then_some(parts)
    }
}

/// A text with the names of parts in it, such as `{room}_{n}`; `{topic}` is the whole topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part(String),
}

/// Names the whole topic in a template.
const TOPIC: &str = "topic";

impl Template {
    /// Reads what is written beside this pattern; the error says what to write instead.
    pub fn read(text: &str, pattern: &Pattern) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').ok_or_else(|| format!("{text:?}: there is no }} to a {{"))?;
            if name != TOPIC && !pattern.has(name) {
                return Err(format!("{text:?}: its topic has no part {{{name}}}"));
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Part(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        if text.is_empty() { Err("dev and circuit: write at least a letter".into()) } else { Ok(Self(pieces)) }
    }

    pub fn fill(&self, topic: &str, parts: &Parts<'_>) -> String {
        let part = |name: &str| parts.iter().find(|(named, _)| *named == name).map_or(topic, |(_, part)| part);
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Part(name) => part(name),
        });
        texts.collect()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != TOPIC && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_its_topics_and_names_their_parts() {
        for (pattern, filter, topic, parts) in [
            ("a/{dev}/{n}/value", "a/+/+/value", "a/temp/1/value", Some(&[("dev", "temp"), ("n", "1")][..])),
            ("a/{dev}/{n}/value", "a/+/+/value", "a/temp/1/set", None),
            ("a/{dev}", "a/+", "a/temp/1", None),
            ("a/{dev}", "a/+", "a", None),
            ("a/+/{n}", "a/+/+", "a/x/", Some(&[("n", "")])),
            ("{x}/#", "+/#", "a/b/c", Some(&[("x", "a")])),
            ("a/#", "a/#", "a", Some(&[])),
            ("#", "#", "$SYS/uptime", None),
            ("$SYS/#", "$SYS/#", "$SYS/uptime", Some(&[])),
        ] {
            let read = Pattern::read(pattern).unwrap();
            assert_eq!((read.filter().as_str(), read.parts(topic).as_deref()), (filter, parts), "{pattern} {topic}");
        }
        for wrong in ["", "a/b+", "a/#/b", "a/{}", "a/{x y}", "a/x{n}", "{topic}"] {
            assert!(Pattern::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_template_is_filled_with_parts() {
        let pattern = Pattern::read("house/{room}/{n}").unwrap();
        let parts = pattern.parts("house/hall/7").unwrap();
        for (text, filled) in [("{room}_{n}", "hall_7"), ("temp", "temp"), ("{topic}", "house/hall/7"), ("{n}.", "7.")]
        {
            assert_eq!(Template::read(text, &pattern).unwrap().fill("house/hall/7", &parts), filled);
        }
        for wrong in ["", "{kind}", "{room"] {
            assert!(Template::read(wrong, &pattern).is_err(), "{wrong}");
        }
    }
}
