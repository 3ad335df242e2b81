//! The consumer as a program of its own, which can be killed.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use reqwest::Client;
use serde_json::Value;

use crate::support::{PATIENCE, database::Database, eventually};

/// The consumer as a program of its own, killed when it is dropped.
pub struct Program {
    pub address: SocketAddr,
    command: Command,
    child: Child,
    client: Client,
}

impl Program {
    /// Further settings as on the command line.
    pub async fn start(database: &Database, settings: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
        command.args(["--listen", &address.to_string(), "--database-url", &database.url]);
        if let Some(broker) = database.broker_url() {
            command.args(["--broker-url", &broker]);
        }
        command.args(settings);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build().unwrap();
        let program = Self { address, command, child, client };
        program.ready().await;
        program
    }

    /// SIGKILL, and up again at the same address.
    pub async fn kill_and_start(&mut self) {
        self.kill();
        self.start_again().await;
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.child = self.command.spawn().unwrap();
        self.ready().await;
    }

    async fn ready(&self) {
        eventually("the program is ready", async || {
            let answer = self.client.get(format!("http://{}/readyz", self.address)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Sends a webhook; gives the status.
    pub async fn send(&self, path: &str, body: Value) -> u16 {
        let request = self.client.post(format!("http://{}{path}", self.address)).body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn post(&self, path: &str, body: Value, key: &str) -> Value {
        let request = self.client.post(format!("http://{}{path}", self.address)).header("x-webhook-apikey", key);
        let text = request.body(body.to_string()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn json(&self, path: &str) -> Option<Value> {
        let text = self.client.get(format!("http://{}{path}", self.address)).send().await.ok()?.text().await.ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Sends a request; the status and the answer.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> (u16, String) {
        let url = format!("http://{}{path}", self.address);
        let request =
            headers.iter().fold(self.client.request(method.parse().unwrap(), url), |request, (name, value)| {
                request.header(*name, *value)
            });
        let answer = request.body(body).send().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asks without a body; `None`: the connection broke.
    pub async fn try_ask(&self, method: &str, path: &str) -> Option<u16> {
        let request = self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address));
        request.send().await.ok().map(|answer| answer.status().as_u16())
    }

    /// The most memory that it ever had, as Linux counts it.
    pub fn most_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the program runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Whether it never had more memory than this.
    pub fn within(&self, most_kb: u64) {
        let had_kb = self.most_memory_kb();
        assert!(had_kb <= most_kb, "it had {had_kb} kB, and may have {most_kb}");
    }

    /// How many commands of an execution stand in which state.
    pub async fn states(&self, execution: &str) -> Option<Value> {
        Some(self.json(&format!("/api/executions/{execution}")).await?["states"].take())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
