//! `slack:` of a receiver.

use crate::document::{Secret, Section};

/// A Slack incoming webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The URL, which is all it takes to post.
    pub webhook_url: Secret,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "The incoming webhook's URL. Whoever has it can post: it is kept secret.";
        let webhook_url = s.secret("webhook_url", doc);
        match &webhook_url {
            None => {
                let hint = "https://hooks.slack.com/services/…";
                s.problem("webhook_url", "`webhook_url` is missing", Some(hint));
            }
            Some(Secret::Value(text)) if !is_web(text) => {
                let message = "begins with neither `https://` nor `http://`";
                s.problem("webhook_url", message, None);
            }
            Some(_) => {}
        }
        Some(Settings {
            webhook_url: webhook_url?,
        })
    }
}

fn is_web(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
