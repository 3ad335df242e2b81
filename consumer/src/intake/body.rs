//! Reading a body: within a size, within a time, and within what all bodies that are on their way may take of the memory.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use common::problem::Problem;
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

/// A body must be here within this time.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that are received of all bodies and not yet handed to the log.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A sender that is refused is listened to this far, as it may not read the answer before it has sent all.
const MAX_DRAINED: usize = 64 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The memory of bodies on their way.
#[derive(Clone, Debug)]
pub struct Receiving(Arc<Semaphore>);

impl Default for Receiving {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_BYTES)))
    }
}

/// A body that is here, with its part of the memory.
pub struct Received {
    pub bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

enum Refused {
    TooLarge,
    Full,
    Broken,
}

/// The whole body.
///
/// # Errors
/// 413 beyond `max_bytes`, 503 when the bodies of all senders take too much memory, 408 when it is slow, 400 when it breaks off.
pub async fn read(
    mut body: Body,
    headers: &HeaderMap,
    max_bytes: usize,
    room: &Receiving,
) -> Result<Received, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let reading = async {
        if length.is_some_and(|length| length > max_bytes) {
            return Err(Refused::TooLarge);
        }
        collect(&mut body, max_bytes, room).await
    };
    let refused = match time::timeout(TIMEOUT, reading).await {
        Ok(Ok(received)) => return Ok(received),
        Ok(Err(refused)) => refused,
        Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive within 30 s.")),
    };
    // Who asks first whether to send has not sent anything.
    if !headers.contains_key(header::EXPECT) {
        let _ = time::timeout(DRAIN_TIMEOUT, drain(body)).await;
    }
    Err(match refused {
        Refused::TooLarge => Problem::too_large(format!(
            "A body has at most {max_bytes} bytes here; send less at once, or raise MAX_BODY."
        ))
        .with("max_bytes", max_bytes),
        Refused::Full => {
            let detail = "More bodies are on their way than there is memory for. Nothing of this request is stored; send it again.";
            Problem::unavailable(detail, Duration::from_secs(1))
        }
        Refused::Broken => Problem::bad_request("The body broke off before its end."),
    })
}

/// Only what has arrived is counted: a sender that announces much and sends nothing takes nothing from the others.
async fn collect(body: &mut Body, max_bytes: usize, Receiving(all): &Receiving) -> Result<Received, Refused> {
    let (mut bytes, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refused::Broken)?.into_data() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(Refused::TooLarge);
        }
        let size = u32::try_from(data.len()).map_err(|_| Refused::TooLarge)?;
        let more = all.clone().try_acquire_many_owned(size).map_err(|_| Refused::Full)?;
        match &mut room {
            Some(room) => room.merge(more),
            None => room = Some(more),
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes, _room: room })
}

async fn drain(mut body: Body) {
    let mut left = MAX_DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, bytes::Bytes::len);
        let Some(rest) = left.checked_sub(size) else { return };
        left = rest;
    }
}
