//! The consumer's settings.
#![expect(clippy::doc_markdown, reason = "the comments of the fields are the text of --help")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};
use common::{
    config::{CommonArgs, is_loopback, parse_duration},
    guard::{Policy, allow::AllowList},
};

/// Receives webhooks on `/consumetasks`, keeps them in an ordered log and shows them live on `/`.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "consumer",
    version,
    about,
    args_override_self = true,
    after_help = "Every flag is an environment variable of the name in brackets; .env is read when there is one."
)]
pub struct Config {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on; wider than loopback, the pages ask for the admin password
    #[arg(long, env = "LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:5001")]
    pub listen: SocketAddr,

    /// Where the log is kept: sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite://data/consumer.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// What is kept: an age, a count of events, or both, separated by a comma; 0 for no limit
    #[arg(long, env = "RETENTION", value_name = "AGE,COUNT", default_value = "30d,20000000", value_parser = parse_retention)]
    pub retention: Retention,

    /// Largest body that is taken, in bytes
    #[arg(long, env = "MAX_BODY", value_name = "BYTES", default_value = "1048576", value_parser = parse_max_body)]
    pub max_body: usize,

    /// Requests that may wait for the next commit; beyond it a sender is told 503 and when to come again
    #[arg(long, env = "INTAKE_QUEUE", value_name = "COUNT", default_value_t = 8192)]
    pub intake_queue: usize,

    /// Different sources that are ever taken
    #[arg(long, default_value_t = 1000, hide = true)]
    pub max_sources: usize,

    /// A device that was silent for longer is shown as stale; 0: never
    #[arg(long, env = "STALE_AFTER", value_name = "TIME", default_value = "1d", value_parser = parse_duration)]
    pub stale_after: Duration,

    /// The file with the sources that may send and how they are guarded (docs/sources.md); unset: those of the page Sources
    #[arg(long, env = "SOURCES", value_name = "FILE")]
    pub sources: Option<PathBuf>,

    /// What becomes of a webhook for a source that is not configured: `open` takes it, `refuse` answers 403
    #[arg(long, env = "UNKNOWN_SOURCES", value_enum, default_value = "open")]
    pub unknown_sources: UnknownSources,

    /// Where the dashboard's empty state finds the producer
    #[arg(long, env = "PRODUCER_URL", value_name = "URL", default_value = "http://localhost:5000/")]
    pub producer_url: String,

    /// Private addresses that the datasources of screens may be fetched from, separated by commas: networks (10.0.0.0/8),
    /// addresses, host names, *.suffix; this machine itself is allowed while LISTEN is on loopback
    #[arg(long, env = "ALLOW_TARGETS", value_name = "LIST", default_value = "", hide_default_value = true)]
    pub allow_targets: AllowList,

    #[command(flatten)]
    pub common: CommonArgs,
}

impl Config {
    /// Where datasources may be fetched from by a service that listens there.
    #[must_use]
    pub fn policy(&self, listen: SocketAddr) -> Policy {
        Policy { allowed: self.allow_targets.clone(), loopback: is_loopback(listen) }
    }

    /// The file with the sources; an empty setting is none.
    #[must_use]
    pub fn sources_file(&self) -> Option<&Path> {
        self.sources.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}

/// What becomes of a webhook for a source that is not configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnknownSources {
    /// It is taken, under the name it came with.
    Open,
    /// It is answered 403.
    Refuse,
}

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Ask a running consumer on LISTEN's port whether it is ready; exits 1 when it is not
    Health,
}

/// How long and how many events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub age: Option<Duration>,
    pub count: Option<i64>,
}

/// Reads `30d`, `1000000` or both with a comma; a bare number is a count.
fn parse_retention(text: &str) -> Result<Retention, String> {
    let mut retention = Retention { age: None, count: None };
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "0") {
        match part.parse::<i64>() {
            Ok(count) if count > 0 => retention.count = Some(count),
            Ok(_) => return Err(format!("{part} is not a count of events to keep")),
            Err(_) => retention.age = Some(parse_duration(part)?),
        }
    }
    Ok(retention)
}

/// A larger body could never wait for its commit together with others: the log's queue has room for twice as much.
const LARGEST_MAX_BODY: usize = 32 * 1024 * 1024;

fn parse_max_body(text: &str) -> Result<usize, String> {
    let bytes = text.trim().parse().ok().filter(|bytes| (1..=LARGEST_MAX_BODY).contains(bytes));
    bytes.ok_or_else(|| {
        format!("a body has 1 to {LARGEST_MAX_BODY} bytes (32 MiB): it is kept in memory until it is stored")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_an_age_a_count_or_both() {
        let day = Duration::from_hours(24);
        let cases = [
            ("30d,1000", Some(day * 30), Some(1000)),
            ("1000", None, Some(1000)),
            ("1d", Some(day), None),
            ("0", None, None),
        ];
        for (text, age, count) in cases {
            assert_eq!(parse_retention(text), Ok(Retention { age, count }), "{text}");
        }
        assert!(parse_retention("-5").is_err() && parse_retention("for ever").is_err());
    }

    #[test]
    fn a_body_that_could_never_be_stored_is_refused_at_the_start() {
        assert_eq!(parse_max_body("33554432"), Ok(LARGEST_MAX_BODY));
        for text in ["33554433", "0", "1 MB"] {
            assert!(parse_max_body(text).unwrap_err().contains("33554432 bytes"), "{text}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Config::command().debug_assert();
    }
}
