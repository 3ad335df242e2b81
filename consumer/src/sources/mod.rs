//! The sources that are configured: all of them in memory, the stored ones of the page and those of the file, which win.
//!
//! Whoever looks one up takes no lock: the set is replaced whole when it changes, here or on another node.

mod changes;
mod file;
mod pace;
mod registry;
mod rejected;
mod source;

pub use changes::Refusal;
pub use file::read;
pub use pace::Pace;
pub use registry::Registry;
pub use source::{Draft, Origin, Source, fresh_secret};
