//! Asks a running pgvigil. Takes its address and what shows who asks; hands on answers, or why there is none.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::{cannot_run, query};
use crate::config::{Flags, load};
use crate::document::{Problem, Secret};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The variable with the token, which a command line should not have.
const VARIABLE: &str = "PGVIGIL_TOKEN";

/// The header in which the server says what is to be known of a change.
const WARNING: &str = "x-pgvigil-warning";

/// A running server.
pub(super) struct Client {
    base: Url,
    token: Option<String>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What it says.
pub(super) struct Answer {
    pub(super) text: String,
}

/// Why it is of no use.
pub(super) enum Trouble {
    /// The configuration, which should name the server, has mistakes.
    Configuration(Vec<Problem>),
    /// It does not take what is asked.
    Refused(String),
    /// It does not know who asks, or nobody may.
    Denied(String),
    /// It cannot be asked.
    Unable(anyhow::Error),
}

impl Trouble {
    /// Tells it, and how the process ends.
    pub(super) fn print(self) -> ExitCode {
        match self {
            Trouble::Refused(said) => {
                eprintln!("error: {said}");
                ExitCode::from(1)
            }
            Trouble::Denied(said) => {
                eprintln!("error: {said}");
                eprintln!(
                    "  hint: give `--token-file`, set {VARIABLE}, or write name and password into the address"
                );
                ExitCode::from(2)
            }
            Trouble::Configuration(problems) => crate::cli::refuse(&problems),
            Trouble::Unable(error) => cannot_run(&error),
        }
    }
}

impl Client {
    /// For the server that is named, or the configuration's. Only that one is sent the configuration's token.
    pub(super) fn of(
        url: Option<&str>,
        token_file: Option<&Path>,
        flags: &Flags,
    ) -> Result<Client, Trouble> {
        let base = query::url(url, flags).map_err(Trouble::Configuration)?;
        let is_named = url.is_some() || std::env::var_os(query::VARIABLE).is_some();
        let token = match (token_file, std::env::var(VARIABLE).ok()) {
            (Some(path), _) => Some(Secret::File(path.to_owned())),
            (None, Some(token)) => Some(Secret::Value(token)),
            (None, None) if is_named => None,
            (None, None) => load(flags).ok().and_then(|config| config.web.token),
        };
        let token = token.map(|token| token.reveal()).transpose();
        let unable = |error: anyhow::Error| Trouble::Unable(error.context("cannot ask the server"));
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Client {
            base,
            token: token.map_err(|said| unable(anyhow!(said)))?,
            http: http.map_err(|error| unable(error.into()))?,
            runtime: runtime.map_err(|error| unable(error.into()))?,
        })
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::GET, path))
    }

    /// With a query behind the path.
    pub(super) fn find(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Trouble> {
        self.ask(self.request_with(Method::GET, path, query))
    }

    pub(super) fn delete(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::DELETE, path))
    }

    pub(super) fn json(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::POST, path).json(body))
    }

    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = self.request(Method::POST, path);
        let kind = "application/x-www-form-urlencoded";
        self.ask(
            request
                .header(reqwest::header::CONTENT_TYPE, kind)
                .body(form.finish()),
        )
    }

    /// Name and password in the address go before the token.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_with(method, path, &[])
    }

    fn request_with(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let has_password = !url.username().is_empty();
        let request = self.http.request(method, url);
        match self.token.as_ref().filter(|_| !has_password) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn ask(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        let answer = self.runtime.block_on(async {
            let response = request.send().await.map_err(query::Unreachable::from)?;
            let status = response.status();
            let warning = response.headers().get(WARNING).cloned();
            let text = response.text().await.map_err(reqwest::Error::without_url)?;
            anyhow::Ok((status, warning, text))
        });
        let place = query::place(&self.base);
        let answer = answer.with_context(|| format!("no answer from {place}"));
        let (status, warning, text) = answer.map_err(Trouble::Unable)?;
        if let Some(warning) = warning {
            eprintln!("warning: {}", warning.to_str().unwrap_or_default());
        }
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Trouble::Denied(format!(
                "{place} refuses with {status}: {}",
                said(&text)
            ))),
            status if status.is_success() => Ok(Answer { text }),
            status if status.is_client_error() => Err(Trouble::Refused(said(&text))),
            status => Err(Trouble::Unable(anyhow!("{place} answers {status}"))),
        }
    }
}

impl Answer {
    /// As JSON.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_str(&self.text)
            .context("it answers nothing that pgvigil would say")
            .map_err(Trouble::Unable)
    }
}

/// What a refusal says, in any of its shapes.
fn said(text: &str) -> String {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let words = json.as_str().or(json["message"].as_str());
    words.unwrap_or(text).trim().to_owned()
}
