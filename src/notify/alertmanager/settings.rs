//! `alertmanager:` of a receiver.

use std::fmt;

use reqwest::Url;

use crate::document::Section;
use crate::notify::secrets::Secrets;

/// Alertmanagers that each get everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where each is, without the `/api/v2` part.
    pub urls: Vec<Base>,
}

/// The address of one Alertmanager. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Base(Url);

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "Every one of these gets every alert; `user:password@` before the host logs in.";
        let texts = s.texts("urls", doc);
        let mut urls = Vec::new();
        for text in &texts {
            match Base::parse(text) {
                Ok(base) if urls.contains(&base) => {
                    s.problem("urls", format!("`{base}` stands here twice"), None);
                }
                Ok(base) => urls.push(base),
                Err(message) => s.problem("urls", message, Some("http://alertmanager:9093")),
            }
        }
        if texts.is_empty() {
            let hint = "http://alertmanager:9093";
            s.problem("urls", "needs at least one URL", Some(hint));
        }
        (!urls.is_empty()).then_some(Settings { urls })
    }
}

impl Base {
    /// Reads a URL. What goes wrong is told without the text, for a password may be in it.
    ///
    /// # Errors
    /// What is wrong, in words for a person.
    pub fn parse(text: &str) -> Result<Base, String> {
        let url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(Base(url))
        } else {
            Err("begins with neither `http://` nor `https://`".into())
        }
    }

    /// The address of something below it.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url.set_query(None);
        url
    }
}

impl Base {
    /// What of it must not be told.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::default().and_user(&self.0)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path().trim_end_matches('/'))
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
