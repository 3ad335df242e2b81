//! Settings, listener, run.

use anyhow::Context;
use clap::Parser;
use common::{config, files, serve, telemetry};
use consumer::config::{Command, Config};
use tokio::net::TcpListener;

/// The system's allocator is slow where one thread frees what another allocated: a fifth of the intake's time under load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    config::read_env_file()?;
    let config = Config::parse();
    telemetry::init(config.common.log_format);
    match config.command {
        Some(Command::Health) => serve::ask_ready(config.listen),
        None => serve(config),
    }
}

#[tokio::main]
async fn serve(config: Config) -> anyhow::Result<()> {
    files::raise_limit();
    let stop = serve::stop_on_signals()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another consumer running? Set LISTEN", config.listen))?;
    consumer::run(config, listener, stop).await
}
