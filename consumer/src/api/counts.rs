//! The read API's numbers: counts and rates over time.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use common::{problem::Problem, time::now_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    counts::Counts,
    store::counts::{self, Tally},
};

/// The windows of the chart of rates and the step of each, in seconds.
const WINDOWS: [(i64, i64); 4] = [(60, 1), (900, 10), (3600, 30), (86_400, 720)];

/// One source or all.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct SourceQuery {
    /// Only this source.
    source: Option<String>,
}

#[utoipa::path(get, path = "/api/counts", tag = "log", params(SourceQuery), responses((status = 200, body = Counts)))]
pub async fn totals(State(app): State<App>, Query(query): Query<SourceQuery>) -> Result<Json<Counts>, Problem> {
    Ok(Json(Counts::of(&app.db, query.source.as_deref()).await?))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RatesQuery {
    /// Seconds back from now: 60, 900, 3600 or 86400; 900 unless told.
    window: Option<i64>,
    /// Only this source.
    source: Option<String>,
}

/// What arrived in each step of a window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rates {
    window: i64,
    /// Seconds of one step.
    step: i64,
    /// Unix time of the first step.
    from: i64,
    /// Unix time, then Low, Moderate, Major, Critical, other.
    #[schema(value_type = Vec<Vec<i64>>)]
    points: Vec<[i64; 6]>,
}

#[utoipa::path(get, path = "/api/rates", tag = "log", params(RatesQuery), responses((status = 200, body = Rates), (status = 400)))]
pub async fn rates(State(app): State<App>, Query(query): Query<RatesQuery>) -> Result<Json<Rates>, Problem> {
    let window = query.window.unwrap_or(900);
    let Some((_, step)) = WINDOWS.into_iter().find(|(known, _)| *known == window) else {
        return Err(Problem::bad_request("window is 60, 900, 3600 or 86400 (seconds).").with("parameter", "window"));
    };
    let last = now_ms() / 1000 / step * step;
    let from = last - window + step;
    let found: BTreeMap<i64, Tally> =
        counts::rates(&app.db, from, step, query.source.as_deref()).await?.into_iter().collect();
    let points = (0..window / step).map(|place| {
        let at = from + place * step;
        let [low, moderate, major, critical, other] = found.get(&at).copied().unwrap_or_default();
        [at, low, moderate, major, critical, other]
    });
    Ok(Json(Rates { window, step, from, points: points.collect() }))
}
