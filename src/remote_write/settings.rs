//! `remote_write:` in the configuration, with the keys that Prometheus has for it.

mod address;
mod credentials;
mod headers;
mod queue;
mod tls;

use std::time::Duration;

pub(super) use self::address::Address;
pub(super) use self::credentials::Credentials;
pub(super) use self::queue::Limits;
pub(super) use self::tls::Tls;
use super::relabel::{self, Relabel};
use crate::document::{Secret, Section};

/// Somewhere that takes samples.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in metrics and messages.
    pub name: String,
    pub(super) url: Address,
    /// Sent with every request.
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: Tls,
    /// The most that one request may take.
    pub(super) timeout: Duration,
    /// Which series are sent; in their order.
    pub(super) relabel: Vec<Relabel>,
    pub(super) limits: Limits,
    /// How often types and help texts are sent.
    pub(super) metadata: Option<Duration>,
}

const EXAMPLE: &str = "write `url: http://HOST:9090/api/v1/write`";

impl Settings {
    /// Reads the list; elements that cannot be used are left out, with their problems noted.
    pub fn read_all(s: &mut Section) -> Vec<Self> {
        let doc =
            "Where every sample is sent on to, in Prometheus' remote write protocol, version 1.";
        let all: Vec<Self> = s
            .list("remote_write", doc, Settings::read)
            .into_iter()
            .flatten()
            .collect();
        for (place, one) in all.iter().enumerate() {
            if all[..place].iter().any(|earlier| earlier.name == one.name) {
                let message = format!("two endpoints are called `{}`", one.name);
                let hint = "give each a `name` of its own";
                s.problem("remote_write", message, Some(hint));
            }
        }
        all
    }

    fn read(s: &mut Section) -> Option<Self> {
        let doc = "Its name in metrics and messages; by default `host:port` of `url`.";
        let name = s.optional_text("name", doc);
        let doc = "Where it takes samples, such as `http://prometheus:9090/api/v1/write`.";
        let url = s.parsed("url", "URL", "", doc, Address::parse);
        if !s.has("url") && !s.has("url_file") {
            s.problem("", "`url` is missing", Some(EXAMPLE));
        }
        let headers = headers::read(s);
        let credentials = Credentials::read(s);
        if credentials.is_some() && url.as_ref().is_some_and(Address::holds_user) {
            let message = "must not hold a user where `basic_auth` or `authorization` is written";
            s.problem("url", message, None);
        }
        let tls = s.section("tls_config", "Whom to trust.", Tls::read);
        let doc = "The most that one request may take.";
        let timeout = s.duration("remote_timeout", "30s", doc);
        if timeout.is_zero() {
            s.problem("remote_timeout", "must be longer than zero", None);
        }
        let relabel = relabel::read_all(s);
        let doc = "How samples wait and are gathered.";
        let limits = s.section("queue_config", doc, Limits::read);
        let doc = "Whether and how often types and help texts are sent.";
        let metadata = s.section("metadata_config", doc, metadata);
        let url = url?;
        Some(Settings {
            name: name.unwrap_or_else(|| url.place()),
            url,
            headers,
            credentials,
            tls,
            timeout,
            relabel,
            limits,
            metadata,
        })
    }
}

fn metadata(s: &mut Section) -> Option<Duration> {
    let send = s.flag("send", true, "Whether they are sent.");
    let every = s.duration("send_interval", "1m", "How often.");
    s.refuse_hasty("send_interval", Some(every));
    send.then_some(every)
}

#[cfg(test)]
mod tests;
