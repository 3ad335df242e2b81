//! *Generate URL*: the link that runs an event id, and the same call in other ways, with a key in it.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    fields::Fields,
    page::{grouped, plural},
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
    store::actions::keys::{self as store, Key},
};

const CALL: &str = "/public-api/integration/webhooks";
/// The choice of a key of the link's own.
const OWN: &str = "own";

/// What stands in the form.
pub struct LinkForm {
    /// Ids and names of the keys that may call it, and whether it is chosen.
    pub keys: Vec<(String, String, bool)>,
    pub is_own: bool,
    /// `system`, `person`, or `own` for the numbers that follow.
    pub good: String,
    pub uses: String,
    pub expires: String,
}

impl LinkForm {
    pub async fn new(app: &App, event_id: &str) -> Result<Self, Problem> {
        Self::with(app, event_id, OWN, ("system", "", "")).await
    }

    async fn with(
        app: &App,
        event_id: &str,
        chosen: &str,
        (good, uses, expires): (&str, &str, &str),
    ) -> Result<Self, Problem> {
        let now_ms = now_ms();
        let keys = store::all(&app.db).await?.into_iter().filter(|key| {
            key.event_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == event_id))
                && key.expires_ms.is_none_or(|expires_ms| expires_ms > now_ms)
                && key.max_uses.is_none_or(|max| key.uses < max)
        });
        let keys: Vec<_> = keys.map(|key| (key.id.clone(), key.name, key.id == chosen)).collect();
        let is_own = !keys.iter().any(|(.., is_chosen)| *is_chosen);
        let good = if matches!(good, "system" | "person") { good } else { "own" }.to_owned();
        Ok(Self { keys, is_own, good, uses: uses.to_owned(), expires: expires.to_owned() })
    }
}

/// The call in each way; all of them have the key in them.
pub struct Links {
    /// Id, label, what it is for, and the text.
    pub ways: Vec<(&'static str, &'static str, &'static str, String)>,
    pub key: String,
    /// What the key is good for, in words.
    pub good: String,
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
    let typed = (fields.get("good"), fields.get("uses"), fields.get("expires"));
    let link = LinkForm::with(&app, &event_id, chosen, typed).await?;
    let body = sensor.body(&event_id).to_string();
    let key = match called(&event_id, &sensor) {
        Ok(_) => key_for(&app, &admin, &event_id, &fields).await,
        Err(problem) => Err(problem),
    };
    match key {
        Ok((key, secret)) => {
            let ways = ways(&format!("{}{CALL}", origin(&headers)), &body, &secret);
            let links = Some(Links {
                ways,
                good: good_for(&key),
                key_href: format!("/actions/keys/{}", key.id),
                key: key.name,
            });
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

/// What a call with the key may do, how often and until when.
fn good_for(key: &Key) -> String {
    let may = match &key.event_ids {
        None => "any event id".to_owned(),
        Some(ids) => ids.join(", "),
    };
    let uses = match key.max_uses.map(|max| (max - key.uses).max(0)) {
        None => "any number of uses".to_owned(),
        Some(left) if key.uses > 0 => format!("{} more", plural(left, "use")),
        Some(left) => plural(left, "use"),
    };
    let end = key.expires_ms.map_or_else(|| "no end".to_owned(), |at_ms| format!("until {}", moment(at_ms)));
    let rate = grouped(key.rate_per_minute);
    format!("Good for {uses}, {end}; at most {rate} calls a minute. It may call {may}.")
}

/// `2026-12-31 18:00:00 UTC`
fn moment(at_ms: i64) -> String {
    let text = rfc3339(at_ms).replace('T', " ");
    format!("{} UTC", text.split('.').next().unwrap_or_default())
}

/// The key that is chosen, or one that is made for this link, and its secret.
async fn key_for(app: &App, admin: &Admin, event_id: &str, fields: &Fields) -> Result<(Key, String), Problem> {
    let why = format!("in a link for {event_id}");
    if fields.get("key") != OWN {
        return keys::reveal(app, admin, fields.get("key"), &why).await;
    }
    let now_ms = now_ms();
    let (uses, expires) = match fields.get("good") {
        "system" => (None, ""),
        "person" => (Some(1), "24h"),
        _ => (number(fields, "uses", "Uses")?, fields.get("expires")),
    };
    let expires_ms = match expires {
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
        max_uses: uses,
    };
    keys::create(app, admin, new).await
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
