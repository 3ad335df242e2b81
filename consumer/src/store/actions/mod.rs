//! Actions: a file a table.

pub mod audit;
pub mod commands;
pub mod controllers;
pub mod definitions;
pub mod devices;
pub mod emergencies;
pub mod executions;
pub mod firings;
pub mod keys;
pub mod news;
pub mod pairings;
mod reports;
pub mod screens;
