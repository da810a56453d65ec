//! Carries one parcel to an endpoint over HTTP, and reads what it answers. Follows no redirect.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use jiff::fmt::rfc2822;
use prost::bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, RequestBuilder, Response, StatusCode};

use super::settings::{Credentials, Settings};
use crate::document::Secret;
use crate::sample::Timestamp;

/// An answer longer than this, in bytes, is of no interest.
const ANSWER: usize = 256;

/// Something shorter is no secret, and may stand in any answer.
const SHORTEST_SECRET: usize = 4;

/// The version of the protocol.
const VERSION: (&str, &str) = ("X-Prometheus-Remote-Write-Version", "0.1.0");

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

/// An endpoint and the connection to it.
pub(super) struct Courier<'s> {
    settings: &'s Settings,
    http: Option<Client>,
}

impl<'s> Courier<'s> {
    /// Connects when it first has something to carry.
    pub(super) fn new(settings: &'s Settings) -> Self {
        Courier {
            settings,
            http: None,
        }
    }

    /// Sends a request.
    pub(super) async fn carry(&mut self, body: Bytes) -> Result<(), Failure> {
        let mut secrets = Vec::from_iter(self.settings.url.password().map(str::to_owned));
        match self.request(body, &mut secrets) {
            Ok(request) => self.send(request, &secrets).await,
            Err(reason) => Err(temporary(reason)),
        }
    }

    fn request(
        &mut self,
        body: Bytes,
        secrets: &mut Vec<String>,
    ) -> Result<RequestBuilder, String> {
        let mut reveal = |secret: &Secret| {
            let text = secret.reveal()?;
            secrets.push(text.clone());
            Ok::<_, String>(text)
        };
        let settings = self.settings;
        let client = match self.http.take() {
            Some(client) => client,
            None => client(settings)?,
        };
        let client = self.http.insert(client);
        let mut request = client
            .post(settings.url.reveal())
            .header(CONTENT_ENCODING, "snappy")
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(VERSION.0, VERSION.1);
        for (name, value) in &settings.headers {
            request = request.header(name, secret_value(&reveal(value)?)?);
        }
        request = match &settings.credentials {
            None => request,
            Some(Credentials::Basic(user, password)) => {
                let password = password.as_ref().map(&mut reveal).transpose()?;
                request.basic_auth(user, password)
            }
            Some(Credentials::Token(kind, token)) => {
                let text = format!("{kind} {}", reveal(token)?);
                request.header("Authorization", secret_value(&text)?)
            }
        };
        Ok(request.body(body))
    }

    async fn send(&mut self, request: RequestBuilder, secrets: &[String]) -> Result<(), Failure> {
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(refusal(response, secrets).await),
            Err(error) => {
                if self.settings.tls.is_in_files() {
                    // Certificates and keys may have changed.
                    self.http = None;
                }
                Err(temporary(self.lost(error)))
            }
        }
    }

    fn lost(&self, error: reqwest::Error) -> String {
        let place = self.settings.url.place();
        if error.is_timeout() {
            format!(
                "no answer from `{place}` within {:?}",
                self.settings.timeout
            )
        } else if error.is_connect() {
            format!("cannot reach `{place}`: {}", innermost(&error))
        } else {
            let cause = innermost(&error.without_url());
            format!("no answer from `{place}`: {cause}")
        }
    }
}

/// Reads certificates and key anew.
fn client(settings: &Settings) -> Result<Client, String> {
    let mut builder = Client::builder()
        .timeout(settings.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .tls_danger_accept_invalid_certs(settings.tls.insecure)
        .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = &settings.tls.ca {
        let found = Certificate::from_pem_bundle(&file(path)?);
        let found = found.map_err(|error| unusable("ca_file", path, &error))?;
        builder = builder.tls_certs_only(found);
    }
    if let Some((cert, key)) = &settings.tls.identity {
        let both = [file(cert)?, file(key)?].join(&b'\n');
        let identity = Identity::from_pem(&both);
        let identity = identity.map_err(|error| unusable("cert_file", cert, &error))?;
        builder = builder.identity(identity);
    }
    let client = builder.build();
    client.map_err(|error| format!("cannot set up HTTPS: {}", innermost(&error)))
}

/// As Prometheus sorts answers: 5xx pass, and so does 429, where it would need to be told; the rest does not.
async fn refusal(response: Response, secrets: &[String]) -> Failure {
    let status = response.status();
    let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let kind = if passes {
        Kind::Temporary(retry_after(&response))
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

fn secret_value(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "a secret has characters that no header can hold".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
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

fn temporary(reason: String) -> Failure {
    let kind = Kind::Temporary(None);
    Failure { reason, kind }
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

fn unusable(key: &str, path: &Path, error: &reqwest::Error) -> String {
    let cause = innermost(error);
    format!("`{key}` cannot be used: `{}`: {cause}", path.display())
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
