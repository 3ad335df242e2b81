//! *Generate URL*: the link that runs an event id, and the same call in other ways, with a key in it.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    fields::Fields,
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    super::origin,
    event::{Beside, Sensor, called, whole},
    kept_by_nobody,
    typed::{Wrong, moment_ms, number, wrong},
};
use crate::{
    App,
    actions::{
        administrator::Admin,
        keys::{self, NewKey},
    },
    store::actions::keys as store,
};

const CALL: &str = "/public-api/integration/webhooks";
/// The choice of a key of the link's own.
const OWN: &str = "own";

/// What stands in the form.
pub struct LinkForm {
    /// Ids and names of the keys that may call it, and whether it is chosen.
    pub keys: Vec<(String, String, bool)>,
    pub is_own: bool,
    pub uses: String,
    pub expires: String,
}

impl LinkForm {
    pub async fn new(app: &App, event_id: &str) -> Result<Self, Problem> {
        Self::with(app, event_id, OWN, ("1", "24h")).await
    }

    async fn with(app: &App, event_id: &str, chosen: &str, (uses, expires): (&str, &str)) -> Result<Self, Problem> {
        let now_ms = now_ms();
        let keys = store::all(&app.db).await?.into_iter().filter(|key| {
            key.event_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == event_id))
                && key.expires_ms.is_none_or(|expires_ms| expires_ms > now_ms)
                && key.max_uses.is_none_or(|max| key.uses < max)
        });
        let keys: Vec<_> = keys.map(|key| (key.id.clone(), key.name, key.id == chosen)).collect();
        let is_own = !keys.iter().any(|(.., is_chosen)| *is_chosen);
        Ok(Self { keys, is_own, uses: uses.to_owned(), expires: expires.to_owned() })
    }
}

/// The call in each way; all of them have the key in them.
pub struct Links {
    /// Id, label, what it is for, and the text.
    pub ways: Vec<(&'static str, &'static str, &'static str, String)>,
    pub key: String,
    pub key_href: String,
}

/// `POST /actions/event/link`: the page with the link in it, which nobody is to keep.
pub async fn make(
    State(app): State<App>,
    admin: Admin,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let (event_id, sensor) = (fields.owned("event_id"), Sensor::of(&fields));
    let chosen = fields.get("key");
    let link = LinkForm::with(&app, &event_id, chosen, (fields.get("uses"), fields.get("expires"))).await?;
    let body = sensor.body(&event_id).to_string();
    let key = match called(&event_id, &sensor) {
        Ok(_) => key_for(&app, &admin, &event_id, &fields).await,
        Err(problem) => Err(problem),
    };
    match key {
        Ok((id, name, secret)) => {
            let ways = ways(&format!("{}{CALL}", origin(&headers)), &body, &secret);
            let links = Some(Links { ways, key: name, key_href: format!("/actions/keys/{id}") });
            let page = Beside { sensor, link: Some(link), links, ..Beside::default() };
            Ok(kept_by_nobody(whole(&app, &event_id, page).await?))
        }
        Err(problem) => {
            let wrong = Some(Wrong::of(problem)?);
            let page = whole(&app, &event_id, Beside { sensor, link: Some(link), wrong, ..Beside::default() }).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

/// The id, the name and the secret of the key that is chosen, or of one that is made for this link.
async fn key_for(
    app: &App,
    admin: &Admin,
    event_id: &str,
    fields: &Fields,
) -> Result<(String, String, String), Problem> {
    let why = format!("in a link for {event_id}");
    if fields.get("key") != OWN {
        let (key, secret) = keys::reveal(app, admin, fields.get("key"), &why).await?;
        return Ok((key.id, key.name, secret));
    }
    let now_ms = now_ms();
    let expires_ms = match fields.get("expires") {
        "" => None,
        text => Some(moment_ms(text, now_ms, 1).ok_or_else(|| {
            wrong(
                "expires",
                "Good until is a length of time such as 8h or 30d, or a time such as 2026-12-31 18:00 (UTC).",
            )
        })?),
    };
    let new = NewKey {
        name: short(&format!("link of {} for {event_id}", rfc3339(now_ms).replace('T', " ").trim_end_matches('Z'))),
        event_ids: Some(vec![event_id.to_owned()]),
        expires_at: expires_ms.map(rfc3339),
        rate_per_minute: None,
        max_uses: number(fields, "uses", "Uses")?,
    };
    let (key, secret) = keys::create(app, admin, new).await?;
    Ok((key.id, key.name, secret))
}

/// As long as the name of a key may be.
fn short(name: &str) -> String {
    name.chars().take(100).collect::<String>().trim_end().to_owned()
}

fn ways(url: &str, body: &str, key: &str) -> Vec<(&'static str, &'static str, &'static str, String)> {
    let encoded: String = form_urlencoded::byte_serialize(STANDARD.encode(body).as_bytes()).collect();
    let link = format!("{url}?api_key={key}&payload={encoded}");
    let shell = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let get = format!("curl {}", shell(&link));
    let post = format!(
        "curl -H 'x-webhook-apikey: {key}' -H 'Content-Type: application/json' \\\n  -d {} {}",
        shell(body),
        shell(url)
    );
    let node = format!(
        "const response = await fetch({}, {{\n  method: \"POST\",\n  headers: {{ \"Content-Type\": \"application/json\", \"x-webhook-apikey\": \"{key}\" }},\n  \
         body: JSON.stringify({body}),\n}});\nconst body = await response.json();\nif (body.message === \"Error\") throw new Error(body.error);\n\
         console.log(body); // message: success",
        serde_json::Value::from(url)
    );
    vec![
        (
            "link",
            "Link",
            "Whoever opens it runs the actions: in a browser, or as the address that an alarm system calls.",
            link,
        ),
        ("curl-get", "curl, GET", "The link, for a shell.", get),
        ("curl-post", "curl, POST", "The key is in a header, where no history or log of addresses has it.", post),
        ("node", "Node.js", "Node 18 or newer, in a module.", node),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::call;

    #[test]
    fn a_link_is_read_as_what_it_was_made_from() {
        let body = r#"{"event_id":"it's <b>a~?>ü"}"#;
        let ways = ways("http://h:5001/x", body, "k");
        let (_, query) = ways[0].3.split_once('?').unwrap();
        assert_eq!(call::from_query(query).unwrap().event_id, "it's <b>a~?>ü");
        assert_eq!(call::key_in(query).as_deref(), Some("k"));
        assert!(ways[2].3.contains(r"it'\''s"), "{}", ways[2].3);
    }
}
