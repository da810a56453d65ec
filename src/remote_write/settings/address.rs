//! The address of an endpoint, which may hold secrets.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::EXAMPLE;

/// Where an endpoint takes samples. Shown without user, password and query.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::remote_write) struct Address(Url);

impl Address {
    /// Reads a URL. What goes wrong is told without the text, for a password may be in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is no URL ({error}); {EXAMPLE}"))?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(Address(url))
        } else {
            Err(format!(
                "begins with neither `http://` nor `https://`; {EXAMPLE}"
            ))
        }
    }

    /// The whole of it, for the request.
    pub(in crate::remote_write) fn reveal(&self) -> Url {
        self.0.clone()
    }

    /// What of it must not be told.
    pub(in crate::remote_write) fn secrets(&self) -> Vec<String> {
        let written = [self.0.password(), self.0.query()];
        let mut secrets: Vec<String> = written.into_iter().flatten().map(str::to_owned).collect();
        if let Some(password) = self.0.password() {
            let plain = |text| percent_decode_str(text).decode_utf8_lossy();
            let password = plain(password);
            // As it is sent.
            let both = format!("{}:{password}", plain(self.0.username()));
            secrets.extend([BASE64_STANDARD.encode(both), password.into_owned()]);
        }
        secrets
    }

    /// Whether it logs in by itself.
    pub(super) fn holds_user(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    /// Where it is, as `host:port`.
    pub(in crate::remote_write) fn place(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(
            f,
            "{}://{}",
            url.scheme(),
            url.host_str().unwrap_or_default()
        )?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
