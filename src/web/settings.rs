//! `web:` in the configuration.

use std::path::PathBuf;

use crate::document::{Secret, Section};

/// How the page is served; without anything, in the clear and to everyone who can reach it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Serve TLS with these files.
    pub tls: Option<Tls>,
    /// Who may ask, as name and bcrypt hash; empty for everyone.
    pub users: Vec<(String, String)>,
    /// What whoever may silence and acknowledge shows, beside those users.
    pub token: Option<Secret>,
    /// Whether `POST /-/reload` reads the configuration again.
    pub reload: bool,
    /// A pattern for the origins whose pages may read the answers of the API; all without one.
    pub cors_origin: Option<String>,
}

/// The files of TLS, in PEM; read again whenever they change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tls {
    /// The certificate and the chain above it.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Certificate authorities; a client must show a certificate of one of them.
    pub client_ca: Option<PathBuf>,
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        Settings {
            tls: s.optional_section("tls", "Serve everything over TLS.", read_tls),
            users: s.section("auth", "Who may ask.", read_users),
            token: s.secret(
                "token",
                "What silences and acknowledges, as `Authorization: Bearer …` or as the password of any name; with \
                 `auth`, users may do so too and the token opens everything. With neither, only links in messages may.",
            ),
            reload: s.flag(
                "reload",
                false,
                "Whether `POST /-/reload` reads the configuration again, as SIGHUP always does.",
            ),
            cors_origin: s.parsed(
                "cors_origin",
                "pattern",
                ".*",
                "Pages of which origins a browser lets read the answers of the API: a regular expression for the whole of \
                 it, such as `https://grafana[.]example`. No page is ever given a password.",
                |text| super::api::pattern(text).map(|_| text.to_owned()),
            ),
        }
    }
}

fn read_tls(s: &mut Section) -> Tls {
    let changed = "read again when it changes";
    let cert = s.optional_path(
        "cert",
        &format!("The certificate with its chain, in PEM; {changed}."),
    );
    let key = s.optional_path("key", &format!("Its private key, in PEM; {changed}."));
    for (name, path) in [("cert", &cert), ("key", &key)] {
        if path.is_none() {
            let hint = "TLS needs both `cert` and `key`";
            s.problem("", format!("`{name}` is missing"), Some(hint));
        }
    }
    Tls {
        cert: cert.unwrap_or_default(),
        key: key.unwrap_or_default(),
        client_ca: s.optional_path(
            "client_ca",
            "Authorities in PEM; every client must show a certificate signed by one of them.",
        ),
    }
}

fn read_users(s: &mut Section) -> Vec<(String, String)> {
    let users = s.pairs(
        "users",
        "Names and bcrypt hashes (`htpasswd -nB NAME` writes one) for basic authentication on every path but \
         `/-/healthy`, `/-/ready`, `/primary`, `/replica` and `/read`, which say little more than yes or no.",
    );
    for (name, hash) in &users {
        if hash.parse::<bcrypt::HashParts>().is_err() {
            let hint = "`htpasswd -nB NAME` writes one";
            s.problem(
                "users",
                format!("the hash of `{name}` is no bcrypt hash"),
                Some(hint),
            );
        }
        if name.contains(':') {
            s.problem("users", format!("`{name}` has a colon in it"), None);
        }
    }
    users
}
