//! What an account may do, whoever asks for it: the API and the pages check and act alike.

pub mod accounts;
pub mod devices;
pub mod options;
pub mod ping;
pub mod webhooks;

use crate::canonical;

/// Bytes of JSON that a name and an endpoint may have.
pub const LONGEST_NAME: usize = 1024;
pub const LONGEST_ENDPOINT: usize = 4096;
/// Bytes of JSON that an event's name, a description and an event's data may have.
pub const LONGEST_TEXT: usize = 16 * 1024;
pub const LONGEST_DATA: usize = 512 * 1024;
/// By so much a text may be longer than what it comes to.
const BLANKS: usize = 2;

/// Why something is not done; texts say what to change.
#[derive(Debug)]
pub enum Refused {
    Bad(String),
    /// There is no such thing.
    Missing(&'static str),
    /// It is taken, or no longer as it would have to be.
    Conflict(&'static str),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// The JSON text in the form that is stored and sent.
///
/// # Errors
/// When it holds what cannot be sent on, or is longer than `most` bytes; the words begin with `name`.
pub fn canonical(name: &str, json: &str, most: usize) -> Result<String, Refused> {
    let too_long = |length: usize| Refused::Bad(format!("{name}: at most {most} bytes of JSON, and this has {length}"));
    // Before it is read level by level: blanks may be left out, but not to this extent.
    if json.len() > most * BLANKS {
        return Err(too_long(json.len()));
    }
    let text = canonical::dumps(json).map_err(|error| Refused::Bad(format!("{name}: {error}")))?;
    if text.len() > most { Err(too_long(text.len())) } else { Ok(text) }
}
