//! Actions: a file a table.

pub mod audit;
pub mod commands;
pub mod definitions;
pub mod devices;
pub mod emergencies;
pub mod executions;
pub mod keys;
pub mod news;
