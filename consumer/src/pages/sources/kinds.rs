//! The guards as a person chooses them: names, and the fields of their form. A field is called as the guard's member in files and in the API.

use common::fields::Fields;
use serde_json::{Map, Value, json};

/// One way to guard a source.
pub struct Kind {
    pub id: &'static str,
    pub label: &'static str,
    /// Who sends like that, and what it shows.
    pub lead: &'static str,
    /// What the secret is called there; empty: there is none.
    pub secret: &'static str,
    fields: &'static [Field],
}

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    input: Input,
}

enum Input {
    Text { usual: &'static str },
    Seconds { usual: &'static str },
    Choice(&'static [(&'static str, &'static str)]),
}

/// A field as a page shows it.
#[derive(Clone)]
pub struct FormField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub value: String,
    pub is_number: bool,
    /// Value, label, whether it is chosen; none for a text.
    pub choices: Vec<(&'static str, &'static str, bool)>,
    pub error: Option<String>,
}

const fn text(name: &'static str, label: &'static str, hint: &'static str, usual: &'static str) -> Field {
    Field { name, label, hint, input: Input::Text { usual } }
}

const TOLERANCE: Field = Field {
    name: "tolerance_s",
    label: "Seconds a time stamp may be off",
    hint: "Against requests that somebody recorded and sends again.",
    input: Input::Seconds { usual: "300" },
};

const PLACES: [(&str, &str); 3] = [("path", "In the path"), ("query", "In the query"), ("header", "In a header")];
const ALGORITHMS: [(&str, &str); 3] = [("sha256", "SHA-256"), ("sha512", "SHA-512"), ("sha1", "SHA-1")];
const ENCODINGS: [(&str, &str); 2] = [("hex", "Hex"), ("base64", "Base64")];

pub const KINDS: [Kind; 11] = [
    Kind {
        id: "open",
        label: "Open",
        lead: "Anybody who reaches this address may send: a trusted network, a first try.",
        secret: "",
        fields: &[],
    },
    Kind {
        id: "token",
        label: "Token",
        lead: "Devices and services that can only call an address: the token is a part of it, or stands in a header.",
        secret: "Token",
        fields: &[
            Field { name: "in", label: "Where", hint: "", input: Input::Choice(&PLACES) },
            text(
                "name",
                "Name",
                "Of the parameter or the header, such as token or Authorization; none in the path.",
                "",
            ),
            text("prefix", "Before the token", "In a header only, such as “Bearer ” with its blank.", ""),
        ],
    },
    Kind {
        id: "basic",
        label: "User and password",
        lead: "HTTP Basic: an Evok or a camera with http://user:password@… in its address.",
        secret: "Password",
        fields: &[text("user", "User", "", "evok")],
    },
    Kind {
        id: "standard_webhooks",
        label: "Standard Webhooks",
        lead: "Svix, Clerk, Resend, this system's producer: webhook-id, webhook-timestamp and webhook-signature.",
        secret: "Signing secret",
        fields: &[TOLERANCE],
    },
    Kind {
        id: "accounts_api",
        label: "PyWebhooks",
        lead: "The accounts API of PyWebhooks: HMAC-SHA1 of the body.",
        secret: "The account's secret key",
        fields: &[],
    },
    Kind {
        id: "github",
        label: "GitHub",
        lead: "X-Hub-Signature-256, as GitHub, Gitea and Forgejo send it.",
        secret: "Secret",
        fields: &[],
    },
    Kind {
        id: "stripe",
        label: "Stripe",
        lead: "Stripe-Signature with its time stamp.",
        secret: "Signing secret",
        fields: &[TOLERANCE],
    },
    Kind {
        id: "shopify",
        label: "Shopify",
        lead: "X-Shopify-Hmac-SHA256.",
        secret: "Client secret of the app",
        fields: &[],
    },
    Kind {
        id: "slack",
        label: "Slack",
        lead: "X-Slack-Signature: events and slash commands.",
        secret: "Signing secret",
        fields: &[TOLERANCE],
    },
    Kind {
        id: "twilio",
        label: "Twilio",
        lead: "X-Twilio-Signature, which covers the address that was called.",
        secret: "Auth token",
        fields: &[text("url", "The address as Twilio was told it", "Exactly, with https and any parameters.", "")],
    },
    Kind {
        id: "hmac",
        label: "Another HMAC",
        lead: "Whatever else signs the body and puts the signature into a header.",
        secret: "Secret",
        fields: &[
            text("header", "Header with the signature", "", "X-Signature"),
            Field { name: "algorithm", label: "Hash", hint: "", input: Input::Choice(&ALGORITHMS) },
            Field { name: "encoding", label: "Written in", hint: "", input: Input::Choice(&ENCODINGS) },
            text("prefix", "Before the signature", "Such as sha256=.", ""),
            text(
                "timestamp_header",
                "Header with the time",
                "Seconds since 1970; leave it empty if there is none.",
                "",
            ),
            text("signed", "What is signed", "{body} and {timestamp} stand for the two; empty: the body.", ""),
            TOLERANCE,
        ],
    },
];

/// The kind of this name, an open source for a name that there is not.
pub fn kind(id: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.id == id).unwrap_or(&KINDS[0])
}

impl Kind {
    /// The form's fields with what stands in them, by the guard's member.
    pub fn form(&self, value: impl Fn(&str) -> Option<String>) -> Vec<FormField> {
        let field = |field: &Field| {
            let value = value(field.name).unwrap_or_else(|| field.usual().to_owned());
            let choices = match field.input {
                Input::Choice(steps) => steps.iter().map(|(step, label)| (*step, *label, *step == value)).collect(),
                _ => Vec::new(),
            };
            FormField {
                name: field.name,
                label: field.label,
                hint: field.hint,
                is_number: matches!(field.input, Input::Seconds { .. }),
                choices,
                value,
                error: None,
            }
        };
        self.fields.iter().map(field).collect()
    }

    /// The guard that the form describes, as it stands in files; empty fields are left out.
    pub fn guard(&self, fields: &Fields) -> Value {
        let mut guard = Map::from_iter([("kind".to_owned(), json!(self.id))]);
        for field in self.fields {
            // A blank at the end of a prefix is a part of it.
            let typed = if field.name == "prefix" { fields.raw(field.name) } else { fields.get(field.name) };
            if !typed.is_empty() {
                guard.insert(field.name.to_owned(), field.value(typed));
            }
        }
        guard.into()
    }
}

impl Field {
    const fn usual(&self) -> &'static str {
        match self.input {
            Input::Text { usual } | Input::Seconds { usual } => usual,
            Input::Choice(steps) => steps[0].0,
        }
    }

    fn value(&self, typed: &str) -> Value {
        match self.input {
            // What is no number of seconds is none that may be: the guard's own check says what may.
            Input::Seconds { .. } => json!(typed.parse().unwrap_or(-1_i64)),
            _ => json!(typed),
        }
    }
}
