//! `headers`: what a proxy or a store of many tenants wants to be told.

use reqwest::header::{HeaderName, HeaderValue};

use crate::document::{Secret, Section};

/// What the protocol or the connection says by itself, as Prometheus reserves it.
const RESERVED: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "user-agent",
    "www-authenticate",
    "x-prometheus-remote-read-version",
    "x-prometheus-remote-write-version",
];

/// Reads the mapping. A value may be a key to something, so none is ever shown.
pub(super) fn read(s: &mut Section) -> Vec<(String, Secret)> {
    let doc = "Headers to send with every request, such as `X-Scope-OrgID`. Their values are kept secret.";
    let pairs = s.secrets("headers", doc);
    for (name, value) in &pairs {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" {
            let message = "`Authorization` cannot be set here";
            let hint = "write `basic_auth` or `authorization` beside `headers`";
            s.problem("headers", message, Some(hint));
        } else if RESERVED.contains(&lower.as_str()) {
            let message = format!("`{name}` belongs to the protocol");
            s.problem("headers", message, Some("leave it out"));
        } else if HeaderName::from_bytes(name.as_bytes()).is_err() {
            s.problem("headers", format!("`{name}` is no name of a header"), None);
        } else if HeaderValue::from_str(value).is_err() {
            let message = format!("the value of `{name}` has characters that no header can hold");
            s.problem("headers", message, None);
        }
    }
    let each = pairs.into_iter();
    each.map(|(name, value)| (name, Secret::Value(value)))
        .collect()
}
