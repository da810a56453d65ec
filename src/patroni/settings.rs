//! `patronis:` in the configuration.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::document::{Secret, Section};

/// One node of Patroni to watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Its name in labels and messages.
    pub name: String,
    /// Where its REST API is.
    pub url: Url,
    /// Who asks, where the API wants to know.
    pub user: Option<String>,
    /// The password of `user`.
    pub password: Option<Secret>,
    /// The authorities whose certificates are trusted, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The certificate that is shown to the API.
    pub cert: Option<PathBuf>,
    /// The private key of `cert`.
    pub key: Option<PathBuf>,
    /// The most a request may take.
    pub timeout: Duration,
}

const EXAMPLE: &str = "write `url: http://HOST:8008`";

impl Settings {
    /// Reads one element of the list; `None` when it has no usable address, with the problem noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let name = s.optional_text(
            "name",
            "Its name in labels and messages; by default `host:port`.",
        );
        let doc = "Where its REST API is, such as `http://db1:8008`.";
        let url = s.parsed("url", "URL", "", doc, address);
        let user = s.optional_text(
            "user",
            "The user for basic authentication, where it is wanted.",
        );
        let password = s.secret(
            "password",
            "The user's password; better kept in `password_file`.",
        );
        let ca = s.optional_path(
            "ca",
            "Authorities in PEM that are trusted in place of the system's.",
        );
        let cert = s.optional_path(
            "cert",
            "A certificate to show, in PEM, where the API asks for one.",
        );
        let key = s.optional_path("key", "The private key of `cert`, in PEM.");
        let timeout = s.duration("timeout", "3s", "The most a request may take.");
        if cert.is_some() != key.is_some() {
            s.problem("", "`cert` and `key` go together", None);
        }
        if timeout.is_zero() {
            s.problem("timeout", "must be longer than zero", None);
        }
        if !s.has("url") && !s.has("url_file") {
            s.problem("", "`url` is missing", Some(EXAMPLE));
        }
        let url = url?;
        Some(Settings {
            name: name.unwrap_or_else(|| place(&url)),
            url,
            user,
            password,
            ca,
            cert,
            key,
            timeout,
        })
    }

    /// Where it is, as `host:port`.
    pub fn place(&self) -> String {
        place(&self.url)
    }
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What goes wrong is told without the text, for a password may be in it.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no URL ({error}); {EXAMPLE}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!(
            "begins with neither `http://` nor `https://`; {EXAMPLE}"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user; write `user` and `password` beside it".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Problem, Reader, parse};

    #[test]
    fn mistakes_are_named_without_the_secret() {
        let cases = [
            ("url: http://db1:8008\n", ""),
            ("name: a\n", "`url` is missing"),
            (
                "url: 'http://u:s3cr3t@db1:8008'\n",
                "`user` and `password` beside it",
            ),
            ("url: 'db1:8008'\n", "neither `http://` nor `https://`"),
            ("url: 'http://s3cr3t:x'\n", "is no URL"),
            (
                "url: http://db1:8008\ncert: /a\n",
                "`cert` and `key` go together",
            ),
        ];
        for (text, said) in cases {
            let none = |_: &str| None;
            let reader = Reader::new(Some(&none));
            let settings = reader.read(&parse("x.yml", text).unwrap(), Settings::read);
            let problems: Vec<String> = reader.problems().iter().map(Problem::to_string).collect();
            if said.is_empty() {
                assert_eq!(problems, Vec::<String>::new());
                assert_eq!(settings.unwrap().name, "db1:8008");
                continue;
            }
            assert!(
                problems.len() == 1 && problems[0].contains(said),
                "{text}: {problems:?}"
            );
            assert!(!problems[0].contains("s3cr3t"), "{problems:?}");
        }
    }
}
