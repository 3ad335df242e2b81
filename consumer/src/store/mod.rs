//! The SQL: a file a table, and one for what writes to several at once.

pub mod actions;
pub mod append;
pub mod counts;
pub mod devices;
pub mod events;
pub mod rejected;
pub mod rereading;
pub mod retention;
pub mod sources;
