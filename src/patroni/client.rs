//! Asks a node over HTTP. Takes settings; hands on what the paths answer.

use std::error::Error;
use std::path::Path;

use reqwest::{Certificate, Identity, StatusCode};
use serde::de::DeserializeOwned;

use super::{Cluster, Node, Settings};

/// No answer of a sane cluster is longer than this.
const LONGEST: usize = 4 << 20;

/// A node and the connection to it.
pub(super) struct Client<'s> {
    settings: &'s Settings,
    http: reqwest::Client,
}

impl<'s> Client<'s> {
    /// Reads certificates and key anew.
    pub(super) fn new(settings: &'s Settings) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &settings.ca {
            let found = Certificate::from_pem_bundle(&file(path)?);
            builder = builder.tls_certs_only(found.map_err(|error| unusable("ca", path, &error))?);
        }
        if let (Some(cert), Some(key)) = (&settings.cert, &settings.key) {
            let both = [file(cert)?, file(key)?].join(&b'\n');
            let identity = Identity::from_pem(&both);
            builder = builder.identity(identity.map_err(|error| unusable("cert", cert, &error))?);
        }
        let http = builder.build();
        let http = http.map_err(|error| format!("cannot set up HTTPS: {}", innermost(&error)))?;
        Ok(Client { settings, http })
    }

    /// `/patroni`, which every healthy and unhealthy node answers with 200.
    pub(super) async fn node(&self) -> Result<Node, String> {
        self.get("/patroni").await
    }

    /// `/cluster`, which needs the store of the configuration.
    pub(super) async fn cluster(&self) -> Result<Cluster, String> {
        self.get("/cluster").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let mut url = self.settings.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let address = format!("`{url}`");
        let mut request = self.http.get(url);
        if let Some(user) = &self.settings.user {
            let password = self.settings.password.as_ref();
            let password = password.map(|password| password.reveal()).transpose()?;
            request = request.basic_auth(user, password);
        }
        let lost = |error: reqwest::Error| {
            if error.is_timeout() {
                format!(
                    "no answer from {address} within {:?}",
                    self.settings.timeout
                )
            } else {
                format!("cannot read {address}: {}", innermost(&error.without_url()))
            }
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(&address, status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(format!("{address} answers more than a Patroni would"));
            }
        }
        serde_json::from_slice(&body)
            .map_err(|error| format!("{address} does not answer as a Patroni would: {error}"))
    }
}

fn refused(address: &str, status: StatusCode) -> String {
    let said = format!("{address} answered {}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("{said}\nhint: check `user` and `password`, or `cert` and `key`")
        }
        StatusCode::NOT_FOUND => format!("{said}\nhint: check that `url` is Patroni's `restapi`"),
        _ => said,
    }
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
