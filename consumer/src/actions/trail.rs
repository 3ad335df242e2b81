//! The audit as a table for spreadsheets: what happened, and what became of it on the devices.

use std::collections::BTreeMap;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use common::{problem::Problem, time::rfc3339};

use crate::{
    App,
    store::actions::{
        audit::{self, Line, Search},
        executions,
    },
};

/// Lines that a table has at the most.
pub const MOST: i64 = 10_000;

const HEAD: &str = "at,who,from,what,subject,status,detail,execution,outcome\r\n";
/// Executions that are asked for at once.
const AT_ONCE: usize = 500;

/// How many commands of an execution stand in which state, in the order of the states' names.
pub type States = Vec<(String, i64)>;

/// The table of what is found, as a file; of more lines than the search's limit it has the newest, and a last one that says so.
///
/// # Errors
/// When the database fails.
pub async fn download(app: &App, search: Search) -> Result<Response, Problem> {
    let limit = search.limit;
    let mut lines = audit::find(&app.db, &Search { limit: limit.saturating_add(1), ..search }).await?;
    let most = usize::try_from(limit).unwrap_or(0);
    let is_cut = lines.len() > most;
    lines.truncate(most);
    let text = csv(&lines, &outcomes(app, &lines).await?, is_cut);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, text).into_response())
}

/// What became of the executions that the lines name.
///
/// # Errors
/// When the database fails.
pub async fn outcomes(app: &App, lines: &[Line]) -> sqlx::Result<BTreeMap<String, States>> {
    let mut ids: Vec<&str> = lines.iter().map(|line| line.entry.execution.as_str()).collect();
    ids.retain(|id| !id.is_empty());
    let mut outcomes = BTreeMap::<String, States>::new();
    for some in ids.chunks(AT_ONCE) {
        for (id, state, count) in executions::counts(&app.db, some).await? {
            outcomes.entry(id).or_default().push((state, count));
        }
    }
    for states in outcomes.values_mut() {
        states.sort_unstable();
    }
    Ok(outcomes)
}

/// The lines as RFC 4180 writes them, with a head; where there are older ones that are left out, a last line says so.
fn csv(lines: &[Line], outcomes: &BTreeMap<String, States>, is_cut: bool) -> String {
    let mut text = HEAD.to_owned();
    for Line { entry, .. } in lines {
        let (at, status) = (rfc3339(entry.at_ms), entry.status.to_string());
        let outcome = outcomes.get(&entry.execution).map(|states| in_words(states)).unwrap_or_default();
        let cells = [
            &at,
            &entry.who,
            &entry.from,
            &entry.what,
            &entry.subject,
            &status,
            &entry.detail,
            &entry.execution,
            &outcome,
        ];
        text.push_str(&cells.map(|cell| quoted(cell)).join(","));
        text.push_str("\r\n");
    }
    if let Some(oldest) = lines.last().filter(|_| is_cut) {
        text.push_str(&cut(lines.len(), &rfc3339(oldest.entry.at_ms)));
    }
    text
}

/// The line that says how to get the others; the time is that of the oldest line.
fn cut(count: usize, at: &str) -> String {
    let how = format!("Cut: these are the newest {count} lines. Filter by time, until {at}, to get the older ones.");
    format!("{},,,{},,,{},,\r\n", quoted(at), quoted("cut"), quoted(&how))
}

/// `done 40, expired 2`
fn in_words(states: &[(String, i64)]) -> String {
    states.iter().map(|(state, count)| format!("{state} {count}")).collect::<Vec<_>>().join(", ")
}

/// What a spreadsheet would take for a formula gets an apostrophe, as others chose these texts.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::actions::audit::Entry;

    #[test]
    fn a_table_that_is_cut_says_so_and_how_to_get_the_rest() {
        let entry = Entry { at_ms: 1000, who: "admin".into(), ..Entry::default() };
        let lines = [Line { id: "1".into(), entry }];
        let (whole, cut) = (csv(&lines, &BTreeMap::new(), false), csv(&lines, &BTreeMap::new(), true));
        let last = cut.strip_prefix(&whole).unwrap();
        assert!(last.contains("the newest 1 lines") && last.contains("until 1970-01-01T00:00:01.000Z"), "{last}");
        let cells = |line: &str| line.split(',').count();
        assert_eq!(cells(&last.replace(", ", " ")), cells(HEAD), "{last}");
    }

    #[test]
    fn a_cell_is_neither_several_nor_a_formula() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\"\nnow"), "\"say \"\"x\"\"\nnow\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}
