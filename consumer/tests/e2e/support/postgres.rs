//! A PostgreSQL server of a test's own, which it may stop, crash and start again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::process::free_port;

/// Stopped and removed with this value.
pub struct PostgresServer {
    folder: TempDir,
    port: u16,
}

impl PostgresServer {
    /// A fresh server; it takes a few seconds.
    pub fn start() -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap(), port: free_port() };
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(server.folder.path()).status().unwrap();
            assert!(owned.success(), "there is no user postgres: run `make bootstrap`");
        }
        server.run("initdb", &["--username=hookcast", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        server.go_on();
        server
    }

    /// Names the server by its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://hookcast@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it: `fast` ends every connection, `immediate` is a crash that the next start recovers from.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["stop", "-m", mode]);
    }

    /// Starts it again, and waits until it takes connections.
    pub fn go_on(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port);
        let log = self.log();
        self.run("pg_ctl", &["start", "-w", "-o", &options, "-l", &log.display().to_string()]);
    }

    /// Runs SQL there; gives what it says.
    pub fn sql(&self, text: &str) -> String {
        let said = Command::new("psql").args(["-qtA", &self.url(), "-c", text]).output().unwrap();
        told(&said, "psql")
    }

    /// All that the server has logged.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_its_user(&tool(program));
        command.arg("-D").arg(self.folder.path().join("data")).args(arguments).current_dir("/");
        told(&command.output().unwrap(), program);
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let mut stop = as_its_user(&tool("pg_ctl"));
        let _ = stop.arg("-D").arg(self.folder.path().join("data")).args(["stop", "-m", "immediate"]).output();
    }
}

fn told(output: &Output, program: &str) -> String {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program}: {}{}", words(&output.stdout), words(&output.stderr));
    words(&output.stdout)
}

/// PostgreSQL refuses to be root.
fn as_its_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().unwrap();
    said.stdout == b"0\n"
}

/// Debian keeps the server's programs where no path leads.
fn tool(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("PostgreSQL's {name} is missing: run `make bootstrap`"))
}
