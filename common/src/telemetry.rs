//! Structured logs on standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt};

/// What libraries say, again and again, of an outage that we tell of once.
const QUIET: &str = "sqlx::postgres::notice=error,sqlx::pool=error,sqlx_core::pool=error,fred=error";

/// Libraries that print whatever they read on a socket, the keys of devices too, wherever less than `info` is logged.
const TALKERS: [&str; 4] = ["engineioxide", "socketioxide", "tokio_tungstenite", "tungstenite"];

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the whole process; called by `main` only. `RUST_LOG` chooses what is logged, `info` unless told.
pub fn init(format: LogFormat) {
    init_at(format, "info");
}

/// As [`init`], but logs from `level` on unless told: a command that prints its results needs no news beside them.
pub fn init_at(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    let filter = discreet(filter);
    let is_coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_coloured);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}

/// The filter, but for what [`TALKERS`] would print: a talker that is named in it has its say all the same.
fn discreet(chosen: EnvFilter) -> EnvFilter {
    let named = chosen.to_string();
    let is_detailed = chosen.max_level_hint().is_none_or(|most| most > LevelFilter::INFO);
    let talkers = TALKERS.iter().filter(|talker| is_detailed && !named.contains(*talker));
    talkers.filter_map(|talker| format!("{talker}=info").parse().ok()).fold(chosen, EnvFilter::add_directive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_print_what_they_read_are_quiet_unless_they_are_named() {
        let quiet = |chosen: &str| discreet(EnvFilter::new(chosen)).to_string().contains("socketioxide=info");
        for chosen in ["trace", "debug", "info,common=trace"] {
            assert!(quiet(chosen), "{chosen}");
        }
        for chosen in ["off", "warn", "info", "debug,socketioxide=trace"] {
            assert!(!quiet(chosen), "{chosen}");
        }
    }
}
