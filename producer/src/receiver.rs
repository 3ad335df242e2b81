//! Where things go by themselves: to the receiver of the settings, each source of its own below it.

use url::Url;

/// The source of what the choice *Hardware* sends.
pub const HARDWARE: &str = "hardware";

/// The URL with one segment more, which the consumer takes for the name of the source.
pub fn below(receiver: &Url, source: &str) -> Url {
    let mut url = receiver.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(source);
    }
    url
}
