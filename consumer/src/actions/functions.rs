//! What a device can be told to do, and with which parameters.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{call::is_plain, outputs::SetOutput};

const MAX_URL_CHARS: usize = 2048;
const MAX_TEXT_CHARS: usize = 500;
const MAX_SECONDS: u32 = 7 * 24 * 3600;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    LoadUrl,
    EnableEmergency,
    DisableEmergency,
    RefreshDatasource,
    PauseLoop,
    ResumeLoop,
    SendSensorEventData,
    RefreshContent,
    RestartDevice,
    ShowToast,
    Snooze,
    Wake,
    SetOutput,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadUrl {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Emergency {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
    #[serde(default)]
    sound: bool,
    /// How long it lasts; none: until it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toast {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Datasource {
    #[serde(skip_serializing_if = "Option::is_none")]
    datasource: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snooze {
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// What is shown over the loop stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Function {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoadUrl => "load_url",
            Self::EnableEmergency => "enable_emergency",
            Self::DisableEmergency => "disable_emergency",
            Self::RefreshDatasource => "refresh_datasource",
            Self::PauseLoop => "pause_loop",
            Self::ResumeLoop => "resume_loop",
            Self::SendSensorEventData => "send_sensor_event_data",
            Self::RefreshContent => "refresh_content",
            Self::RestartDevice => "restart_device",
            Self::ShowToast => "show_toast",
            Self::Snooze => "snooze",
            Self::Wake => "wake",
            Self::SetOutput => "set_output",
        }
    }

    /// The function that is written so; `None`: there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name)).ok()
    }

    /// The parameters as they are kept.
    ///
    /// # Errors
    /// Says which one is wrong, and what it is.
    pub fn check(self, parameters: Value) -> Result<Value, String> {
        match self {
            Self::LoadUrl => read(parameters, |it: &LoadUrl| url(&it.url).and(seconds(it.seconds))),
            Self::EnableEmergency => read(parameters, emergency),
            Self::ShowToast => read(parameters, |it: &Toast| text("text", &it.text).and(seconds(it.seconds))),
            Self::Snooze => read(parameters, |it: &Snooze| seconds(it.seconds)),
            Self::SetOutput => read(parameters, |it: &SetOutput| it.check().and(seconds(it.seconds))),
            Self::RefreshDatasource => read(parameters, |it: &Datasource| {
                it.datasource.as_deref().map_or(Ok(()), |name| text("datasource", name))
            }),
            Self::RefreshContent => read(parameters, |_: &Refresh| Ok(())),
            Self::DisableEmergency
            | Self::PauseLoop
            | Self::ResumeLoop
            | Self::SendSensorEventData
            | Self::RestartDevice
            | Self::Wake => read(parameters, |_: &Nothing| Ok(())),
        }
        .map_err(|error| format!("{}: {error}", self.as_str()))
    }
}

fn read<T: Serialize + DeserializeOwned>(
    parameters: Value,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<Value, String> {
    let parameters = if parameters.is_null() { Value::Object(serde_json::Map::new()) } else { parameters };
    if !parameters.is_object() {
        return Err("its parameters are a JSON object".into());
    }
    let read: T = serde_json::from_value(parameters).map_err(|error| error.to_string())?;
    check(&read)?;
    serde_json::to_value(&read).map_err(|error| error.to_string())
}

fn emergency(it: &Emergency) -> Result<(), String> {
    text("text", &it.text)?;
    it.title.as_deref().map_or(Ok(()), |title| text("title", title))?;
    color(it.color.as_deref())?;
    seconds(it.seconds)
}

/// A colour that may be left out.
///
/// # Errors
/// Says how one is written.
pub fn color(color: Option<&str>) -> Result<(), String> {
    let is_color = |color: &str| {
        color.len() == 7 && color.starts_with('#') && color.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit())
    };
    if color.is_none_or(is_color) { Ok(()) } else { Err("color is written like #b00020".into()) }
}

/// What a screen may be sent to: never `javascript:` or a file of its own.
///
/// # Errors
/// Says how it begins.
pub fn url(url: &str) -> Result<(), String> {
    let is_http = url.parse::<http::Uri>().is_ok_and(|uri| {
        uri.host().is_some_and(|host| !host.is_empty()) && matches!(uri.scheme_str(), Some("http" | "https"))
    });
    let is_good = is_http && is_plain(url, MAX_URL_CHARS);
    is_good
        .then_some(())
        .ok_or_else(|| format!("url begins with http:// or https:// and has at most {MAX_URL_CHARS} characters"))
}

/// A text of some lines that has to be there.
///
/// # Errors
/// Names it, and says how long it may be.
pub fn text(name: &str, text: &str) -> Result<(), String> {
    let has_control = text.chars().any(|letter| letter.is_control() && letter != '\n');
    let is_good = !text.trim().is_empty() && text.chars().count() <= MAX_TEXT_CHARS && !has_control;
    is_good.then_some(()).ok_or_else(|| format!("{name} has 1 to {MAX_TEXT_CHARS} characters"))
}

fn seconds(seconds: Option<u32>) -> Result<(), String> {
    let is_good = seconds.is_none_or(|seconds| (1..=MAX_SECONDS).contains(&seconds));
    is_good.then_some(()).ok_or_else(|| format!("seconds is 1 to {MAX_SECONDS}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_checked_by_their_function() {
        let good = [
            ("load_url", json!({"url": "https://a.example/x?y=1", "seconds": 20})),
            ("enable_emergency", json!({"text": "Leave\nnow", "color": "#B00020", "sound": true})),
            ("disable_emergency", json!({})),
            ("refresh_datasource", json!({"datasource": "weather"})),
            ("send_sensor_event_data", json!({})),
            ("show_toast", json!({"text": "<b>hi</b>"})),
            ("snooze", json!({"seconds": 5})),
            ("wake", Value::Null),
        ];
        for (name, parameters) in good {
            let checked = Function::from_name(name).unwrap().check(parameters.clone());
            assert!(checked.is_ok(), "{name} {parameters} {checked:?}");
        }
        let bad = [
            ("load_url", json!({"url": "javascript:alert(1)"}), "http"),
            ("load_url", json!({"url": "file:///etc/passwd"}), "http"),
            ("load_url", json!({}), "url"),
            ("load_url", json!({"url": "https://a.example", "second": 1}), "second"),
            ("enable_emergency", json!({"text": " "}), "text"),
            ("enable_emergency", json!({"text": "a", "color": "red;"}), "color"),
            ("show_toast", json!({"text": "a", "seconds": 0}), "seconds"),
            ("wake", json!({"text": "a"}), "text"),
            ("wake", json!([1]), "object"),
        ];
        for (name, parameters, said) in bad {
            let error = Function::from_name(name).unwrap().check(parameters.clone()).unwrap_err();
            assert!(error.contains(said) && error.contains(name), "{parameters}: {error}");
        }
        assert_eq!(Function::from_name("format_disk"), None);
    }

    #[test]
    fn a_function_is_called_what_it_is_read_from() {
        for name in [
            "load_url",
            "enable_emergency",
            "disable_emergency",
            "refresh_datasource",
            "pause_loop",
            "resume_loop",
            "send_sensor_event_data",
            "refresh_content",
            "restart_device",
            "show_toast",
            "snooze",
            "wake",
            "set_output",
        ] {
            assert_eq!(Function::from_name(name).unwrap().as_str(), name);
        }
    }
}
