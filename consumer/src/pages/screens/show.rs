//! One device: what it is and shows, what it was told and what became of it, and what a screen shows by itself.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use common::{
    fields::Fields,
    page::{self, Stamp},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use uuid::Uuid;

use super::{Said, address, after, editor::Editor, row::DeviceRow};
use crate::{
    App,
    actions::{
        administrator::Admin,
        screens::{content::Content, manage, showing::Showing},
    },
    store::actions::{
        commands::{self, Command},
        screens,
    },
};

const COMMANDS: i64 = 20;

#[derive(Template)]
#[template(path = "screen.html")]
struct ScreenPage {
    served_at: String,
    producer_url: String,
    said: Option<&'static str>,
    error: Option<String>,
    device: DeviceRow,
    facts: Vec<(&'static str, String)>,
    commands: Vec<CommandRow>,
    editor: Option<Editor>,
    /// Something in the form is not saved yet.
    is_changed: bool,
    /// Where the screen itself opens the player.
    address: String,
    kinds: [(&'static str, &'static str); 4],
    back: &'static str,
    /// What a command by hand is called, so that sending its form twice does it once.
    once: String,
}

/// A command, and what became of it.
struct CommandRow {
    function: String,
    action: String,
    state: String,
    /// The colour of the state.
    class: &'static str,
    at: Stamp,
    /// How long it took until it was acknowledged, and until it ended.
    times: String,
    said: String,
}

/// `GET /screens/{id}`.
pub async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut page = whole(&app, &id, &headers).await?;
    page.said = said.words();
    Ok(page::render(&page))
}

/// `POST /screens/{id}/content`: saves it, or adds, removes or moves a row and shows the form again.
pub async fn change(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut editor = Editor::typed(&fields);
    let is_moved = editor.press(fields.get("do"));
    let error = if is_moved { None } else { save(&app, &admin, &id, &editor).await? };
    if !is_moved && error.is_none() {
        return Ok(after(&format!("/screens/{id}"), "kept"));
    }
    let mut page = whole(&app, &id, &headers).await?;
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    (page.editor, page.error, page.is_changed) = (Some(editor), error, true);
    Ok((status, page::render(&page)).into_response())
}

/// What is wrong with it; `None`: it is saved.
async fn save(app: &App, admin: &Admin, id: &str, editor: &Editor) -> Result<Option<String>, Problem> {
    match Content::read(editor.value()) {
        Ok(content) => manage::keep(app, admin, id, &content).await.map(|()| None),
        Err(error) => Ok(Some(in_words(&error))),
    }
}

/// `items[1]: url …` as `Loop, row 2: url …`.
fn in_words(error: &str) -> String {
    for (member, word) in [("items", "Loop"), ("datasources", "Datasources"), ("rules", "Rules")] {
        let found = error.strip_prefix(member).and_then(|rest| rest.strip_prefix('[')?.split_once(']'));
        if let Some((at, rest)) = found.and_then(|(at, rest)| Some((at.parse::<usize>().ok()?, rest))) {
            return format!("{word}, row {}{rest}.", at + 1);
        }
    }
    format!("{error}.")
}

async fn whole(app: &App, id: &str, headers: &HeaderMap) -> Result<ScreenPage, Problem> {
    let now_ms = now_ms();
    let device = manage::device(app, id).await?;
    let showing = screens::showing_of(&app.db, id).await?.and_then(|json| Showing::stored(&json));
    let commands = commands::newest(&app.db, id, COMMANDS).await?;
    let content = screens::content(&app.db, id).await?;
    let facts = vec![
        ("Paired", Stamp::of(device.paired_ms, now_ms).absolute),
        ("Made", Stamp::of(device.created_ms, now_ms).absolute),
        ("Id", device.id.clone()),
    ];
    let name: String = form_urlencoded::byte_serialize(device.name.as_bytes()).collect();
    // In a path a blank is no plus.
    let address = format!("{}{}", address(headers), name.replace('+', "%20"));
    Ok(ScreenPage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        said: None,
        error: None,
        facts,
        commands: commands.into_iter().map(|command| command_row(command, now_ms)).collect(),
        editor: content.map(|stored| Editor::of(&Content::stored(stored.as_deref()))),
        is_changed: false,
        address,
        kinds: [("web", "Web page"), ("image", "Image"), ("dashboard", "Dashboard"), ("card", "Card")],
        back: "",
        once: Uuid::now_v7().to_string(),
        device: DeviceRow::of(device, showing, now_ms),
    })
}

fn command_row(it: Command, now_ms: i64) -> CommandRow {
    let since = |name: &str, at_ms: Option<i64>| {
        at_ms.map(|at_ms| format!("{name} after {}", page::took(at_ms - it.queued_ms)))
    };
    let ended = since(&it.state, it.ended_ms);
    let times = [since("acknowledged", it.acknowledged_ms), ended].into_iter().flatten().collect::<Vec<_>>();
    CommandRow {
        class: match it.state.as_str() {
            "done" => "low",
            "failed" => "critical",
            "expired" => "other",
            "acknowledged" => "moderate",
            _ => "major",
        },
        at: Stamp::of(it.queued_ms, now_ms),
        times: times.join(", "),
        said: it.said.unwrap_or_default(),
        function: it.function,
        action: it.action,
        state: it.state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_row_as_the_form_counts_it() {
        assert_eq!(in_words("items[1]: url begins with http"), "Loop, row 2: url begins with http.");
        assert_eq!(in_words("items has 1 to 100 of them"), "items has 1 to 100 of them.");
    }
}
