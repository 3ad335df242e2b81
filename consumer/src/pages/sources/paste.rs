//! What to paste where: how each kind of sender is told the address of a source.

use super::kinds::Kind;

/// One sender, and what it is told.
#[derive(Debug)]
pub struct Paste {
    pub id: &'static str,
    pub label: &'static str,
    pub lead: &'static str,
    pub text: String,
}

/// A source as senders see it.
pub struct Address<'a> {
    /// `http://host:5001/consumetasks/NAME`
    pub url: &'a str,
    pub kind: &'static Kind,
    pub guarding: &'a Guarding,
}

/// What of the guard stands in requests beside the secret.
#[derive(Default)]
pub struct Guarding {
    pub place: String,
    pub name: String,
    pub prefix: String,
    pub user: String,
}

/// Pages are looked at by more than one: the secret itself is not in what they show.
const SECRET: &str = "SECRET";
const BODY: &str = r#"{"owner":"Norma Fisher","priority":"Major"}"#;
const JSON: &str = "-H 'content-type: application/json'";

impl Address<'_> {
    /// The address with whatever of the guard is a part of it.
    pub fn called(&self) -> String {
        let Guarding { place, name, user, .. } = self.guarding;
        match (self.kind.id, place.as_str()) {
            ("token", "path") => format!("{}/{SECRET}", self.url),
            ("token", "query") => format!("{}?{}={SECRET}", self.url, encoded(name)),
            ("basic", _) => self.url.replacen("://", &format!("://{}:{SECRET}@", encoded(user)), 1),
            _ => self.url.to_owned(),
        }
    }

    fn is_signed(&self) -> bool {
        !matches!(self.kind.id, "open" | "token" | "basic")
    }

    /// A header that carries the token, as a line.
    fn header(&self) -> Option<String> {
        let Guarding { place, name, prefix, .. } = self.guarding;
        (self.kind.id == "token" && place == "header").then(|| format!("{name}: {prefix}{SECRET}"))
    }

    /// Whether what knows nothing but an address gets in.
    fn is_in_address(&self) -> bool {
        !self.is_signed() && self.header().is_none()
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Everything that may send to the source, the likeliest first.
pub fn pastes(address: &Address) -> Vec<Paste> {
    let mut pastes = vec![curl(address)];
    if address.is_in_address() {
        pastes.extend([evok(address), evok_2(address), get(address)]);
    }
    if matches!(address.kind.id, "open" | "github") {
        pastes.push(github(address));
    }
    if !address.is_signed() {
        pastes.extend([grafana(address), alertmanager(address)]);
    }
    pastes
}

fn curl(address: &Address) -> Paste {
    let url = address.called();
    let header = address.header().map(|header| format!(" -H '{header}'")).unwrap_or_default();
    let (lead, text) = match signature(address.kind.id) {
        Some((before, headers)) => {
            let lead = "Two lines for the shell, the first of which signs. Put your secret for SECRET.";
            (lead, format!("body='{BODY}'\n{before}\ncurl '{url}' {JSON} {headers} -d \"$body\""))
        }
        None if address.is_signed() => {
            ("The address. Your program signs, as the guard above says.", format!("curl '{url}' {JSON} -d '{BODY}'"))
        }
        None if address.kind.id == "open" => ("A line for the shell.", format!("curl '{url}' {JSON} -d '{BODY}'")),
        None => {
            ("A line for the shell. Put your secret for SECRET.", format!("curl '{url}' {JSON}{header} -d '{BODY}'"))
        }
    };
    Paste { id: "curl", label: "curl", lead, text }
}

/// How the shell signs `$body`: what it works out, and the headers.
fn signature(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "github" => (
            "mac=$(printf '%s' \"$body\" | openssl dgst -sha256 -hmac 'SECRET' -r | cut -d' ' -f1)",
            "-H 'X-GitHub-Event: ping' -H \"X-Hub-Signature-256: sha256=$mac\"",
        ),
        "accounts_api" => (
            "mac=$(printf '%s' \"$body\" | openssl dgst -sha1 -hmac 'SECRET' -r | cut -d' ' -f1)",
            "-H \"pywebhooks-signature: $mac\"",
        ),
        "shopify" => (
            "mac=$(printf '%s' \"$body\" | openssl dgst -sha256 -hmac 'SECRET' -binary | base64)",
            "-H \"X-Shopify-Hmac-SHA256: $mac\"",
        ),
        "stripe" => (
            "now=$(date +%s); mac=$(printf '%s' \"$now.$body\" | openssl dgst -sha256 -hmac 'SECRET' -r | cut -d' ' -f1)",
            "-H \"Stripe-Signature: t=$now,v1=$mac\"",
        ),
        "slack" => (
            "now=$(date +%s); mac=$(printf '%s' \"v0:$now:$body\" | openssl dgst -sha256 -hmac 'SECRET' -r | cut -d' ' -f1)",
            "-H \"X-Slack-Request-Timestamp: $now\" -H \"X-Slack-Signature: v0=$mac\"",
        ),
        "standard_webhooks" => (
            "now=$(date +%s); key=$(printf '%s' 'SECRET' | sed 's/^whsec_//' | base64 -d | od -An -tx1 | tr -d ' \\n'); \
             mac=$(printf '%s' \"msg_1.$now.$body\" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64)",
            "-H 'webhook-id: msg_1' -H \"webhook-timestamp: $now\" -H \"webhook-signature: v1,$mac\"",
        ),
        _ => return None,
    })
}

