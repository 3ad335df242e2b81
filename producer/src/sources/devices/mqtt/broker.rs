//! A connection to a broker: what it says is handed on in order, and nothing of it is read before there is room.

use std::convert::Infallible;

use anyhow::{Context, anyhow};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish,
    StateError, SubscribeReasonCode, mqttbytes,
};
use tokio::sync::mpsc;

use super::keys::Mqtt;

/// A broker that sends a longer message than this is left: it would have to be held whole.
const LARGEST_PACKET: usize = 4 * 1024 * 1024;
const CONNECT_TIMEOUT_S: u64 = 10;
/// Each packet id is acknowledged once, so this many never wait.
const MOST_REQUESTS: usize = 70_000;

/// What is handed on.
pub enum News {
    /// Connected; whether the broker kept what was missed.
    Connected {
        is_resumed: bool,
    },
    /// The filters that are refused.
    Subscribed {
        refused: Vec<String>,
    },
    Message(Publish),
}

/// A client that acknowledges, and the connection that has to be listened to.
///
/// # Errors
/// When the password cannot be read.
pub fn open(mqtt: &Mqtt, (client_id, is_kept): (&str, bool)) -> anyhow::Result<(AsyncClient, EventLoop)> {
    let (host, port) = mqtt.broker();
    let mut options = MqttOptions::new(client_id, host, port);
    options.set_keep_alive(mqtt.keep_alive).set_clean_session(!is_kept).set_manual_acks(true);
    options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
    if let Some(username) = &mqtt.username {
        options.set_credentials(username, mqtt.password()?);
    }
    let (client, mut connection) = AsyncClient::new(options, MOST_REQUESTS);
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    connection.set_network_options(network);
    Ok((client, connection))
}

/// Subscribes, and hands on what comes; the channel ends with the connection.
///
/// # Errors
/// Why it ended, in words.
pub async fn listen(
    mqtt: &Mqtt,
    client: &AsyncClient,
    mut connection: EventLoop,
    news: mpsc::Sender<News>,
) -> anyhow::Result<Infallible> {
    loop {
        let event = connection.poll().await.map_err(|error| words(mqtt, error))?;
        let told = match event {
            Event::Incoming(Packet::ConnAck(answer)) => {
                client.subscribe_many(mqtt.filters()).await.context("a topic cannot be subscribed to")?;
                News::Connected { is_resumed: answer.session_present }
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                News::Subscribed { refused: refused(mqtt, &answer.return_codes) }
            }
            Event::Incoming(Packet::Publish(message)) => News::Message(message),
            _ => continue,
        };
        news.send(told).await.context("nobody takes what comes")?;
    }
}

fn refused(mqtt: &Mqtt, codes: &[SubscribeReasonCode]) -> Vec<String> {
    let answered = mqtt.topics.iter().zip(codes).filter(|(_, code)| matches!(code, SubscribeReasonCode::Failure));
    answered.map(|(topic, _)| topic.pattern.filter()).collect()
}

fn words(mqtt: &Mqtt, error: ConnectionError) -> anyhow::Error {
    let place = &mqtt.url;
    match error {
        ConnectionError::NetworkTimeout => anyhow!("no connection to {place} within {CONNECT_TIMEOUT_S} s"),
        ConnectionError::Io(error) => anyhow::Error::new(error).context(format!("cannot connect to {place}")),
        ConnectionError::ConnectionRefused(code) => anyhow!(match code {
            ConnectReturnCode::BadUserNamePassword => "the broker does not take username and password",
            ConnectReturnCode::NotAuthorized =>
                "the broker does not let us in: look at username, password, and its access list",
            ConnectReturnCode::BadClientId => "the broker does not take client_id: write a shorter one",
            ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 3.1.1",
            ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::Success => "the broker is not ready",
        }),
        ConnectionError::MqttState(error) => state_words(error),
        error => anyhow::Error::new(error).context("the connection broke"),
    }
}

fn state_words(error: StateError) -> anyhow::Error {
    match error {
        StateError::ConnectionAborted => anyhow!(
            "the broker closed the connection; when that repeats, look whether another client has the same client_id"
        ),
        StateError::AwaitPingResp => anyhow!("no answer to a ping within keep_alive"),
        StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(size)) => {
            anyhow!(
                "a message of {size} bytes, at most {LARGEST_PACKET} are taken; leave its topic out, or limit messages at the broker"
            )
        }
        StateError::Io(error) => anyhow::Error::new(error).context("the connection broke"),
        error => anyhow::Error::new(error).context("what came is no MQTT 3.1.1"),
    }
}
