//! What an operator reads about settings is complete.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::process::{built, root};

#[test]
fn every_setting_of_both_programs_is_in_the_sample() {
    let settings: BTreeSet<String> = ["producer", "consumer"].into_iter().flat_map(settings).collect();
    assert!(settings.contains("LISTEN"), "{settings:?}");
    let sample = std::fs::read_to_string(root().join(".env.sample")).unwrap();
    let missing: Vec<&String> = settings.iter().filter(|name| !sample.contains(&format!("# {name}="))).collect();
    assert!(missing.is_empty(), ".env.sample does not name {missing:?}");
}

/// The environment variables that a program's `--help` names.
fn settings(program: &str) -> Vec<String> {
    let help = Command::new(built(program)).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
    names.map(str::to_owned).collect()
}
