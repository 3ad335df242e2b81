//! The producer's settings: each is a flag and an environment variable of the same name.
#![expect(clippy::doc_markdown, reason = "the comments of the fields are the text of --help")]

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use common::{
    config::{CommonArgs, parse_duration},
    guard::allow::AllowList,
    signature::secret_bytes,
};
use url::Url;

use crate::{
    delivery::retry::Schedule,
    sources::{
        devices::file::{self, Source},
        fake::Weights,
    },
};

/// Sends tasks as webhooks: with a page, an API, and from the command line.
#[derive(Parser, Debug)]
#[command(name = "producer", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub settings: Settings,
}

const AFTER_HELP: &str = "A file .env in the working directory is read when there is one. Times are seconds (1, 0.5) or carry a unit (200ms, 5m, 2h).";

const LONGEST_TIME: Duration = Duration::from_hours(30 * 24);

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve the pages and the API, and deliver what is queued (the default)
    Serve(Settings),
    /// Drop everything that is stored, make the tables and the admin account anew, and print its keys
    Initdb(Settings),
    /// Ask a running producer on LISTEN's port whether it is ready; exits 1 when it is not
    Health(Settings),
    /// What concerns the file of DEVICES
    Devices(Devices),
    /// Produce one batch from the command line, follow it to its end, and exit 1 when a task was not delivered
    #[command(after_help = AFTER_HELP)]
    Produce(Produce),
}

#[derive(Args, Debug)]
pub struct Devices {
    #[command(subcommand)]
    pub command: DevicesCommand,
}

#[derive(Subcommand, Debug)]
pub enum DevicesCommand {
    /// Connect to each source of the file once and print what it sees; exits 1 when one cannot be reached
    Check {
        /// Such as devices.yaml
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct Produce {
    /// Send a reading of every device instead: this machine's sensors, and the sources of DEVICES
    #[arg(long, conflicts_with_all = ["count", "weights"])]
    pub hardware: bool,

    /// Number of tasks; unset: a random one between MIN_NBR_TASKS and MAX_NBR_TASKS, drawn from --seed when that is given
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,

    /// Time between two tasks, 0s: as fast as the receiver takes them; unset: WAIT_TIME, for readings 0s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub wait: Option<Duration>,

    /// Where the tasks are posted to; unset: WEBHOOK_RECEIVER_URL, for readings /hardware below it
    #[arg(long, value_name = "URL")]
    pub to: Option<Url>,

    /// How often each priority is drawn, as 4,3,2,1 (Low, Moderate, Major, Critical) or Low=4,Critical=1; unset: all alike
    #[arg(long, value_name = "WEIGHTS")]
    pub weights: Option<Weights>,

    /// Print one JSON object per attempt, and a summary at the end
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Address the pages and the API listen on; anything wider than loopback asks for the admin password
    #[arg(long, env = "LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    pub listen: SocketAddr,

    /// The queue: sqlite://PATH, or postgres://USER:PASSWORD@HOST/NAME for several machines
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite://data/producer.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// Where tasks are posted to unless a batch says otherwise
    #[arg(
        long,
        env = "WEBHOOK_RECEIVER_URL",
        value_name = "URL",
        default_value = "http://localhost:5001/consumetasks",
        hide_env_values = true
    )]
    pub webhook_receiver_url: Url,

    /// Secret that requests to WEBHOOK_RECEIVER_URL are signed with (Standard Webhooks: whsec_ and Base64); unset: not signed
    #[arg(long, env = "WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,

    /// Least number of tasks of a batch that names none
    #[arg(long, env = "MIN_NBR_TASKS", value_name = "N", default_value_t = 1)]
    pub min_nbr_tasks: usize,

    /// Largest number of tasks of a batch that names none
    #[arg(long, env = "MAX_NBR_TASKS", value_name = "N", default_value_t = 100)]
    pub max_nbr_tasks: usize,

    /// Largest number of tasks a batch may ask for
    #[arg(long, env = "MAX_BATCH", value_name = "N", default_value_t = 100_000)]
    pub max_batch: usize,

    /// Time between two tasks of a batch; 0: as fast as the receiver takes them
    #[arg(long, env = "WAIT_TIME", value_name = "TIME", default_value = "1s", value_parser = time)]
    pub wait_time: Duration,

    /// Seed of the made-up tasks: the same seed gives the same tasks; unset: 0
    #[arg(long, env = "SEED", value_name = "N")]
    pub seed: Option<u64>,

    /// Requests under way at once, over all receivers
    #[arg(long, env = "DELIVERY_CONCURRENCY", value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    pub delivery_concurrency: usize,

    /// Requests under way at once to one receiver
    #[arg(long, env = "ENDPOINT_CONCURRENCY", value_name = "N", default_value_t = 32, value_parser = at_least_one)]
    pub endpoint_concurrency: usize,

    /// How long one attempt may take, from connecting to the end of the answer
    #[arg(long, env = "DELIVERY_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub delivery_timeout: Duration,

    /// The waits before each attempt; after the last one a delivery has failed until it is retried by hand
    #[arg(long, env = "RETRY_SCHEDULE", value_name = "TIMES", default_value = "0,5s,5m,30m,2h,5h,10h,14h,20h,24h")]
    pub retry_schedule: Schedule,

    /// While a receiver cannot be reached: how often it is looked whether it listens again; then its retries come at once
    #[arg(long, env = "PROBE_INTERVAL", value_name = "TIME", default_value = "2s", value_parser = time)]
    pub probe_interval: Duration,

