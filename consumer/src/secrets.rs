//! Which headers and parameters carry secrets: their presence is kept and shown, their value is not.

use http::{HeaderName, header};

/// What stands in place of a secret in what is kept.
pub const MASK: &str = "•••";
const SECRET_HEADERS: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];
/// Parts of the names of other headers, and of parameters of the path, that carry them.
const SECRET_NAMES: [&str; 4] = ["token", "secret", "key", "password"];

/// Whether a parameter of this name carries a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Whether a header of this name, in any case, carries a secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header.as_str())) || is_secret(name)
}
