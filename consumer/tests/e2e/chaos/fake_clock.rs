//! A clock that a test sets while programs run by it: libfaketime stands between them and the time of day. Time that only goes on stays as it is.

use std::path::PathBuf;

use tempfile::TempDir;

/// Where Debian has the library, by machine.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

pub struct FakeClock {
    folder: TempDir,
}

impl FakeClock {
    /// Shows the right time.
    pub fn start() -> Self {
        let clock = Self { folder: tempfile::tempdir().unwrap() };
        clock.set(0);
        clock
    }

    /// What makes a program run by it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let file = self.file().display().to_string();
        vec![
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    /// From now on it is this far from the right time, at once for every program that runs by it.
    pub fn set(&self, ahead_s: i64) {
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, format!("{ahead_s:+}")).unwrap();
        std::fs::rename(fresh, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }
}

fn library() -> PathBuf {
    let machines = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut places = machines.map(|machine| machine.join(LIBRARY));
    places.find(|place| place.exists()).expect("libfaketime is missing: run `make bootstrap`")
}
