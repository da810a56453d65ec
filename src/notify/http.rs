//! What the channels over HTTP share: a client that follows no redirects, and reading refusals.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::failure::{Failure, Kind, causes, first_cause};
use super::secrets::Secrets;
use super::words;
use crate::sample::Timestamp;

/// The whole of a request and its answer may take this long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Of what a refusal says so many characters are shown.
const SHOWN: usize = 300;

/// Of a refusal so many bytes are read.
const REFUSAL: usize = 16 << 10;

/// No answer that has to be understood is longer, in bytes. Slack's repeats the message.
const LONGEST: usize = 1 << 20;

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

/// Whether it is an address for a browser.
pub(super) fn is_web(text: &str) -> bool {
    let url = reqwest::Url::parse(text);
    url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A header that no log shows.
pub(super) fn unseen(text: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(text);
    let mut value =
        value.map_err(|_| Failure::temporary("a secret has characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Any answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// How long the other side wants to be left alone.
    pub(super) wait: Option<Duration>,
    /// The body; of a refusal, and of a very long one, only the beginning.
    pub(super) body: Vec<u8>,
}

/// What the other side answered when it did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: StatusCode,
    /// The beginning of the body.
    said: String,
    /// How long it wants to be left alone.
    pub(super) wait: Option<Duration>,
}

/// Sends a request: `Ok(None)` when it was taken. A request that got no answer is a temporary failure.
pub(super) async fn send(request: RequestBuilder) -> Result<Option<Refusal>, Failure> {
    send_for(request, |status| status.is_success()).await
}

/// The same, where only some statuses say that it was taken.
pub(super) async fn send_for(
    request: RequestBuilder,
    says_taken: impl Fn(StatusCode) -> bool,
) -> Result<Option<Refusal>, Failure> {
    let response = request.send().await.map_err(lost)?;
    if says_taken(response.status()) {
        // The rest of the answer does not matter.
        return Ok(None);
    }
    Ok(Some(answer(response, REFUSAL).await?.refusal()))
}

/// Sends a request for the sake of its answer, of which all is read.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Failure> {
    answer(request.send().await.map_err(lost)?, LONGEST).await
}

async fn answer(mut response: Response, longest: usize) -> Result<Answer, Failure> {
    let (status, wait) = (response.status(), retry_after(&response));
    let mut body = Vec::new();
    while body.len() < longest {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // That it was refused is known, why is not.
            Err(_) if !status.is_success() => break,
            Err(error) => return Err(lost(error)),
        }
    }
    body.truncate(longest);
    Ok(Answer { status, wait, body })
}

impl Answer {
    /// As a refusal.
    pub(super) fn refusal(&self) -> Refusal {
        let body = &self.body[..self.body.len().min(REFUSAL)];
        Refusal {
            status: self.status,
            said: String::from_utf8_lossy(body).into_owned(),
            wait: self.wait,
        }
    }
}

impl Refusal {
    /// The same without secrets: the other side may say what it was told.
    pub(super) fn without(mut self, secrets: &Secrets) -> Refusal {
        self.said = secrets.hide(&self.said);
        self
    }

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
        let said = words::cut(&words::one_line(&self.said), SHOWN);
        if !said.is_empty() {
            write!(f, " `{said}`")?;
        }
        if self.status.is_redirection() {
            f.write_str("; redirects are not followed: write the address that it leads to")?;
        }
        Ok(())
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
