//! The dashboard as it is first sent; `static/ts/consumer.ts` makes it live.

use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};
use common::{
    page::{self, grouped, percent},
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    plot::{self, Matrix, Rates},
    row::{EventRow, LOOKS},
};
use crate::{
    App,
    store::{
        counts::{self, Tally},
        events::{self, Search},
    },
};

const EVENTS: i64 = 50;
/// Anybody who may post may name a source.
const SOURCES: usize = 500;
const WINDOW_S: i64 = 900;
const STEP_S: i64 = 10;
/// A log with nothing older than this is first shown by the minute.
const YOUNG_S: i64 = 180;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    served_at: String,
    producer_url: String,
    curl: String,
    empty: bool,
    sources: Vec<String>,
    last_at: Option<String>,
    /// The window of the rate chart, in seconds, until somebody chooses another.
    first_window: i64,
    cards: Vec<Card>,
    matrix: Matrix,
    rates: Rates,
    events: Vec<EventRow>,
}

/// A total, as a card.
pub struct Card {
    pub key: &'static str,
    pub class: &'static str,
    pub symbol: &'static str,
    pub name: &'static str,
    pub count: i64,
    pub number: String,
    pub note: String,
    pub hidden: bool,
}

/// `GET /`.
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let newest = Search { newest_first: true, limit: EVENTS, ..Search::default() };
    let newest = events::find(&app.db, &newest).await?;
    let sources = counts::all(&app.db).await?;
    let tally = sources.iter().fold(Tally::default(), |mut sum, source| {
        sum.iter_mut().zip(source.tally).for_each(|(sum, more)| *sum += more);
        sum
    });
    let total: i64 = tally.iter().sum();
    let recent = counts::rates(&app.db, now_ms / 1000 - YOUNG_S, STEP_S, None).await?;
    let young = recent.iter().flat_map(|(_, tally)| tally).sum::<i64>() >= total;
    let rate = app.feed.snapshot(None, i64::MAX, 0).rate;
    Ok(page::render(&Dashboard {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        curl: super::curl(&headers),
        empty: total == 0,
        sources: sources.into_iter().take(SOURCES).map(|source| source.source).collect(),
        last_at: newest.first().map(|event| rfc3339(event.received_ms)),
        first_window: if young { 60 } else { WINDOW_S },
        cards: cards(tally, rate),
        matrix: plot::matrix(tally),
        rates: plot::rates(&steps(&app, now_ms / 1000).await?, STEP_S),
        events: newest.iter().map(|event| EventRow::of(event, now_ms)).collect(),
    }))
}

/// What arrived in each step of the last quarter of an hour that is over, oldest first.
async fn steps(app: &App, now_s: i64) -> Result<Vec<Tally>, Problem> {
    let end = now_s / STEP_S * STEP_S;
    let from = end - WINDOW_S;
    let mut steps = vec![Tally::default(); usize::try_from(WINDOW_S / STEP_S).unwrap_or_default()];
    for (at, tally) in counts::rates(&app.db, from, STEP_S, None).await? {
        if let Some(step) = usize::try_from((at - from) / STEP_S).ok().and_then(|place| steps.get_mut(place)) {
            *step = tally;
        }
    }
    Ok(steps)
}

/// All, and one of each priority.
pub fn cards(tally: Tally, rate: f64) -> Vec<Card> {
    let total = tally.iter().sum();
    let all = Card {
        key: "total",
        class: "",
        symbol: "",
        name: "All",
        count: total,
        number: grouped(total),
        note: format!("{} / s", page::rate(rate)),
        hidden: false,
    };
    let each = LOOKS.iter().zip(tally).map(|(look, count)| Card {
        key: look.class,
        class: look.class,
        symbol: look.symbol,
        name: look.word,
        count,
        number: grouped(count),
        note: percent(count, total),
        hidden: look.class == "other" && count == 0,
    });
    std::iter::once(all).chain(each).collect()
}
