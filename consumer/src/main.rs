//! Settings, listener, run.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use common::{serve, telemetry};
use consumer::config::{Command, Config};
use tokio::net::TcpListener;

/// The system's allocator costs a fifth of the time of an intake under load: what one thread allocates, another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // No .env is no error: every setting has a default.
    let _ = dotenvy::dotenv();
    let config = Config::parse();
    telemetry::init(config.common.log_format);
    let done = match config.command {
        Some(Command::Health) => serve::ask_ready(config.listen),
        None => serve(config),
    };
    done.map_or_else(
        |error| {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

#[tokio::main]
async fn serve(config: Config) -> anyhow::Result<()> {
    let stop = serve::stop_on_signals()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another consumer running? Set LISTEN", config.listen))?;
    consumer::run(config, listener, stop).await
}
