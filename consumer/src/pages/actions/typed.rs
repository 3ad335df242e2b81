//! What was typed into a form, and the word beside the field that is wrong.

use common::{config::parse_duration, fields::Fields, problem::Problem, time::parse_rfc3339};

/// What is wrong with a form, and at which field; a field that the form does not have stands above all of them.
pub struct Wrong {
    pub field: String,
    pub text: String,
}

/// How fields are called on the pages.
const LABELS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("event_id", "Event id"),
    ("event_ids", "Event ids"),
    ("expires_at", "Expiry"),
    ("rate_per_minute", "Calls a minute"),
    ("max_uses", "Uses"),
    ("ttl_ms", "Waiting time"),
];

impl Wrong {
    /// The word for a refusal that a person can mend in the form.
    ///
    /// # Errors
    /// The problem itself when it is another one.
    pub fn of(problem: Problem) -> Result<Self, Problem> {
        let Some(field) = problem.member("field").and_then(|field| field.as_str()).map(str::to_owned) else {
            return Err(problem);
        };
        let text = problem.detail;
        let label = LABELS.iter().find(|(name, _)| *name == field).map(|(_, label)| *label);
        let rest = text.strip_prefix(field.as_str()).filter(|rest| rest.starts_with(' '));
        let text = label.zip(rest).map(|(label, rest)| format!("{label}{rest}")).unwrap_or(text);
        Ok(Self { field, text })
    }
}

/// 400 at a field, in words for a person.
pub fn wrong(field: &str, error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(error.to_string()).with("field", field)
}

/// A whole number; `None`: nothing was typed.
pub fn number(fields: &Fields, name: &str, label: &str) -> Result<Option<i64>, Problem> {
    let text = fields.get(name);
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| wrong(name, format!("{label} is a whole number, or empty.")))
}

/// A length of time in milliseconds; `None`: nothing was typed.
pub fn length_ms(fields: &Fields, name: &str, label: &str) -> Result<Option<i64>, Problem> {
    let text = fields.get(name);
    if text.is_empty() {
        return Ok(None);
    }
    let length = parse_duration(text).map_err(|_| wrong(name, format!("{label} is written like 90s, 15m, 8h or 30d.")));
    length.map(|length| Some(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
}

/// A moment: a length of time before (`-1`) or after (`1`) now, or a time such as `2026-12-31T18:00Z`, or `2026-12-31 18:00`, which is UTC.
/// `None`: it is none.
pub fn moment_ms(text: &str, now_ms: i64, direction: i64) -> Option<i64> {
    if let Ok(length) = parse_duration(text) {
        return Some(now_ms.saturating_add(direction * i64::try_from(length.as_millis()).ok()?));
    }
    let text = text.replacen(' ', "T", 1);
    ["", "Z", ":00Z", "T00:00:00Z"].iter().find_map(|end| parse_rfc3339(&format!("{text}{end}"))).or_else(|| {
        let text = text.strip_suffix('Z')?;
        parse_rfc3339(&format!("{text}:00Z"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_from_now() {
        let at = parse_rfc3339("2026-12-31T18:00:00Z");
        for text in ["2026-12-31T18:00:00Z", "2026-12-31T19:00:00+01:00", "2026-12-31 18:00", "2026-12-31T18:00Z"] {
            assert_eq!(moment_ms(text, 0, 1), at, "{text}");
        }
        assert_eq!(moment_ms("2026-12-31", 0, 1), parse_rfc3339("2026-12-31T00:00:00Z"));
        assert_eq!((moment_ms("8h", 1000, 1), moment_ms("1s", 5000, -1)), (Some(28_801_000), Some(4000)));
        assert_eq!((moment_ms("soon", 0, 1), moment_ms("", 0, 1)), (None, None));
    }
}