    /// Share of a wait by which it is spread, so that retries do not come all at once: 0 to 1
    #[arg(long, env = "RETRY_JITTER", value_name = "SHARE", default_value_t = 0.1, value_parser = share)]
    pub retry_jitter: f64,

    /// Private addresses that may be posted to, separated by commas: networks (10.0.0.0/8), addresses, host names, *.suffix;
    /// this machine itself is allowed while LISTEN is on loopback
    #[arg(long, env = "ALLOW_TARGETS", value_name = "LIST", default_value = "", hide_default_value = true)]
    pub allow_targets: AllowList,

    /// Accounts API: the wait before each of the three retries of a subscription that keeps the old profile
    #[arg(long, env = "DEFAULT_RETRY", value_name = "TIME", default_value = "120s", value_parser = time)]
    pub default_retry: Duration,

    /// Accounts API: failed attempts in a row after which an account's endpoint is disabled and its events are held
    #[arg(long, env = "MAX_FAILED_COUNT", value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(i64).range(1..))]
    pub max_failed_count: i64,

    /// Accounts API: ask the accounts' endpoints for a certificate that can be verified; PyWebhooks never did
    #[arg(long, env = "VERIFY_ENDPOINT_TLS", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub verify_endpoint_tls: bool,

    /// The file with the sources of devices (docs/devices.md) whose changes are sent; unset: none
    #[arg(long, env = "DEVICES", value_name = "FILE")]
    pub devices: Option<PathBuf>,

    #[command(flatten)]
    pub common: CommonArgs,
}

impl Settings {
    /// The defaults, whatever the environment says; for tests.
    ///
    /// # Panics
    /// When a default above cannot be read.
    #[must_use]
    pub fn defaults() -> Self {
        let command = Settings::augment_args(clap::Command::new("producer")).mut_args(|arg| arg.env(None::<&str>));
        let matches = command.get_matches_from(["producer"]);
        <Self as clap::FromArgMatches>::from_arg_matches(&matches).expect("the defaults are valid")
    }

    /// Reads the file of `DEVICES`; none when it is not set.
    ///
    /// # Errors
    /// When it cannot be read or is wrong; names the line and the column.
    pub fn devices(&self) -> anyhow::Result<Vec<Source>> {
        let path = self.devices.as_deref().filter(|path| !path.as_os_str().is_empty());
        path.map_or(Ok(Vec::new()), |path| file::read(path, &self.webhook_receiver_url))
    }

    /// Checks what no single setting shows.
    ///
    /// # Errors
    /// Names the settings and what to change.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.min_nbr_tasks >= 1, "MIN_NBR_TASKS must be at least 1");
        anyhow::ensure!(self.min_nbr_tasks <= self.max_nbr_tasks, "MIN_NBR_TASKS must not be above MAX_NBR_TASKS");
        anyhow::ensure!(self.max_nbr_tasks <= self.max_batch, "MAX_NBR_TASKS must not be above MAX_BATCH");
        let is_http = matches!(self.webhook_receiver_url.scheme(), "http" | "https");
        anyhow::ensure!(is_http, "WEBHOOK_RECEIVER_URL must begin with http:// or https://");
        let bare = self.webhook_receiver_url.username().is_empty() && self.webhook_receiver_url.password().is_none();
        anyhow::ensure!(
            bare,
            "WEBHOOK_RECEIVER_URL may carry no user name or password: they would be shown and stored"
        );
        let secret = self.webhook_secret.as_deref().filter(|secret| secret.starts_with("whsec_"));
        let is_read = secret.is_none_or(|secret| secret_bytes(secret) != secret.as_bytes());
        anyhow::ensure!(is_read, "WEBHOOK_SECRET begins with whsec_, but what follows is not Base64");
        anyhow::ensure!(!self.delivery_timeout.is_zero(), "DELIVERY_TIMEOUT must be above 0");
        anyhow::ensure!(self.delivery_timeout <= Duration::from_mins(10), "DELIVERY_TIMEOUT must be at most 10m");
        Ok(())
    }
}

/// Reads a time of at most 30 days.
///
/// # Errors
/// Says what is understood.
pub fn time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text)?;
    if time > LONGEST_TIME { Err(format!("{text:?} is too long: write at most 30d")) } else { Ok(time) }
}

/// The time as a sentence says it: `5 s`, `200 ms`.
pub(crate) fn words(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number of at least 1".into()),
        Ok(number) => Ok(number),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a number between 0 and 1".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        Settings::defaults().check().unwrap();
    }

    #[test]
    fn settings_stand_with_and_without_a_subcommand() {
        let bare = Cli::parse_from(["producer", "--wait-time", "200ms"]);
        assert_eq!(bare.settings.wait_time, Duration::from_millis(200));
        let named = Cli::parse_from(["producer", "produce", "--count", "3", "--seed", "7", "--retry-schedule", "0,1s"]);
        let Some(Command::Produce(produce)) = named.command else { panic!("not the subcommand") };
        assert_eq!(
            (produce.count, produce.settings.seed, produce.settings.retry_schedule.attempts()),
            (Some(3), Some(7), 2)
        );
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        let settings = Settings { min_nbr_tasks: 5, max_nbr_tasks: 4, ..Settings::defaults() };
        assert!(settings.check().unwrap_err().to_string().contains("MIN_NBR_TASKS"));
        let settings = Settings { webhook_secret: Some("whsec_#".into()), ..Settings::defaults() };
        assert!(settings.check().unwrap_err().to_string().contains("WEBHOOK_SECRET"));
    }
}
