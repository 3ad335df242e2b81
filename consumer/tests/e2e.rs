//! The whole system from outside: both real programs, real databases, foreign clients, a real browser.
//!
//! `make e2e` runs it; `make bootstrap` installs what it needs, and without that a test fails and says so.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/support/mod.rs"]
mod support;

#[path = "e2e/browser.rs"]
mod browser;
#[path = "e2e/described.rs"]
mod described;
#[path = "e2e/foreign.rs"]
mod foreign;
#[path = "e2e/kills.rs"]
mod kills;
#[path = "e2e/nodes.rs"]
mod nodes;
#[path = "e2e/path.rs"]
mod path;
#[path = "e2e/settings.rs"]
mod settings;
#[path = "e2e/shutdown.rs"]
mod shutdown;
