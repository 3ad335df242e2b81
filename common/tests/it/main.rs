//! What holds for the sources of the whole workspace, and for whatever may arrive.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod architecture;
mod fuzz;
mod security;
