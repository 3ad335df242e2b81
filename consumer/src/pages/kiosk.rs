//! `/screen-dashboard`: the dashboard for screens that nobody sits at; it leads nowhere and asks nothing. `static/ts/kiosk.ts` makes it live.

use std::net::SocketAddr;

use askama::Template;
use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use common::{
    page,
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    dashboard::{Card, cards},
    plot::{self, Matrix},
    row::EventRow,
};
use crate::{
    App,
    actions::screens::session,
    store::{
        counts::{self, Tally},
        events::{self, Search},
    },
};

const EVENTS: i64 = 12;
/// It may stand in a frame of the player, which is of this origin.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

#[derive(Template)]
#[template(path = "kiosk.html")]
struct Kiosk {
    served_at: String,
    last_at: Option<String>,
    cards: Vec<Card>,
    matrix: Matrix,
    events: Vec<EventRow>,
}

/// `GET /screen-dashboard`: for a screen with its session, and for who is let in anyway.
pub async fn show(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !session::is_good(&app, &headers).await && !app.gate.allows(&headers, Some(peer.ip())) {
        let detail = "This is for screens that are paired, and for who is signed in at /login.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    }
    let now_ms = now_ms();
    let newest = Search { newest_first: true, limit: EVENTS, ..Search::default() };
    let newest = events::find(&app.db, &newest).await?;
    let tally = counts::all(&app.db).await?.iter().fold(Tally::default(), |mut sum, source| {
        sum.iter_mut().zip(source.tally).for_each(|(sum, more)| *sum += more);
        sum
    });
    let rate = app.feed.snapshot(None, i64::MAX, 0).rate;
    let mut page = page::render(&Kiosk {
        served_at: rfc3339(now_ms),
        last_at: newest.first().map(|event| rfc3339(event.received_ms)),
        cards: cards(tally, rate),
        matrix: plot::matrix(tally),
        events: newest.iter().map(|event| EventRow::of(event, now_ms)).collect(),
    });
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(page)
}
