//! Foreign programs (Node, Python) that a test talks to line by line.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::process::root;

/// A running script; what it prints on standard error is the test's.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Runs `consumer/tests/browser/SCRIPT` in Node.
    pub fn node(script: &str, arguments: &[&str]) -> Self {
        let folder = root().join("consumer/tests/browser");
        assert!(folder.join("node_modules").is_dir(), "the npm packages are missing: run `make bootstrap`");
        Self::start(Command::new("node").arg(folder.join(script)).args(arguments))
    }

    /// Runs `consumer/tests/foreign/SCRIPT` in the Python that `make bootstrap` prepared.
    pub fn python(script: &str, arguments: &[&str]) -> Self {
        Self::python_at(&root().join("consumer/tests/foreign").join(script), arguments)
    }

    /// Runs a script that is anywhere in that Python.
    pub fn python_at(script: &Path, arguments: &[&str]) -> Self {
        let python = root().join("target/python/bin/python");
        assert!(python.exists(), "python-socketio is missing: run `make bootstrap`");
        Self::start(Command::new(python).arg("-u").arg(script).args(arguments))
    }

    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; run `make bootstrap`"));
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, input, output }
    }

    /// The next line it prints; `None` when it has ended.
    pub async fn line(&mut self, patience: Duration) -> Option<String> {
        let next = timeout(patience, self.output.next_line()).await;
        next.unwrap_or_else(|_| panic!("the script said nothing for {patience:?}")).unwrap()
    }

    pub async fn say(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Waits for its end, which has to be a success.
    pub async fn succeed(mut self, patience: Duration) {
        drop(self.input);
        let status = timeout(patience, self.child.wait()).await.expect("the script ends").unwrap();
        assert!(status.success(), "the script failed: {status}");
    }
}
