//! What the channels over HTTP share: a client that follows no redirects, and reading refusals.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::failure::{Failure, Kind, causes, first_cause};
use crate::sample::Timestamp;

/// The whole of a request and its answer may take this long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer longer than this is of no interest.
const ANSWER: usize = 300;

/// A client; the error says why there can be none.
pub(super) fn client() -> Result<Client, String> {
    let builder = Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")));
    builder
        .build()
        .map_err(|error| format!("cannot set up HTTPS: {}", causes(&error)))
}

/// What the other side answered when it did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: StatusCode,
    /// The beginning of the body in one line.
    pub(super) said: String,
    /// How long it wants to be left alone.
    pub(super) wait: Option<Duration>,
}

/// Sends a request: `Ok(None)` when it was taken. A request that got no answer is a temporary failure.
pub(super) async fn send(request: RequestBuilder) -> Result<Option<Refusal>, Failure> {
    let response = request.send().await.map_err(lost)?;
    if response.status().is_success() {
        return Ok(None);
    }
    let (status, wait) = (response.status(), retry_after(&response));
    let body = response.text().await.unwrap_or_default();
    let said = super::words::cut(&super::words::one_line(&body), ANSWER);
    Ok(Some(Refusal { status, said, wait }))
}

impl Refusal {
    /// The failure that most services mean: 408, 429 and 5xx pass, the rest does not.
    pub(super) fn failure(&self) -> Failure {
        let passes = self.status.is_server_error() || matches!(self.status.as_u16(), 408 | 429);
        Failure {
            reason: self.to_string(),
            kind: if passes {
                Kind::Temporary(self.wait)
            } else {
                Kind::Permanent
            },
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "answered {}", self.status.as_u16())?;
        if self.said.is_empty() {
            Ok(())
        } else {
            write!(f, " `{}`", self.said)
        }
    }
}

/// Of the URL only host and port are told: it may be a secret in itself.
fn lost(error: reqwest::Error) -> Failure {
    let host = error.url().and_then(|url| {
        let port = url.port_or_known_default()?;
        Some(format!("`{}:{port}`", url.host_str()?))
    });
    let host = host.unwrap_or_else(|| "the server".into());
    Failure::temporary(if error.is_timeout() {
        format!("no answer from {host} within {} s", TIMEOUT.as_secs())
    } else if error.is_connect() {
        format!("cannot reach {host}: {}", first_cause(&error))
    } else {
        format!("no answer from {host}: {}", causes(&error.without_url()))
    })
}

/// Seconds, or the moment until which to wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
    Some(Timestamp(until.timestamp().as_millisecond()).since(Timestamp::now()))
}
