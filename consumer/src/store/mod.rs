//! The SQL: a file a table.

pub mod counts;
pub mod events;
pub mod retention;
