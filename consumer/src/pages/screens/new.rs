//! A new device: a program that is given a key, or a controller to which this side connects.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use common::{
    fields::Fields,
    page,
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde_json::Number;

use super::{names, no_store};
use crate::{
    App,
    actions::{
        administrator::Admin,
        outputs::{Controller, EmergencyOutput},
        screens::manage,
    },
};

#[derive(Template)]
#[template(path = "new_device.html")]
struct NewDevicePage {
    served_at: String,
    producer_url: String,
    error: Option<String>,
    typed: Typed,
    /// Id and key of one that was just made.
    made: Option<(String, String)>,
}

/// The fields as they were typed.
#[derive(Default)]
struct Typed {
    name: String,
    groups: String,
    tags: String,
    /// Of a controller: its address, and the output that an emergency switches on.
    url: String,
    dev: String,
    circuit: String,
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.owned(name);
        let (name, groups, tags) = (text("name"), text("groups"), text("tags"));
        Self { name, groups, tags, url: text("url"), dev: text("dev"), circuit: text("circuit") }
    }

    /// `None`: it is no controller.
    fn controller(&self) -> Option<Controller> {
        let siren = !self.circuit.is_empty();
        let (on, off) = (Number::from(1), Number::from(0));
        let output = EmergencyOutput { dev: self.dev.clone(), circuit: self.circuit.clone(), on, off };
        let controller = Controller { url: self.url.clone(), emergency_output: siren.then_some(output) };
        (!self.url.is_empty()).then_some(controller)
    }
}

/// `GET /new-device`.
pub async fn show(State(app): State<App>) -> Response {
    whole(&app, Typed::default(), None, None)
}

/// `POST /new-device`: a key is shown this once; with `url` it is a controller, which needs none.
pub async fn make(State(app): State<App>, admin: Admin, fields: Fields) -> Response {
    let typed = Typed::of(&fields);
    match made(&app, &admin, &typed).await {
        Ok((id, None)) => Redirect::to(&format!("/screens/{id}")).into_response(),
        Ok((id, Some(key))) => no_store(whole(&app, typed, None, Some((id, key)))),
        Err(problem) if problem.status.is_client_error() => {
            (problem.status, whole(&app, typed, Some(problem.detail), None)).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// The device's id, and its key when it has one to be told.
async fn made(app: &App, admin: &Admin, typed: &Typed) -> Result<(String, Option<String>), Problem> {
    let (groups, tags) = (names(&typed.groups), names(&typed.tags));
    let places = (groups.as_slice(), tags.as_slice());
    if let Some(controller) = typed.controller() {
        let id = manage::make_controller(app, admin, (&typed.name, &controller), places).await?;
        return Ok((id, None));
    }
    if !typed.circuit.is_empty() {
        return Err(Problem::bad_request("Name the controller's address, too: ws://HOST:8080/ws."));
    }
    let (id, key) = manage::make(app, admin, &typed.name, places).await?;
    Ok((id, Some(key)))
}

fn whole(app: &App, typed: Typed, error: Option<String>, made: Option<(String, String)>) -> Response {
    let (served_at, producer_url) = (rfc3339(now_ms()), app.config.producer_url.clone());
    page::render(&NewDevicePage { served_at, producer_url, error, typed, made })
}
