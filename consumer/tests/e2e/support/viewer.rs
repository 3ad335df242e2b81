//! Somebody who watches: a socket.io client in Node that remembers what it was sent and comes back after an outage.

use std::time::Duration;

use serde_json::Value;

use super::eventually;
use super::peer::Peer;

/// `consumer/tests/browser/viewer.mjs`, either on `/collectHooks` with offsets or on `/live`.
pub struct Viewer {
    peer: Peer,
}

impl Viewer {
    /// On `/collectHooks`, from offset 1, and after each reconnect since the last offset it has.
    pub async fn of_hooks(url: &str) -> Self {
        Self::start("hooks", url).await
    }

    /// On `/live`, as the dashboard is.
    pub async fn of_frames(url: &str) -> Self {
        Self::start("live", url).await
    }

    async fn start(kind: &str, url: &str) -> Self {
        let mut viewer = Self { peer: Peer::node("viewer.mjs", &[kind, url]) };
        eventually("the viewer has joined", Duration::from_secs(20), async || {
            (viewer.report().await["joined"] == true).then_some(())
        })
        .await;
        viewer
    }

    /// `{"joined","received","distinct","first","last","disordered","total"}`; `total` is the last frame's, on `/live`.
    pub async fn report(&mut self) -> Value {
        self.peer.say("report").await;
        let line = self.peer.line(Duration::from_secs(20)).await.expect("the viewer lives as long as the test");
        serde_json::from_str(&line).unwrap()
    }

    /// Waits until it has seen exactly the events 1 to `total`, each once and in order.
    pub async fn has_seen_exactly(&mut self, total: u64, patience: Duration) {
        eventually("the viewer has caught up", patience, async || {
            let report = self.report().await;
            (report["last"].as_u64() >= Some(total)).then_some(())
        })
        .await;
        let report = self.report().await;
        let seen = ["received", "distinct", "first", "last", "disordered"].map(|name| report[name].as_u64());
        assert_eq!(seen, [Some(total), Some(total), Some(1), Some(total), Some(0)], "{report}");
    }

    /// Waits until the last frame tells exactly `total` events.
    pub async fn is_told_exactly(&mut self, total: u64, patience: Duration) {
        eventually("the frames tell the total", patience, async || {
            let report = self.report().await;
            (report["total"].as_u64() >= Some(total)).then_some(())
        })
        .await;
        let report = self.report().await;
        assert_eq!((report["total"].as_u64(), report["last"].as_u64()), (Some(total), Some(total)), "{report}");
    }
}
