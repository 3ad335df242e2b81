//! The disk is full, and has room again: nothing accepted is lost, senders are told to come again, and it goes on by itself.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::{Expected, Trial, often, ready, until};
use crate::support::stack::{Mode, Settings, Stack};

/// Both databases fit, and little else.
const SIZE: &str = "size=64m";

/// A small disk, unmounted with this value.
struct Disk(TempDir);

impl Disk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = as_root("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder.path()).output();
        let made = made.unwrap_or_else(|error| panic!("this test mounts a small tmpfs, as root or by sudo: {error}"));
        let why = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "this test mounts a small tmpfs, as root or by sudo, and may not: {why}");
        Self(folder)
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.0.path().join(name).display())
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for size in [64 * 1024, 1] {
            let piece = vec![0; size];
            let full = std::iter::repeat_with(|| ballast.write_all(&piece)).find_map(Result::err).unwrap();
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    fn empty(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = as_root("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn as_root(program: &str) -> Command {
    if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

#[tokio::test]
async fn a_disk_that_is_full_loses_nothing_that_was_accepted() {
    let disk = Disk::mount();
    let settings = Settings {
        consumer: vec![("DATABASE_URL", disk.url("consumer.db"))],
        producer: vec![("DATABASE_URL", disk.url("producer.db"))],
        postgres: None,
    };
    let stack = Stack::start_with(Mode::Embedded, settings).await;
    let mut trial = Trial::begin("The disk is full, and has room again", Mode::Embedded, stack).await;
    for _ in 0..often(2, 10) {
        trial.goes_on(100).await;
        trial.hurts();
        let refused = trial.load.refusals();
        disk.fill();
        until("senders are told to come again", async || trial.load.refusals() > refused + 10).await;
        // The producer's file may still have room within itself.
        ready::says(&trial.stack.client, &trial.stack.consumer, 503, &[("database", "down")]).await;
        disk.empty();
        trial.heals().await;
    }
    trial.ends(&Expected::default()).await;
}
