//! This machine's own sensors: temperatures, load, processors, memory, disk space.

use std::{convert::Infallible, time::Duration};

use anyhow::Context;
use common::yaml::time;
use serde::Deserialize;
use sysinfo::{Components, Disks, MINIMUM_CPU_UPDATE_INTERVAL, System};
use tokio::{
    task::spawn_blocking,
    time::{interval, sleep},
};

use super::{feed::Feed, reading::Reading};
use crate::canonical;

const BYTES_PER_MB: u64 = 1_000_000;

/// This machine's own sensors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    #[serde(default = "host_interval", deserialize_with = "time")]
    pub interval: Duration,
}

const fn host_interval() -> Duration {
    Duration::from_secs(10)
}

impl Host {
    /// With nothing written.
    pub const fn usual() -> Self {
        Self { interval: host_interval() }
    }

    /// Checks the keys; the error says what to write instead.
    pub fn check(self) -> Result<Self, String> {
        if self.interval.is_zero() { Err("host.interval must be above 0".into()) } else { Ok(self) }
    }
}

/// Reads the sensors at every interval.
///
/// # Errors
/// When this machine's sensors cannot be read.
pub async fn session(host: &Host, feed: &mut Feed) -> anyhow::Result<Infallible> {
    let mut sensors = None;
    let mut tick = interval(host.interval);
    let mut greeted = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let (readings, read) = read(sensors.take()).await?;
                sensors = Some(read);
                if !std::mem::replace(&mut greeted, true) {
                    feed.connected();
                }
                feed.take(readings).await;
            }
            () = feed.due() => feed.tell_due().await,
        }
    }
}

/// Reads all sensors, after a moment over which the processors' use is measured.
///
/// # Errors
/// When this machine's sensors cannot be read.
pub async fn look() -> anyhow::Result<Vec<Reading>> {
    let (_, sensors) = read(None).await?;
    sleep(MINIMUM_CPU_UPDATE_INTERVAL).await;
    read(Some(sensors)).await.map(|(readings, _)| readings)
}

/// What is read from; the processors' use is measured from one reading to the next.
struct Sensors {
    system: System,
    disks: Disks,
    components: Components,
}

/// Files of the kernel are read, which may take a while.
async fn read(sensors: Option<Sensors>) -> anyhow::Result<(Vec<Reading>, Sensors)> {
    let reading = spawn_blocking(move || {
        let is_first = sensors.is_none();
        let mut sensors = sensors.map_or_else(Sensors::open, Ok)?;
        sensors.refresh();
        Ok((sensors.readings(is_first), sensors))
    });
    reading.await.context("reading the sensors broke off")?
}

impl Sensors {
    fn open() -> anyhow::Result<Self> {
        Ok(Self {
            system: System::new().context("this machine tells nothing of itself")?,
            disks: Disks::new_with_refreshed_list().context("the disks cannot be listed")?,
            components: Components::new_with_refreshed_list().context("the temperatures cannot be listed")?,
        })
    }

    fn refresh(&mut self) {
        self.system.refresh_memory();
        self.system.refresh_cpu_usage();
        self.disks.refresh(true);
        self.components.refresh(true);
    }

    /// The processors' use is not known at the first reading.
    fn readings(&self, is_first: bool) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut say =
            |dev: &str, circuit: &str, value: f64, unit: &str| readings.extend(reading(dev, circuit, value, unit));
        for component in &self.components {
            if let Some(celsius) = component.temperature() {
                say("temp", component.label(), f64::from(celsius), "°C");
            }
        }
        if let Ok(load) = System::load_average() {
            for (circuit, value) in [("1min", load.one), ("5min", load.five), ("15min", load.fifteen)] {
                say("load", circuit, value, "processes");
            }
        }
        if !is_first {
            say("cpu", "all", f64::from(self.system.global_cpu_usage()), "%");
        }
        let (total, available) = (self.system.total_memory(), self.system.available_memory());
        say("memory", "used", used_percent(total, available), "%");
        say("memory_free", "available", megabytes(available), "MB");
        for disk in &self.disks {
            let (circuit, available) = (disk.mount_point().to_string_lossy(), disk.available_space());
            say("disk", &circuit, used_percent(disk.total_space(), available), "%");
            say("disk_free", &circuit, megabytes(available), "MB");
        }
        readings
    }
}

/// In the shape of Evok's devices, rounded to a tenth; `None`: the value is no number.
fn reading(dev: &str, circuit: &str, value: f64, unit: &str) -> Option<Reading> {
    let value = serde_json::Number::from_f64((value * 10.0).round() / 10.0)?;
    let [dev, circuit, unit] = [dev, circuit, unit].map(canonical::quoted);
    Reading::of(&format!(r#"{{"dev": {dev}, "circuit": {circuit}, "value": {value}, "unit": {unit}}}"#))
}

#[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
fn used_percent(total: u64, available: u64) -> f64 {
    if total == 0 { 0.0 } else { total.saturating_sub(available) as f64 / total as f64 * 100.0 }
}

#[expect(clippy::cast_precision_loss, reason = "megabytes of any machine are exact")]
const fn megabytes(bytes: u64) -> f64 {
    (bytes / BYTES_PER_MB) as f64
}
