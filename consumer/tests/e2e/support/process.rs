//! Programs as child processes: started, killed, told to stop, and never left behind.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that was started, and what it takes to start it again the same way.
pub struct Process {
    name: &'static str,
    command: Command,
    child: Option<Child>,
    log: PathBuf,
    /// The most memory that one of its runs before this one has used.
    peak_kib: u64,
}

impl Process {
    /// Starts `command`, its output appended to `log`.
    pub fn start(name: &'static str, command: Command, log: &Path) -> Self {
        let mut process = Self { name, command, child: None, log: log.to_owned(), peak_kib: 0 };
        process.start_again();
        process
    }

    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        self.command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = self.command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {:?}: {error}; run `make bootstrap`, and build both programs first", self.command)
        });
        self.child = Some(child);
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// All that it printed, since its first start.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL: what a power cut or the kernel's memory killer does.
    pub fn kill(&mut self) {
        self.peak_kib = self.peak_kib();
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, then how it ended and how long that took; `None` when it still runs after `patience`.
    pub fn terminate(&mut self, patience: Duration) -> Option<(ExitStatus, Duration)> {
        self.peak_kib = self.peak_kib();
        self.signal("TERM");
        let child = self.child.as_mut().expect("it runs");
        let start = Instant::now();
        while start.elapsed() < patience {
            if let Some(status) = child.try_wait().unwrap() {
                self.child = None;
                return Some((status, start.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Sends a signal by its name: `STOP` makes it hang, `CONT` go on.
    pub fn signal(&self, name: &str) {
        let child = self.child.as_ref().expect("it runs");
        let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The most memory that it ever had in use at once, over all its runs.
    pub fn peak_kib(&self) -> u64 {
        let now = self.child.as_ref().and_then(|child| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        });
        self.peak_kib.max(now.unwrap_or(0))
    }

    /// Files and sockets that it holds open.
    pub fn descriptors(&self) -> usize {
        let child = self.child.as_ref().expect("it runs");
        std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count()
    }

    /// Of each of its threads with this name how nice it is and how often it was given a processor, by `proc(5)`.
    pub fn threads(&self, name: &str) -> Vec<(i64, u64)> {
        let child = self.child.as_ref().expect("it runs");
        let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let threads = threads.map(|thread| thread.unwrap().path());
        let named = threads.filter(|path| std::fs::read_to_string(path.join("comm")).unwrap().trim() == name);
        let look = |path: PathBuf| {
            let stat = std::fs::read_to_string(path.join("stat")).unwrap();
            let nice = stat.rsplit_once(") ").unwrap().1.split(' ').nth(16).unwrap();
            let scheduled = std::fs::read_to_string(path.join("schedstat")).unwrap();
            (nice.parse().unwrap(), scheduled.split_whitespace().nth(2).unwrap().parse().unwrap())
        };
        named.map(look).collect()
    }

    /// Fails at once, with its last words, when the program has ended by itself.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
            panic!("{} ended by itself: {status}", self.name);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let text = self.said();
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(25)..];
            eprintln!("--- last words of {}\n{}\n---", self.name, last.join("\n"));
        }
    }
}

/// A port of this machine that nobody listens on. Below the range that the kernel gives to outgoing connections, so
/// that a program killed and started again finds its port free.
pub fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| 20_000 + u16::try_from(uuid::Uuid::new_v4().as_u128() % 12_000).unwrap());
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("it never ends")
}

/// The built program `name`: beside the consumer that cargo built for this test, or in the folder that `TEST_PROGRAMS` says.
pub fn built(name: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_BIN_EXE_consumer")).with_file_name(name);
    let path = std::env::var("TEST_PROGRAMS").map_or_else(|_| beside(), |folder| root().join(folder).join(name));
    assert!(File::open(&path).is_ok(), "{} is not built: run `make e2e`", path.display());
    path
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
