//! `sources.yaml` as it is written: the sources, and what is wrong with them by line and column.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use common::yaml::{self, at_place, some_time};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::source::{Draft, Source};
use crate::{
    guards::{FieldError, Guard, Secrets},
    rules::Rules,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<Spanned<Keys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: String,
    #[serde(default = "open")]
    guard: Guard,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    second_secret: Option<String>,
    second_secret_file: Option<PathBuf>,
    #[serde(default)]
    rules: Rules,
    #[serde(default, deserialize_with = "some_time")]
    stale_after: Option<Duration>,
    rate_per_minute: Option<i64>,
}

const fn open() -> Guard {
    Guard::Open {}
}

/// Where secrets come from that do not stand in the file.
struct Outside<'a> {
    /// What `secret_file` is relative to.
    folder: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads the file, and the files and environment variables that it takes secrets from.
///
/// # Errors
/// Names the file, the line and the column, and says what is wrong there.
pub fn read(path: &Path) -> anyhow::Result<Vec<Source>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let outside = Outside { folder, variable: &|name| std::env::var(name).ok() };
    yaml::read(path, |text| parse(text, &outside))
}

fn parse(text: &str, outside: &Outside<'_>) -> Result<Vec<Source>, String> {
    let file: File = yaml::from_str(text)?;
    let mut sources: Vec<Source> = Vec::with_capacity(file.sources.len());
    for keys in file.sources {
        let at = keys.referenced;
        let source = check(keys.value, outside).map_err(|error| at_place(at, &error))?;
        if sources.iter().any(|other| other.name == source.name) {
            return Err(at_place(at, &format!("there are two sources named {:?}", &*source.name)));
        }
        sources.push(source);
    }
    if sources.is_empty() {
        return Err("1:1: there is no source in it".into());
    }
    Ok(sources)
}

fn check(keys: Keys, outside: &Outside<'_>) -> Result<Source, String> {
    let first = secret("secret", keys.secret, keys.secret_file, outside)?;
    let second = secret("second_secret", keys.second_secret, keys.second_secret_file, outside)?;
    if first.is_none() && second.is_some() {
        return Err("second_secret: write the secret itself as well".into());
    }
    let secrets = Secrets::new(first, second);
    let draft = Draft {
        name: keys.name,
        guard: keys.guard,
        secret: None,
        rules: Some(keys.rules),
        stale_after_s: keys.stale_after.and_then(|time| i64::try_from(time.as_secs()).ok()),
        rate_per_minute: keys.rate_per_minute,
    };
    let mut errors = draft.check();
    errors.extend(draft.guard.check_secrets(&secrets));
    if let Some(FieldError { field, problem }) = errors.into_iter().next() {
        return Err(format!("{field}: {problem}"));
    }
    Ok(Source::new(draft, Ok(secrets), None))
}

/// A secret that stands in the file, in a file of its own, or, as `${NAME}`, in the environment.
fn secret(
    field: &str,
    text: Option<String>,
    file: Option<PathBuf>,
    outside: &Outside<'_>,
) -> Result<Option<String>, String> {
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("{field} stands twice, here and in {field}_file: write one")),
        (None, None) => Ok(None),
        (None, Some(file)) => {
            let path = outside.folder.join(&file);
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|error| format!("{field}_file: cannot read {}: {error}", path.display()))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (Some(text), None) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            None => Ok(Some(text)),
            Some(name) => {
                let value = (outside.variable)(name).filter(|value| !value.is_empty());
                value.map(Some).ok_or_else(|| format!("{field}: there is no environment variable {name}"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Source>, String> {
        let variable = |name: &str| (name == "OURS").then(|| "from the environment".to_owned());
        parse(text, &Outside { folder: Path::new("/nowhere"), variable: &variable })
    }

    #[test]
    fn a_source_is_read_with_its_secrets_from_wherever_they_are() {
        let text = "sources:\n  - name: shop\n    guard: {kind: stripe, tolerance_s: 60}\n    secret: ${OURS}\n    second_secret: before it\n    \
                    rate_per_minute: 600\n    stale_after: 5m\n    rules: [{when: [{pointer: /a, equals: 1}], priority: Major}]\n  - name: hall\n";
        let sources = read(text).unwrap();
        let [shop, hall] = &sources[..] else { panic!("{sources:?}") };
        let secrets = shop.secrets.as_ref().unwrap();
        assert_eq!((secrets.first(), secrets.second()), (Some("from the environment"), Some("before it")));
        assert_eq!((shop.guard.kind(), shop.rate_per_minute(), shop.stale_after_s), ("stripe", Some(600), Some(300)));
        assert_eq!((shop.rules.written().count(), hall.rules.is_empty()), (1, true));
        assert_eq!((hall.guard.kind(), hall.pace.is_none()), ("open", true));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        let head = "sources:\n  - name: a\n";
        let cases = [
            (format!("{head}    colour: red\n"), "3:5: ", "colour"),
            (format!("{head}    guard: {{kind: githup}}\n"), "3:", "githup"),
            (format!("{head}    guard: {{kind: github, colour: red}}\n"), "3:", "colour"),
            (format!("{head}    guard: {{kind: open, colour: red}}\n"), "3:", "colour"),
            (format!("{head}    guard: {{kind: github}}\n"), "2:5: ", "secret: is needed"),
            (format!("{head}    guard: {{kind: github}}\n    secret: ${{THEIRS}}\n"), "2:5: ", "THEIRS"),
            (format!("{head}    guard: {{kind: github}}\n    secret: short\n"), "2:5: ", "8 to 1024"),
            (format!("{head}    secret: an open source\n"), "2:5: ", "open source has no secret"),
            (format!("{head}    guard: {{kind: github}}\n    secret_file: none.txt\n"), "2:5: ", "/nowhere/none.txt"),
            (format!("{head}    secret: x\n    secret_file: y\n"), "2:5: ", "twice"),
            (
                format!("{head}    guard: {{kind: token, in: query}}\n    secret: long enough\n"),
                "2:5: ",
                "name: write the parameter",
            ),
            (format!("{head}    rate_per_minute: 0\n"), "2:5: ", "rate_per_minute"),
            (format!("{head}    stale_after: soon\n"), "3:18: ", "soon"),
            (format!("{head}    rules: [{{priority: Urgent}}]\n"), "3:", "rule 1: priority"),
            (format!("{head}  - name: a\n"), "3:5: ", "two sources named"),
            ("sources:\n  - name: a b\n".into(), "2:5: ", "name"),
            ("sources: []\n".into(), "1:1: ", "no source"),
        ];
        for (text, place, word) in cases {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(word) && !error.contains(" at line"), "{text}\n{error}");
        }
    }
}
