//! The SQL: a file a table.

pub mod actions;
pub mod counts;
pub mod devices;
pub mod events;
pub mod rejected;
pub mod rereading;
pub mod retention;
pub mod sources;
