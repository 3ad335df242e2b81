//! The `mqtt:` block as it is written, and what is wrong with it.

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::Context;
use common::yaml::time;
use rumqttc::{QoS, SubscribeFilter};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use super::{
    taken::Taken,
    topic::{Pattern, Template},
    unipi,
};

const MOST_TOPICS: usize = 100;
const LONGEST_ID: usize = 200;
const PORT: u16 = 1883;
/// What MQTT can say: two bytes of seconds.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(65_535);

/// A broker, and what of it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// `mqtt://HOST:1883`.
    #[serde(deserialize_with = "url")]
    pub url: Url,
    pub username: Option<String>,
    password: Option<Password>,
    /// Read at each connection.
    password_file: Option<PathBuf>,
    /// The broker keeps for this one what it missed; unset: a name of its own for each source of each installation.
    pub client_id: Option<String>,
    #[serde(default = "keep_alive", deserialize_with = "time")]
    pub keep_alive: Duration,
    layout: Option<LayoutName>,
    /// The device of the layout; unset: all.
    device: Option<String>,
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// What was taken and may come again.
    #[serde(skip)]
    pub taken: Taken,
}

/// Topics that need not be written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LayoutName {
    Unipi,
}

/// Shown to nobody.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Topics of one pattern, and what their messages become.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TopicKeys")]
pub struct Topic {
    pub pattern: Pattern,
    pub qos: QoS,
    pub make: Make,
}

/// How a message becomes a reading that does not say itself which device it is of.
#[derive(Clone, Debug)]
pub enum Make {
    Plain {
        dev: Template,
        circuit: Template,
        /// Where in the message the value stands, by RFC 6901; `None`: it is the message.
        value: Option<String>,
        unit: Option<String>,
    },
    Unipi(unipi::Layout),
}

/// A topic as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicKeys {
    topic: String,
    #[serde(default = "at_least_once")]
    qos: u8,
    dev: Option<String>,
    circuit: Option<String>,
    value: Option<String>,
    unit: Option<String>,
}

const fn keep_alive() -> Duration {
    Duration::from_secs(30)
}

const fn at_least_once() -> u8 {
    1
}

impl Mqtt {
    /// Checks what no single key shows, and writes the layout's topics out; the error says what to write instead.
    pub fn check(mut self) -> Result<Self, String> {
        if self.password.is_some() && self.password_file.is_some() {
            return Err("mqtt: password and password_file stand both there: write one".into());
        }
        if self.username.is_none() && (self.password.is_some() || self.password_file.is_some()) {
            return Err("mqtt: a password needs a username".into());
        }
        let is_id = |id: &String| !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
        if self.client_id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(format!("mqtt.client_id: write 1 to {LONGEST_ID} letters"));
        }
        if !(Duration::from_secs(1)..=LONGEST_KEEP_ALIVE).contains(&self.keep_alive) {
            return Err("mqtt.keep_alive: write 1s to 18h".into());
        }
        self.lay_out()?;
        if self.topics.is_empty() || self.topics.len() > MOST_TOPICS {
            return Err(format!("mqtt.topics: write 1 to {MOST_TOPICS} topics, or layout: unipi"));
        }
        Ok(self)
    }

    fn lay_out(&mut self) -> Result<(), String> {
        match self.layout {
            Some(LayoutName::Unipi) => {
                let layouts = unipi::layouts(self.device.as_deref())?;
                let topic = |(pattern, layout)| Topic { pattern, qos: QoS::AtLeastOnce, make: Make::Unipi(layout) };
                self.topics.extend(layouts.into_iter().map(topic));
                Ok(())
            }
            None if self.device.is_some() => {
                Err("mqtt.device: it names the device of a layout; write layout, too".into())
            }
            None => Ok(()),
        }
    }

    /// The password as it is now, empty for none.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn password(&self) -> anyhow::Result<String> {
        let Some(path) = &self.password_file else {
            return Ok(self.password.clone().map_or_else(String::new, |password| password.0));
        };
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read password_file {}", path.display()))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Where the broker listens; an IPv6 address stands in brackets.
    pub fn broker(&self) -> (&str, u16) {
        (self.url.host_str().unwrap_or_default(), self.url.port().unwrap_or(PORT))
    }

    pub fn filters(&self) -> impl Iterator<Item = SubscribeFilter> {
        self.topics.iter().map(|topic| SubscribeFilter::new(topic.pattern.filter(), topic.qos))
    }
}

impl TryFrom<TopicKeys> for Topic {
    type Error = String;

    fn try_from(keys: TopicKeys) -> Result<Self, String> {
        let pattern = Pattern::read(&keys.topic)?;
        let qos = match keys.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => return Err("qos: write 0 or 1; repeats are known without 2".into()),
        };
        if keys.value.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
            return Err("value: write a JSON pointer, such as /temperature".into());
        }
        let usual = |name: &str, other: &str| if pattern.has(name) { format!("{{{name}}}") } else { other.to_owned() };
        let dev = keys.dev.unwrap_or_else(|| usual("dev", "mqtt"));
        let circuit = keys.circuit.unwrap_or_else(|| usual("circuit", "{topic}"));
        let [dev, circuit] = [dev, circuit].map(|text| Template::read(&text, &pattern));
        let make = Make::Plain { dev: dev?, circuit: circuit?, value: keys.value, unit: keys.unit };
        Ok(Self { pattern, qos, make })
    }
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    let Ok(url) = text.parse::<Url>() else {
        return Err(de::Error::custom("that is no address: write mqtt://HOST:1883"));
    };
    // Whatever is wrong with it, a password in it is not repeated.
    let error = match url.scheme() {
        "mqtts" => {
            "there is no TLS to a broker yet: write mqtt://, and put a bridge or a tunnel on this machine where the way is not safe"
        }
        "mqtt" if !url.username().is_empty() || url.password().is_some() => {
            "the address would be shown with its password: write username and password_file beside it"
        }
        "mqtt" if url.host_str().is_some_and(|host| !host.is_empty()) && matches!(url.path(), "" | "/") => {
            return Ok(url);
        }
        _ => "write mqtt://HOST:1883",
    };
    Err(de::Error::custom(error))
}
