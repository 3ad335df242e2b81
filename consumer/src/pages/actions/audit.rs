//! The audit: who did what, when and from where, and what became of it on the devices; filtered, by pages of time, and as CSV.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    page::{self, Stamp},
    problem::Problem,
    time::now_ms,
};
use serde::Deserialize;

use super::{address, head::Head, states::Pill, typed::moment_ms};
use crate::{
    App,
    actions::trail::{self, States},
    store::actions::audit::{self, Line, Search},
};

const SHOWN: i64 = 100;
const REFUSED: i64 = 400;
/// How words for what was done begin, and what that is called.
const KINDS: &[(&str, &str)] = &[
    ("", "Everything"),
    ("call", "Calls"),
    ("key.", "API keys"),
    ("key.reveal", "Keys shown"),
    ("action.", "Actions"),
    ("device.", "Devices"),
    ("screen.", "Screens"),
];

/// What the filter form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    what: String,
    refused: String,
    since: String,
    until: String,
    /// The id of a line: only older ones.
    before: String,
}

impl Filter {
    fn is_set(&self) -> bool {
        [&self.q, &self.what, &self.refused, &self.since, &self.until].iter().any(|text| !text.trim().is_empty())
    }

    /// The search, and what of the filter could not be read.
    fn search(&self, limit: i64) -> (Search, Option<String>) {
        let now_ms = now_ms();
        let moment =
            |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(|text| moment_ms(text, now_ms, -1));
        let (since, until) = (moment(&self.since), moment(&self.until));
        let is_wrong = since == Some(None) || until == Some(None);
        let wrong = is_wrong.then(|| {
            "A time is a length of time such as 15m or 2d, so long ago, or a moment such as 2026-12-31 18:00 (UTC)."
                .to_owned()
        });
        let search = Search {
            text: self.q.trim().replace('\0', ""),
            what: self.what.replace('\0', ""),
            is_refused: !self.refused.is_empty(),
            since_ms: since.flatten(),
            until_ms: until.flatten(),
            before: self.before.replace('\0', ""),
            limit,
        };
        (search, wrong)
    }

    fn link(&self, path: &str, before: &str) -> String {
        let Self { q, what, refused, since, until, .. } = self;
        let pairs = [("q", q), ("what", what), ("refused", refused), ("since", since), ("until", until)];
        let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("before", before));
        address(path, &pairs)
    }
}

#[derive(Template)]
#[template(path = "action_audit.html")]
struct AuditPage {
    head: Head,
    filter: Filter,
    kinds: Vec<(&'static str, &'static str, bool)>,
    is_filtered: bool,
    wrong: Option<String>,
    rows: Vec<Row>,
    csv: String,
    newest: Option<String>,
    older: Option<String>,
}

struct Row {
    at: Stamp,
    who: String,
    from: String,
    what: String,
    subject: String,
    status: i64,
    is_refused: bool,
    detail: String,
    execution: String,
    states: Vec<Pill>,
}

impl Row {
    fn of(line: Line, outcomes: &BTreeMap<String, States>, now_ms: i64) -> Self {
        let entry = line.entry;
        Self {
            at: Stamp::of(entry.at_ms, now_ms),
            who: if entry.who.is_empty() { "unknown".into() } else { entry.who },
            from: entry.from,
            what: entry.what,
            subject: entry.subject,
            status: entry.status,
            is_refused: entry.status >= REFUSED,
            detail: entry.detail,
            states: outcomes.get(&entry.execution).map(|states| Pill::counted(states)).unwrap_or_default(),
            execution: entry.execution,
        }
    }
}

/// `GET /actions/audit`.
pub async fn show(State(app): State<App>, Query(filter): Query<Filter>) -> Result<Response, Problem> {
    let (search, wrong) = filter.search(SHOWN + 1);
    let mut lines = audit::find(&app.db, &search).await?;
    let has_more = i64::try_from(lines.len()).unwrap_or(0) > SHOWN;
    lines.truncate(usize::try_from(SHOWN).unwrap_or(0));
    let last = lines.last().map(|line| line.id.clone()).filter(|_| has_more);
    let outcomes = trail::outcomes(&app, &lines).await?;
    let now_ms = now_ms();
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = page::render(&AuditPage {
        head: Head::new(&app, filter.link("/actions/audit", &filter.before)),
        kinds: KINDS.iter().map(|(value, label)| (*value, *label, *value == filter.what)).collect(),
        is_filtered: filter.is_set(),
        wrong,
        rows: lines.into_iter().map(|line| Row::of(line, &outcomes, now_ms)).collect(),
        csv: filter.link("/actions/audit.csv", ""),
        newest: (!filter.before.is_empty()).then(|| filter.link("/actions/audit", "")),
        older: last.map(|last| filter.link("/actions/audit", &last)),
        filter,
    });
    Ok((status, page).into_response())
}

/// `GET /actions/audit.csv`: what is filtered, not only what a page shows; past the newest 10 000 lines a last one says that there are more.
pub async fn csv(State(app): State<App>, Query(filter): Query<Filter>) -> Result<Response, Problem> {
    let (search, wrong) = filter.search(trail::MOST);
    if let Some(wrong) = wrong {
        return Err(Problem::bad_request(wrong));
    }
    trail::download(&app, search).await
}
