//! A row for the table of `docs/reliability.md`, in the folder that `CHAOS_REPORT` names.

use std::path::PathBuf;
use std::time::Duration;

use super::checker::Verdict;
use crate::support::stack::Mode;

/// What was tried.
pub struct Run<'a> {
    pub fault: &'a str,
    pub mode: Mode,
    pub faults: usize,
    pub recovery: Duration,
}

/// Writes the row; does nothing when no folder is named.
pub fn write(run: &Run<'_>, verdict: &Verdict) {
    let mode = match run.mode {
        Mode::Embedded => "embedded",
        Mode::PostgresAndRedis => "PostgreSQL + Redis",
    };
    let recovery = format!("{:.1} s", run.recovery.as_secs_f64());
    let cells = [
        run.fault.to_owned(),
        mode.to_owned(),
        run.faults.to_string(),
        verdict.accepted.to_string(),
        verdict.lost.to_string(),
        verdict.twice.to_string(),
        verdict.refused.to_string(),
        recovery,
        verdict.lines.to_string(),
        format!("{} MiB", verdict.peak_mib),
        if verdict.wrong.is_empty() { "held".to_owned() } else { format!("broken: {}", verdict.wrong.join("; ")) },
    ];
    let row = format!("| {} |\n", cells.join(" | "));
    eprint!("{row}");
    let Some(folder) = std::env::var_os("CHAOS_REPORT") else { return };
    let name: String = format!("{} {mode}", run.fault).replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
    std::fs::write(PathBuf::from(folder).join(format!("{name}.row")), row).unwrap();
}
