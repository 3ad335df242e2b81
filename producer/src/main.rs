//! Reads the settings, binds the listener, runs; or produces one batch from the command line.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use common::{config, files, serve, telemetry};
use producer::{
    cli,
    config::{Cli, Command, DevicesCommand, Settings},
};
use tokio::net::TcpListener;

/// The system's allocator is slow where one thread frees what another allocated, as the worker and the recorder do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    config::read_env_file()?;
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(run(cli));
    // A name that is just being looked up would hold up the end.
    runtime.shutdown_background();
    ended
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Some(Command::Produce(produce)) => {
            telemetry::init_at(produce.settings.common.log_format, "warn");
            cli::produce(produce).await
        }
        Some(Command::Health(settings)) => serve::ask_ready(settings.listen).map(|()| ExitCode::SUCCESS),
        Some(Command::Initdb(settings)) => {
            telemetry::init_at(settings.common.log_format, "warn");
            producer::accounts::initdb(&settings).await.map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Devices(devices)) => {
            let DevicesCommand::Check { file } = devices.command;
            cli::check_devices(&file).await
        }
        Some(Command::Serve(settings)) => serve(settings).await,
        None => serve(cli.settings).await,
    }
}

async fn serve(settings: Settings) -> anyhow::Result<ExitCode> {
    telemetry::init(settings.common.log_format);
    files::raise_limit();
    let stop = serve::stop_on_signals()?;
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("cannot listen on {}", settings.listen))?;
    producer::run(settings, listener, stop).await?;
    Ok(ExitCode::SUCCESS)
}
