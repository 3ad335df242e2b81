//! `producer devices check`: connects to each source once, and prints what it sees.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use url::Url;

use super::{
    file::{self, Source},
    kind::Seen,
    reading::Reading,
    status::Failing,
};

/// Prints a line for each source and each device that the mask lets through; exit code 1 when something cannot be read.
///
/// # Errors
/// When the file is wrong, or nothing can be printed.
pub async fn check(path: &Path, receiver: &Url) -> anyhow::Result<ExitCode> {
    let mut all_reached = true;
    for source in file::read(path, receiver)? {
        let seen = source.kind.look().await;
        all_reached &= seen.as_ref().is_ok_and(|seen| seen.failing.is_empty());
        tell(&source, seen)?;
    }
    Ok(if all_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(source: &Source, seen: anyhow::Result<Seen>) -> io::Result<()> {
    let (mut out, name, kind) = (io::stdout().lock(), &source.name, source.kind.name());
    let Seen { readings, failing } = match seen {
        Ok(seen) => seen,
        Err(error) => return writeln!(out, "{name} ({kind}): {error:#}"),
    };
    let wanted: Vec<&Reading> = readings.iter().filter(|reading| source.rules.wants(reading)).collect();
    writeln!(out, "{name} ({kind}): {} devices, {} by the mask", readings.len(), wanted.len())?;
    for reading in wanted {
        let Reading { dev, circuit, value, rest, .. } = reading;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let unit = rest.get("unit").and_then(|unit| unit.as_str()).map_or_else(String::new, |unit| format!(" {unit}"));
        let stale = if rest.contains_key("stale") { " (stale)" } else { "" };
        writeln!(out, "{name}  {dev} {circuit}  {value}{unit}{stale}")?;
    }
    for Failing { device, error } in failing {
        writeln!(out, "{name}  {device}  {error}")?;
    }
    Ok(())
}
