//! A real MQTT broker, Mosquitto, on a port of its own, which can be stopped and started again with what it keeps.

use std::{process::Stdio, time::Duration};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use super::{PATIENCE, eventually};

/// Debian keeps it where only root looks.
const PROGRAMS: [&str; 2] = ["mosquitto", "/usr/sbin/mosquitto"];

/// Runs until it is dropped.
pub struct Mosquitto {
    pub port: u16,
    folder: TempDir,
    running: Option<Child>,
}

impl Mosquitto {
    pub async fn start() -> Self {
        Self::with("allow_anonymous true").await
    }

    /// With lines of its configuration.
    pub async fn with(lines: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        let text =
            format!("listener {port} 127.0.0.1\n{lines}\npersistence true\npersistence_location {place}/\nuser root\n");
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let mut broker = Self { port, folder, running: None };
        broker.start_again().await;
        broker
    }

    /// Starts it where it was, with what it kept.
    pub async fn start_again(&mut self) {
        let config = self.folder.path().join("mosquitto.conf");
        let start = |program: &&str| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            command.spawn().ok()
        };
        let started = PROGRAMS.iter().find_map(start);
        self.running = Some(started.expect("mosquitto is missing: run `make bootstrap`"));
        let port = self.port;
        eventually("the broker listens", || async { TcpStream::connect(("127.0.0.1", port)).await.ok() }).await;
    }

    /// Ends it as SIGTERM does, upon which it writes down what it keeps.
    pub async fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        let pid = running.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        tokio::time::timeout(PATIENCE, running.wait()).await.unwrap().unwrap();
    }

    /// Publishes at least once, in order; returns when the broker has it all.
    pub async fn say(&self, retain: bool, messages: &[(&str, &str)]) {
        let mut options = MqttOptions::new("teller", "127.0.0.1", self.port);
        options.set_keep_alive(Duration::from_mins(1));
        let (client, mut connection) = AsyncClient::new(options, messages.len() + 1);
        for (topic, payload) in messages {
            client.publish(*topic, QoS::AtLeastOnce, retain, *payload).await.unwrap();
        }
        let mut left = messages.len();
        while left > 0 {
            if let Event::Incoming(Packet::PubAck(_)) = connection.poll().await.unwrap() {
                left -= 1;
            }
        }
    }
}
