//! Carries one parcel to an endpoint over HTTP. Follows no redirect.

use std::error::Error;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use prost::bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Identity, RequestBuilder};

use super::answer::{Failure, refusal};
use super::settings::{Credentials, Settings};
use crate::document::Secret;

/// The version of the protocol.
const VERSION: (&str, &str) = ("X-Prometheus-Remote-Write-Version", "0.1.0");

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
        let mut secrets = self.settings.url.secrets();
        match self.request(body, &mut secrets) {
            Ok(request) => self.send(request, &secrets).await,
            Err(reason) => Err(Failure::temporary(reason)),
        }
    }

    fn request(
        &mut self,
        body: Bytes,
        secrets: &mut Vec<String>,
    ) -> Result<RequestBuilder, String> {
        let settings = self.settings;
        let client = match self.http.take() {
            Some(client) => client,
            None => client(settings)?,
        };
        let mut request = self
            .http
            .insert(client)
            .post(settings.url.reveal())
            .header(CONTENT_ENCODING, "snappy")
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(VERSION.0, VERSION.1);
        let mut reveal = |secret: &Secret| {
            let text = secret.reveal()?;
            secrets.push(text.clone());
            Ok::<_, String>(text)
        };
        for (name, value) in &settings.headers {
            request = request.header(name, unseen(&reveal(value)?)?);
        }
        if let Some(credentials) = &settings.credentials {
            let text = match credentials {
                Credentials::Basic(user, password) => {
                    let password = password.as_ref().map(&mut reveal).transpose()?;
                    let both = format!("{user}:{}", password.unwrap_or_default());
                    let encoded = BASE64_STANDARD.encode(both);
                    secrets.push(encoded.clone());
                    format!("Basic {encoded}")
                }
                Credentials::Token(kind, token) => format!("{kind} {}", reveal(token)?),
            };
            request = request.header(AUTHORIZATION, unseen(&text)?);
        }
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
                Err(Failure::temporary(self.lost(error)))
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

/// A header that no log shows.
fn unseen(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "a secret has characters that no header can hold".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
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
