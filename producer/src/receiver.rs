//! Where things go by themselves: to the receiver of the settings, each source of its own below it; and what the log calls a receiver.

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

/// The URL as it stands in the log: without its query, which may hold a key.
pub fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_key_in_a_query_stays_out_of_the_log() {
        assert_eq!(place("https://example.com/hooks?key=secret"), "https://example.com/hooks");
        assert_eq!(place("https://example.com/hooks#secret"), "https://example.com/hooks");
    }
}
