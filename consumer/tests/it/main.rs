//! The consumer from outside, over HTTP and sockets, on SQLite in process and on PostgreSQL with Redis.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

mod actions;
mod api;
mod devices;
mod doors;
mod intake;
mod log;
mod matrix;
mod nodes;
mod outages;
mod rules;
mod security;
mod sockets;
mod sources;
