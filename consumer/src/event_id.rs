//! Event ids: what actions are called by.

const MAX_ID_CHARS: usize = 128;

/// # Errors
/// Says what an event id is.
pub fn check_event_id(event_id: &str) -> Result<(), String> {
    if event_id.is_empty() {
        return Err("event_id is missing: the event id of an action.".into());
    }
    let is_good = event_id.trim() == event_id && is_plain(event_id, MAX_ID_CHARS);
    is_good.then_some(()).ok_or_else(|| {
        format!("event_id has 1 to {MAX_ID_CHARS} characters, none of them a control character or a blank at an end.")
    })
}

/// Whether the text has at most so many characters, and no control character among them.
#[must_use]
pub fn is_plain(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}
