//! Where something is changed over HTTP: who may, and how it is written down.
//! Takes the view, and what a request shows; hands events to the ledger.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use ring::rand::{SecureRandom, SystemRandom};

use super::View;
use super::auth::{Caller, Gate};
use crate::incident::{Acknowledgement, Event, SilenceState};
use crate::sample::Timestamp;

/// What a change goes through.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) view: Arc<View>,
    pub(super) gate: Arc<Gate>,
}

/// Why nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nobody may, over HTTP.
    Off,
    /// Who asks has not shown who they are.
    Unknown,
    /// It is another site's page that asks.
    Foreign,
}

/// Whether what was changed outlives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is on the disk.
    ToDisk,
    /// The log cannot be written now: it counts, and is written as soon as that can be.
    ToMemory,
}

impl Refused {
    /// What to say to a person.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Refused::Off => "Nobody may silence or acknowledge over HTTP",
            Refused::Unknown => "Who asks is not known",
            Refused::Foreign => "The request comes from a page of another site",
        }
    }

    /// What to do about it.
    pub(super) fn way_out(self) -> &'static str {
        match self {
            Refused::Off => {
                "set `web.token_file` or `web.auth.users`, or use the link in a message"
            }
            Refused::Unknown => "send name and password, or the token of `web.token_file`",
            Refused::Foreign => "set `external_url` to the address at which you reach pgvigil",
        }
    }

    /// Both.
    pub(super) fn message(self) -> String {
        format!("{}; {}", self.cause(), self.way_out())
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Refused::Unknown => StatusCode::UNAUTHORIZED,
            Refused::Off | Refused::Foreign => StatusCode::FORBIDDEN,
        }
    }
}

impl Written {
    /// What to say when it is not on the disk.
    pub(super) fn warning(self) -> Option<&'static str> {
        (self == Written::ToMemory).then_some(
            "the incident log cannot be written: this holds, but a restart before it can be written forgets it",
        )
    }
}

/// The header in which a warning goes along with an answer.
pub(super) const WARNING: &str = "x-pgvigil-warning";

impl Desk {
    /// Whether who asks may look at what only those see who may change it.
    pub(super) async fn may_look(&self, headers: &HeaderMap) -> Result<Caller, Refused> {
        if !self.gate.knows_anybody() {
            return Err(Refused::Off);
        }
        self.gate.who(headers).await.ok_or(Refused::Unknown)
    }

    /// Whether who asks may change something. What a browser shows by itself counts only on pages of ours.
    pub(super) async fn may_change(&self, headers: &HeaderMap) -> Result<Caller, Refused> {
        let caller = self.may_look(headers).await?;
        if caller.by_itself && is_foreign(headers, self.view.audience.external_url()) {
            return Err(Refused::Foreign);
        }
        Ok(caller)
    }

    /// Who has acknowledged an incident, as things stand.
    pub(super) fn acknowledged(&self, incident: &str) -> Option<Acknowledgement> {
        let ledger = &self.view.ledger;
        ledger.read(|book| book.acknowledged.get(incident).cloned())
    }

    /// Writes events down. The disk may be slow.
    pub(super) async fn record(&self, events: Vec<Event>) -> Written {
        events.iter().for_each(note);
        let ledger = self.view.ledger.clone();
        let write = move || {
            ledger.record(&events);
            ledger.healthy()
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(true) => Written::ToDisk,
            Ok(false) | Err(_) => Written::ToMemory,
        }
    }
}

/// Says in the log who has done what.
fn note(event: &Event) {
    match event {
        Event::Silenced(silence) => {
            let what = match silence.state(Timestamp::now()) {
                SilenceState::Expired => "silence ended",
                SilenceState::Active | SilenceState::Pending => "silence set",
            };
            let matchers = silence.matchers.iter().map(ToString::to_string);
            tracing::info!(
                silence.id,
                silence.matchers = Vec::from_iter(matchers).join(", "),
                silence.ends_at = silence.ends_at.rfc3339(),
                silence.created_by,
                "{what}"
            );
        }
        Event::Acknowledged(word) => {
            tracing::info!(
                incident.id = word.incident,
                by = word.by,
                "incident acknowledged"
            );
        }
        _ => {}
    }
}

/// Whether a page of another site has made a browser send this. A browser says where it comes from in one of two
/// headers; who says neither is no browser.
fn is_foreign(headers: &HeaderMap, external_url: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (
        text(header::HeaderName::from_static("sec-fetch-site")),
        text(header::ORIGIN),
    ) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(header::HOST).unwrap_or_default();
            let own = |url: &str| {
                url.parse::<Uri>()
                    .ok()?
                    .authority()
                    .map(ToString::to_string)
            };
            let from = own(origin);
            from.is_none() || from.as_deref() != Some(host) && from != own(external_url)
        }
        (None, None) => false,
    }
}

/// An id of its own for a silence, a random UUID; `None` where the system gives no random numbers.
pub(super) fn fresh_id() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Some(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_foreign() {
        let cases: [(&[(&str, &str)], bool); 10] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://here:1"),
                ],
                true,
            ),
            (&[("origin", "http://here:1")], false),
            (&[("origin", "https://pgvigil.example")], false),
            (&[("origin", "http://here:2")], true),
            (&[("origin", "null")], true),
            (&[("origin", "http://evil.example")], true),
        ];
        for (shown, foreign) in cases {
            let mut headers = HeaderMap::from_iter([(header::HOST, "here:1".parse().unwrap())]);
            for (name, value) in shown {
                headers.insert(*name, value.parse().unwrap());
            }
            let found = is_foreign(&headers, "https://pgvigil.example/under");
            assert_eq!(found, foreign, "{shown:?}");
        }
    }

    #[test]
    fn ids_are_random_uuids() {
        let (one, two) = (fresh_id().unwrap(), fresh_id().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "4");
    }
}
