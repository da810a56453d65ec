//! `heartbeat:` of `notify:`.

use std::time::Duration;

use reqwest::{Method, Url};

use crate::document::{Secret, Section};

/// Whom to ping, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The address, which is all it takes to ping.
    pub url: Secret,
    /// From one ping to the next.
    pub every: Duration,
    /// `GET`, `POST` or `HEAD`.
    pub method: Method,
}

impl Settings {
    /// Reads the section, where it is written; `None` also when it cannot be used, with the problems noted.
    pub(crate) fn read_in(s: &mut Section) -> Option<Self> {
        let doc = "Pings an address for as long as collecting, evaluating, logging and delivering all advance, so that \
                   a service elsewhere notices when they do not.";
        s.optional_section("heartbeat", doc, Settings::read)?
    }

    fn read(s: &mut Section) -> Option<Self> {
        let doc = "The address to ping. Whoever has it can ping: it is kept secret.";
        let url = s.secret("url", doc);
        match &url {
            None => {
                let hint = "https://hc-ping.com/…";
                s.problem("url", "`url` is missing", Some(hint));
            }
            Some(Secret::Value(text)) => {
                if let Err(message) = address(text) {
                    s.problem("url", message, None);
                }
            }
            Some(Secret::File(_)) => {}
        }
        let doc = "From one ping to the next; the service should wait for two or three.";
        let every = s.duration("every", "1m", doc);
        s.refuse_hasty("every", Some(every));
        let methods = ["get", "post", "head"];
        let method = match s.choice("method", &methods, "get", "How to ping.").as_str() {
            "post" => Method::POST,
            "head" => Method::HEAD,
            _ => Method::GET,
        };
        Some(Settings {
            url: url?,
            every,
            method,
        })
    }
}

/// The address in a text, which is not told in what is wrong with it.
pub(super) fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or("begins with neither `https://` nor `http://`, or is no URL")
}
