//! The settings that both services have, and how settings are read.
#![expect(clippy::doc_markdown, reason = "the comments of the fields are the text of --help")]

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::telemetry::LogFormat;

/// Settings of both services; each is a flag and an environment variable of the same name.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// Redis that carries news between several machines, as redis://host:6379 (rediss:// for TLS); unset: one process, no Redis
    #[arg(long, env = "BROKER_URL", value_name = "URL", hide_env_values = true)]
    pub broker_url: Option<String>,

    /// Key that signs sessions and encrypts stored secrets; unset: a random one is made at first start and kept beside the database
    #[arg(long, env = "SECRET_KEY", value_name = "TEXT", hide_env_values = true)]
    pub secret_key: Option<String>,

    /// Password of the pages and the API; only asked for when LISTEN is wider than this machine; unset: one is made at first start and printed once
    #[arg(long, env = "ADMIN_PASSWORD", value_name = "TEXT", hide_env_values = true)]
    pub admin_password: Option<String>,

    /// What a commit survives: `full` a power cut, `normal` only the end of this process
    #[arg(long, env = "DURABILITY", value_enum, default_value = "full")]
    pub durability: Durability,

    /// Further Host names that requests may carry while the service listens on loopback only, separated by commas
    #[arg(long, env = "ALLOWED_HOSTS", value_name = "HOST,…", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// Origins (scheme, host, port) of other people's pages that may call this service from a browser, separated by commas
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "ORIGIN,…", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,

    /// Form of the log on standard error; RUST_LOG chooses what is logged
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// A power cut: fsync at each commit.
    Full,
    /// The end of the process, however sudden; a power cut may take the last commits.
    Normal,
}

impl Default for CommonArgs {
    fn default() -> Self {
        Self {
            broker_url: None,
            secret_key: None,
            admin_password: None,
            durability: Durability::Full,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            log_format: LogFormat::Text,
        }
    }
}

/// Reads `.env` of the working directory, if there is one, behind both flags and the environment; called before the settings are parsed.
///
/// # Errors
/// When there is one and it cannot be read.
pub fn read_env_file() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(error) => Err(error).context("cannot read .env"),
    }
}

/// The text of a setting that was given; an empty one (`ADMIN_PASSWORD=`, as compose files and `.env` write it) was not.
#[must_use]
pub fn given(setting: Option<&String>) -> Option<&str> {
    setting.map(String::as_str).filter(|text| !text.is_empty())
}

/// Reads `1` or `0.5` (seconds), `200ms`, `5m`, `2h`, `1d`.
///
/// # Errors
/// Says which forms are understood.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let read = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    read.ok_or_else(|| {
        format!("{text:?} is not a time: write seconds (1, 0.5) or a number with its unit (200ms, 5m, 2h)")
    })
}

/// Whether a service that listens here can be reached by its own machine only.
#[must_use]
pub fn is_loopback(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_setting_is_none() {
        assert_eq!(given(Some(&"x".to_owned())), Some("x"));
        assert_eq!((given(Some(&String::new())), given(None)), (None, None));
    }

    #[test]
    fn times_are_read_in_seconds_or_with_a_unit() {
        let cases =
            [("1", 1000), ("0.5", 500), ("0", 0), ("200ms", 200), ("0s", 0), (" 5m ", 300_000), ("1h 30m", 5_400_000)];
        for (text, expected_ms) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(expected_ms)), "{text}");
        }
        for text in ["", "-1", "soon", "5 parsecs", "NaN", "inf"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
