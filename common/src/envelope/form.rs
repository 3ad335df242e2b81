//! Bodies in form encoding: JSON in one field, or fields that are the event.

use std::borrow::Cow;

/// The fields of a form as a JSON object of texts, or of lists where a name comes several times; `None`: it is none, or has more than `max_fields`.
///
/// For bodies that [`super::split`] does not take: without a look at the Content-Type, any text is a form.
#[must_use]
pub fn fields(body: &[u8], max_fields: usize) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.contains('='))?;
    let mut fields = serde_json::Map::new();
    for (place, (name, value)) in form_urlencoded::parse(text.trim_ascii().as_bytes()).enumerate() {
        if place == max_fields {
            return None;
        }
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value.into())),
            Some(serde_json::Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = serde_json::Value::Array(vec![first.take(), value.into()]),
        }
    }
    Some(serde_json::Value::Object(fields).to_string())
}

/// `payload={…}` in form encoding (GitHub, Slack and the like), a form of this one field, or a whole document that was form-encoded.
///
/// In a form of several fields JSON in another one is a part of what is said, and not all of it.
pub(super) fn json(text: &str) -> Option<String> {
    let looks_like_json = |text: &Cow<str>| text.trim_ascii_start().starts_with(['{', '[']);
    let mut fields = form_urlencoded::parse(text.trim_ascii().as_bytes());
    let found = match (fields.next()?, fields.next()) {
        ((name, value), None) => [value, name].into_iter().find(looks_like_json),
        _ => form_urlencoded::parse(text.trim_ascii().as_bytes())
            .find_map(|(name, value)| (name == "payload" && looks_like_json(&value)).then_some(value)),
    };
    found.map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_form_become_an_object() {
        let object = |body: &str| fields(body.as_bytes(), 3);
        assert_eq!(object("From=%2B1415&Body=a+b").as_deref(), Some(r#"{"Body":"a b","From":"+1415"}"#));
        assert_eq!(object("a=1&a=2&a=3").as_deref(), Some(r#"{"a":["1","2","3"]}"#));
        for other in ["hello", "", "a=1&b=2&c=3&d=4"] {
            assert_eq!(object(other), None, "{other}");
        }
    }
}
