//! Executions, and what became of each on its devices.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, State},
};
use common::{problem::Problem, time::rfc3339};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::limit;
use crate::{
    App,
    actions::outcome::CommandState,
    store::actions::executions::{self, Execution},
};

const LIMITS: (i64, i64) = (50, 500);

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// 1 to 500; 50 unless told.
    limit: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ListedExecution)]
pub struct Listed {
    id: String,
    event_id: String,
    /// The name of the key that called.
    key: String,
    from: String,
    /// RFC 3339, UTC.
    at: String,
    emergency: bool,
    /// How many commands are `queued`, `sent`, `acknowledged`, `done`, `failed`, `expired`.
    states: BTreeMap<String, i64>,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    executions: Vec<Listed>,
}

#[derive(Serialize, ToSchema)]
pub struct Whole {
    #[serde(flatten)]
    listed: Listed,
    commands: Vec<CommandState>,
}

impl Listed {
    fn new(execution: Execution, counts: &[(String, String, i64)]) -> Self {
        let of_it = counts.iter().filter(|(id, ..)| *id == execution.id);
        Self {
            states: of_it.map(|(_, state, count)| (state.clone(), *count)).collect(),
            id: execution.id,
            event_id: execution.event_id,
            key: execution.key_name,
            from: execution.from,
            at: rfc3339(execution.at_ms),
            emergency: execution.emergency,
        }
    }
}

#[utoipa::path(get, path = "/api/executions", tag = "actions", operation_id = "list_executions", params(ListQuery),
    responses((status = 200, body = inline(List)), (status = 400)))]
pub async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<List>, Problem> {
    let found = executions::newest(&app.db, limit(query.limit, LIMITS)?).await?;
    let ids: Vec<&str> = found.iter().map(|execution| execution.id.as_str()).collect();
    let counts = executions::counts(&app.db, &ids).await?;
    let executions = found.into_iter().map(|execution| Listed::new(execution, &counts)).collect();
    Ok(Json(List { executions }))
}

#[utoipa::path(get, path = "/api/executions/{id}", tag = "actions", operation_id = "show_execution", params(("id" = String, Path)),
    responses((status = 200, body = inline(Whole)), (status = 404)))]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Whole>, Problem> {
    let found = executions::by_id(&app.db, &id).await?;
    let execution = found.ok_or_else(|| Problem::not_found("such execution (any more)"))?;
    let commands = executions::commands(&app.db, &id).await?;
    let counts = executions::counts(&app.db, &[&id]).await?;
    let commands = commands.into_iter().map(CommandState::from).collect();
    Ok(Json(Whole { listed: Listed::new(execution, &counts), commands }))
}