const EVOK_3: &str = r#"["di", "do", "ro", "ai", "ao", "temp", "data_point"]"#;
/// Evok compares the names literally, and they changed with version 3.
const EVOK_2: &str = r#"["input", "relay", "ai", "ao", "temp", "unit_register"]"#;

fn evok(address: &Address) -> Paste {
    let lead = "Evok 3: below “apis:” in /etc/evok/config.yaml, then “systemctl restart evok”.";
    let text = format!(
        "  webhook:\n    enabled: true\n    address: {}\n    device_mask: {EVOK_3}\n    complex_events: true",
        address.called()
    );
    Paste { id: "evok", label: "Evok 3", lead, text }
}

/// Evok 2 has an INI file; a percent sign has a meaning of its own there.
fn evok_2(address: &Address) -> Paste {
    let lead = "Evok 2, which has other names for the same devices: in /etc/evok.conf, then restart it. 3.0.1-beta has the file of version 3, and these names.";
    let text = format!(
        "[MAIN]\nwebhook_enabled = True\nwebhook_address = {}\nwebhook_device_mask = {EVOK_2}\nwebhook_complex_events = True",
        address.called().replace('%', "%%")
    );
    Paste { id: "evok-2", label: "Evok 2", lead, text }
}

fn get(address: &Address) -> Paste {
    let lead = "For what can only open an address (Shelly, a doorbell, a bookmark): each call is an event, with what the query says.";
    let url = address.called();
    let joint = if url.contains('?') { '&' } else { '?' };
    Paste { id: "get", label: "GET link", lead, text: format!("{url}{joint}device=door&state=open") }
}

fn github(address: &Address) -> Paste {
    let lead = "GitHub: Settings → Webhooks → Add webhook. It has to reach this address from the internet.";
    let secret = if address.kind.id == "github" { "the secret of this source" } else { "leave it empty" };
    let text = format!(
        "Payload URL: {}\nContent type: application/json\nSecret: {secret}\nSSL verification: enabled",
        address.called()
    );
    Paste { id: "github", label: "GitHub", lead, text }
}

fn grafana(address: &Address) -> Paste {
    let lead = "Grafana: Alerting → Contact points → Add, integration Webhook.";
    let more = match (address.kind.id, address.header()) {
        ("basic", _) => format!("\nHTTP Basic username: {}\nHTTP Basic password: {SECRET}", address.guarding.user),
        (_, Some(header)) => {
            let (name, value) = header.split_once(": ").unwrap_or((&header, ""));
            format!("\nExtra headers: {name} = {value}")
        }
        _ => String::new(),
    };
    let url = if address.kind.id == "basic" { address.url.to_owned() } else { address.called() };
    Paste { id: "grafana", label: "Grafana", lead, text: format!("URL: {url}\nHTTP method: POST{more}") }
}

fn alertmanager(address: &Address) -> Paste {
    let lead = "Prometheus Alertmanager: a receiver in alertmanager.yml.";
    let mut text = format!("receivers:\n  - name: hookcast\n    webhook_configs:\n      - url: {}", address.called());
    if let Some(header) = address.header() {
        let (name, value) = header.split_once(": ").unwrap_or((&header, ""));
        let value = format!("{name}: {{values: [\"{value}\"]}}");
        text.push_str("\n        http_config:\n          http_headers:\n            ");
        text.push_str(&value);
    }
    Paste { id: "alertmanager", label: "Alertmanager", lead, text }
}

#[cfg(test)]
mod tests {
    use super::{super::kinds::kind, *};

    fn pasted(id: &str, guarding: &Guarding) -> Vec<Paste> {
        pastes(&Address { url: "http://h:5001/consumetasks/boiler", kind: kind(id), guarding })
    }

    #[test]
    fn what_is_pasted_carries_the_guard_where_its_sender_can() {
        let text = |pastes: &[Paste], id: &str| {
            pastes.iter().find(|paste| paste.id == id).map(|paste| paste.text.clone()).unwrap_or_default()
        };
        let query = Guarding { place: "query".into(), name: "to ken".into(), ..Guarding::default() };
        let query = pasted("token", &query);
        assert!(text(&query, "evok").contains("address: http://h:5001/consumetasks/boiler?to%20ken=SECRET\n"));
        assert!(text(&query, "get").ends_with("?to%20ken=SECRET&device=door&state=open"));
        let user = Guarding { user: "evok".into(), ..Guarding::default() };
        let basic = pasted("basic", &user);
        assert!(text(&basic, "evok-2").contains("webhook_address = http://evok:SECRET@h:5001/consumetasks/boiler\n"));
        assert!(text(&basic, "grafana").starts_with("URL: http://h:5001/consumetasks/boiler\n"));
        let header = Guarding {
            place: "header".into(),
            name: "Authorization".into(),
            prefix: "Bearer ".into(),
            ..Guarding::default()
        };
        let header = pasted("token", &header);
        assert!(text(&header, "curl").contains("-H 'Authorization: Bearer SECRET'"));
        assert!(text(&header, "evok").is_empty(), "Evok cannot send a header");
        assert_eq!(pasted("slack", &Guarding::default()).len(), 1, "only what signs like Slack gets in");
    }
}
