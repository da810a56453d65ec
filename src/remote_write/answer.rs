//! What an endpoint answers that does not take a parcel, and whether trying again can help.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::sample::Timestamp;

/// An answer longer than this, in bytes, is of no interest.
const ANSWER: usize = 256;

/// Something shorter is no secret, and may stand in any answer.
const SHORTEST_SECRET: usize = 4;

/// Why a parcel was not taken. The reason never holds a secret.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) kind: Kind,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Yes; after this long, where the endpoint said so.
    Temporary(Option<Duration>),
    /// No, not this parcel.
    Permanent,
}

impl Failure {
    /// One that passes.
    pub(super) fn temporary(reason: String) -> Self {
        let kind = Kind::Temporary(None);
        Failure { reason, kind }
    }
}

/// As Prometheus sorts answers: 5xx pass, and so does 429, where it would need to be told; the rest does not.
pub(super) async fn refusal(response: Response, secrets: &[String]) -> Failure {
    let status = response.status();
    let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let kind = if passes {
        Kind::Temporary(wish(&response))
    } else {
        Kind::Permanent
    };
    let mut reason = format!("answered {}", status.as_u16());
    if status.is_redirection() && response.headers().contains_key(LOCATION) {
        reason.push_str("; redirects are not followed: write the address that it leads to");
    }
    let said = redacted(beginning(response).await, secrets);
    let said = cut(said.trim(), ANSWER);
    if !said.is_empty() {
        reason.push_str(&format!(" `{said}`"));
    }
    Failure { reason, kind }
}

/// The beginning of the answer in one line; whatever follows is not waited for.
async fn beginning(mut response: Response) -> String {
    let mut said = Vec::new();
    while said.len() < 2 * ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => said.extend_from_slice(&chunk[..chunk.len().min(2 * ANSWER)]),
            Ok(None) | Err(_) => break,
        }
    }
    let text = String::from_utf8_lossy(&said);
    text.replace(|c: char| c.is_control(), " ")
}

/// An endpoint may say what it was told.
fn redacted(said: String, secrets: &[String]) -> String {
    let long = secrets
        .iter()
        .filter(|secret| secret.len() >= SHORTEST_SECRET);
    long.fold(said, |said, secret| said.replace(secret, "<secret>"))
}

fn cut(text: &str, limit: usize) -> String {
    let mut kept = limit.min(text.len());
    while !text.is_char_boundary(kept) {
        kept -= 1;
    }
    let mark = if kept < text.len() { "…" } else { "" };
    format!("{}{mark}", &text[..kept])
}

fn wish(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry_after(text.trim(), Timestamp::now())
}

/// Seconds, or the moment until which to wait.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
    Some(Timestamp(until.timestamp().as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_seconds_or_a_moment() {
        let now = Timestamp(1_795_956_060_000);
        let cases = [
            ("17", Some(17)),
            ("Sun, 29 Nov 2026 12:41:30 GMT", Some(30)),
            ("Sun, 29 Nov 2020 12:41:30 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ];
        for (text, seconds) in cases {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(text, now), expected, "{text}");
        }
    }

    #[test]
    fn words_are_cut_between_letters_and_hold_no_secret() {
        assert_eq!(cut("über", 1), "…");
        assert_eq!(cut("über", 2), "ü…");
        assert_eq!(cut("über", 9), "über");
        let secrets = ["s3cr3t", "a", ""].map(str::to_owned);
        let said = redacted("a bad s3cr3t".to_owned(), &secrets);
        assert_eq!(said, "a bad <secret>");
    }
}
