//! What the producer and the consumer share, from the task that travels between them to the way both listen and end.

pub mod admin;
pub mod broker;
pub mod config;
pub mod db;
pub mod device;
pub mod edge;
pub mod envelope;
pub mod evok;
pub mod fields;
pub mod guard;
pub mod guesses;
pub mod health;
pub mod key;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod rejection;
pub mod seal;
pub mod serve;
pub mod signature;
pub mod slow;
pub mod task;
pub mod telemetry;
pub mod time;
pub mod tls;
pub mod yaml;
