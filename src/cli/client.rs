//! Asks a running pgvigil. Takes its address and what shows who asks; hands on answers, or why there is none.

mod pinned;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{cannot_run, query};
use crate::config::{Config, Flags, load};
use crate::document::{Problem, Secret};

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The variable with the token, which a command line should not have.
const VARIABLE: &str = "PGVIGIL_TOKEN";

/// The header in which the server says what is to be known of a change.
const WARNING: &str = "x-pgvigil-warning";

/// A running server.
pub(in crate::cli) struct Client {
    base: Url,
    token: Option<String>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What it says.
pub(in crate::cli) struct Answer {
    pub(in crate::cli) text: String,
}

/// Why it is of no use.
pub(in crate::cli) enum Trouble {
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
    pub(in crate::cli) fn print(self) -> ExitCode {
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
    pub(in crate::cli) fn of(
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
        Client::at(base, token, None)
    }

    /// For the pgvigil that runs with a configuration, where it listens: an address by which others reach it may lead
    /// past a door that asks for more. A variable with an address and a password goes before that. Who it is over TLS
    /// shows the certificate of the configuration, whatever name that has.
    pub(in crate::cli) fn near(config: &Config) -> Result<Client, Trouble> {
        let given = named();
        let token = std::env::var(VARIABLE).ok().map(Secret::Value);
        if let Some(url) = given.and_then(|url| Url::parse(&url).ok()) {
            return Client::at(url, token, None);
        }
        let scheme = if config.web.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let url = format!("{scheme}://{}", reachable(config.listen));
        let base = Url::parse(&url)
            .context("cannot ask the server")
            .map_err(Trouble::Unable)?;
        let cert = config.web.tls.as_ref().map(|tls| tls.cert.as_path());
        // Whoever has taken the place of one that does not run learns no token where none is asked for.
        let own = config.web.token.clone();
        let own = own.filter(|_| !config.web.users.is_empty());
        Client::at(base, token.or(own), cert)
    }

    fn at(base: Url, token: Option<Secret>, cert: Option<&Path>) -> Result<Client, Trouble> {
        let unable = |error: anyhow::Error| Trouble::Unable(error.context("cannot ask the server"));
        let token = token.map(|token| token.reveal()).transpose();
        let mut http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")));
        if let Some(cert) = cert {
            http = http.tls_backend_preconfigured(pinned::trust(cert).map_err(unable)?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Client {
            base,
            token: token.map_err(|said| unable(anyhow!(said)))?,
            http: http.build().map_err(|error| unable(error.into()))?,
            runtime: runtime.map_err(|error| unable(error.into()))?,
        })
    }

    /// Whether the variable names a server.
    pub(in crate::cli) fn is_named() -> bool {
        named().is_some()
    }

    /// Host and port.
    pub(in crate::cli) fn place(&self) -> String {
        query::place(&self.base)
    }

    pub(in crate::cli) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::GET, path))
    }

    /// With a query behind the path.
    pub(in crate::cli) fn find(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Answer, Trouble> {
        self.ask(self.request_with(Method::GET, path, query))
    }

    pub(in crate::cli) fn delete(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::DELETE, path))
    }

    pub(in crate::cli) fn json(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        self.ask(self.request(Method::POST, path).json(body))
    }

    pub(in crate::cli) fn form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Trouble> {
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
    pub(in crate::cli) fn data<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_str(&self.text)
            .context("it answers nothing that pgvigil would say")
            .map_err(Trouble::Unable)
    }
}

/// The address in the variable, if any.
fn named() -> Option<String> {
    std::env::var(query::VARIABLE)
        .ok()
        .filter(|url| !url.is_empty())
}

/// An address that stands for every one of this host is none that can be asked.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut reachable = listen;
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            reachable.set_ip(Ipv4Addr::LOCALHOST.into())
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            reachable.set_ip(Ipv6Addr::LOCALHOST.into())
        }
        _ => {}
    }
    reachable
}

/// What a refusal says, in any of its shapes.
fn said(text: &str) -> String {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let words = json.as_str().or(json["message"].as_str());
    words.unwrap_or(text).trim().to_owned()
}
