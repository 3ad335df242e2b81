//! Nobody takes for ever: a request's body must be here in time, and its answer must begin in time. A stream that has begun may go on.
//!
//! Who is refused while still sending is listened to for a while: many senders read the answer only when they have sent all.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{runtime::Handle, time};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::problem::Problem;

/// How much of a body that nobody wants is taken in, and for how long.
const MAX_DRAINED: u64 = 16 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers 408 to a request whose body was not all read by then.
pub fn limit_bodies(router: Router, limit: Duration) -> Router {
    router.layer(middleware::from_fn_with_state(limit, body_in_time))
}

/// Answers 503 when the head of the answer is not there that long after the body was read; a body has a time of its own, by [`limit_bodies`] around this.
pub fn limit_answers(router: Router, limit: Duration) -> Router {
    router.layer(middleware::from_fn_with_state(limit, answer_in_time))
}

async fn body_in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who asks first whether to send has not sent anything.
    let is_sending = !request.headers().contains_key(header::EXPECT);
    let (request, read) = watched(request, is_sending);
    let too_late = async {
        if time::timeout(limit, read.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        response = next.run(request) => response,
        () = too_late => {
            let detail = format!("The body did not arrive within {limit:?}.");
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail).into_response()
        }
    }
}

async fn answer_in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    // What is left of the body is [`body_in_time`]'s.
    let (request, read) = watched(request, false);
    let too_late = async {
        read.cancelled().await;
        time::sleep(limit).await;
    };
    tokio::select! {
        response = next.run(request) => response,
        () = too_late => {
            let detail = format!("This took longer than {limit:?} and was given up; try again shortly.");
            Problem::unavailable(detail, Duration::from_secs(5)).into_response()
        }
    }
}

/// The request, and a token that ends when its body was read, or let go; what is left then is taken in when the sender `is_sending`.
fn watched(request: Request, is_sending: bool) -> (Request, CancellationToken) {
    let read = CancellationToken::new();
    if request.body().is_end_stream() {
        read.cancel();
        return (request, read);
    }
    let reading = Some(read.clone().drop_guard());
    (request.map(|body| Body::new(Watched { body, reading, is_sending })), read)
}

/// A body that tells when it was read to its end, or let go.
struct Watched {
    body: Body,
    reading: Option<DropGuard>,
    /// Whether there is somebody who goes on sending when nobody reads.
    is_sending: bool,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let is_left = self.reading.is_some() && self.is_sending && !self.body.is_end_stream();
        if let (true, Ok(runtime)) = (is_left, Handle::try_current()) {
            let body = std::mem::take(&mut self.body);
            runtime.spawn(async move { time::timeout(DRAIN_TIMEOUT, drain(body)).await });
        }
    }
}

/// Takes in what comes, and keeps nothing of it. It ends with the connection.
async fn drain(mut body: Body) {
    let mut left = MAX_DRAINED;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let size = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(size as u64) else { return };
        left = rest;
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.reading = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tower::ServiceExt;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// A body of which nothing ever comes.
    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            Poll::Pending
        }
    }

    async fn answered(router: Router, request: Request) -> StatusCode {
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_answered_408() {
        let router = Router::new().route("/", post(async |body: Bytes| body));
        let limited = limit_bodies(router, SHORT);
        let slow = Request::post("/").body(Body::new(Never)).unwrap();
        assert_eq!(answered(limited.clone(), slow).await, StatusCode::REQUEST_TIMEOUT);
        let whole = Request::post("/").body(Body::from("all")).unwrap();
        assert_eq!(answered(limited, whole).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_body_that_came_does_not_limit_the_answer() {
        let handler = async |body: Bytes| {
            time::sleep(SHORT * 3).await;
            body
        };
        let limited = limit_bodies(Router::new().route("/", post(handler)), SHORT);
        let request = Request::post("/").body(Body::from("all")).unwrap();
        assert_eq!(answered(limited, request).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_time_for_the_answer_begins_when_the_body_is_here() {
        let router = limit_answers(Router::new().route("/", post(async |body: Bytes| body)), SHORT);
        let slow = Request::post("/").body(Body::new(Never)).unwrap();
        assert_eq!(answered(limit_bodies(router, SHORT * 3), slow).await, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_begin_is_given_up_and_one_that_began_goes_on() {
        let router = Router::new()
            .route("/never", get(async || std::future::pending::<()>().await))
            .route("/stream", get(async || Body::new(Never)));
        let limited = limit_answers(router, SHORT);
        let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(answered(limited.clone(), get("/never")).await, StatusCode::SERVICE_UNAVAILABLE);
        let stream = limited.oneshot(get("/stream")).await.unwrap().into_body();
        assert!(time::timeout(SHORT * 3, axum::body::to_bytes(stream, 1)).await.is_err(), "it is still open");
    }
}
