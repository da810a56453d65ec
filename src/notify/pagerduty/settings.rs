//! `pagerduty:` of a receiver.

use reqwest::Url;

use crate::document::{Secret, Section};
use crate::notify::http::is_web;

/// A service of PagerDuty's, reached by its Events API v2.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The service's integration key.
    pub routing_key: Secret,
    /// Where events are taken.
    pub url: Url,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "The integration key, 32 characters, of the service's integration `Events API v2`. It is kept secret.";
        let routing_key = s.secret("routing_key", doc);
        match &routing_key {
            None => {
                let hint = "copy it from the service's integration `Events API v2`";
                s.problem("routing_key", "`routing_key` is missing", Some(hint));
            }
            Some(Secret::Value(key)) if key.chars().count() != 32 => {
                s.problem("routing_key", "is not 32 characters long", None);
            }
            Some(_) => {}
        }
        let doc = "Where events are taken; `https://events.eu.pagerduty.com/v2/enqueue` for accounts in Europe.";
        let usual = "https://events.pagerduty.com/v2/enqueue";
        let url = s.parsed("url", "URL", usual, doc, |text| {
            let url = Url::parse(text).ok().filter(|_| is_web(text));
            url.ok_or_else(|| "begins with neither `https://` nor `http://`".into())
        });
        Some(Settings {
            routing_key: routing_key?,
            url: url?,
        })
    }
}
