//! `webhook:` of a receiver.

use reqwest::header::{HeaderName, HeaderValue};

use crate::document::{Secret, Section};
use crate::notify::http::is_web;

/// What the message or the connection says by itself.
const RESERVED: [&str; 7] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
    "x-pgvigil-signature",
];

/// Somewhere that takes the webhooks of an Alertmanager.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where it is.
    pub url: Secret,
    /// Signs what is sent.
    pub secret: Option<Secret>,
    /// Sent with every message.
    pub headers: Vec<(String, Secret)>,
    /// The most alerts in one message; 0 is no limit.
    pub max_alerts: usize,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "Where messages are posted, in the form of an Alertmanager's webhook, version 4. It is kept secret.";
        let url = s.secret("url", doc);
        match &url {
            None => {
                let hint = "https://hooks.example.com/alerts";
                s.problem("url", "`url` is missing", Some(hint));
            }
            Some(Secret::Value(text)) if !is_web(text) => {
                s.problem("url", "begins with neither `https://` nor `http://`", None);
            }
            Some(_) => {}
        }
        let doc = "Signs each message: the header `X-Pgvigil-Signature` is `sha256=` and the HMAC-SHA256 of the body \
                   under this key, in hexadecimal digits. Who takes it computes the same over the bytes it got, and \
                   compares in constant time.";
        let secret = s.secret("secret", doc);
        let doc = "Headers to send with every message, such as `Authorization`. Their values are kept secret.";
        let headers = s.secrets("headers", doc);
        headers.iter().for_each(|header| complain(s, header));
        let doc = "The most alerts in one message, `truncatedAlerts` says how many more there are; 0 is no limit.";
        let headers = headers.into_iter();
        let max_alerts = s.count("max_alerts", "0", doc);
        Some(Settings {
            url: url?,
            secret,
            headers: headers
                .map(|(name, value)| (name, Secret::Value(value)))
                .collect(),
            max_alerts: usize::try_from(max_alerts).unwrap_or(usize::MAX),
        })
    }
}

fn complain(s: &Section, (name, value): &(String, String)) {
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        let message = format!("`{name}` belongs to the message");
        s.problem("headers", message, Some("leave it out"));
    } else if HeaderName::from_bytes(name.as_bytes()).is_err() {
        s.problem("headers", format!("`{name}` is no name of a header"), None);
    } else if HeaderValue::from_str(value).is_err() {
        let message = format!("the value of `{name}` has characters that no header can hold");
        s.problem("headers", message, None);
    }
}
