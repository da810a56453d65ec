//! `alerts`: what fires, and what keeps it from being told. Pure but for the view.

use serde_json::{Value, json};

use super::View;
use super::query::{Query, Selection};
use super::reply::Reply;
use super::status::named;
use crate::incident::Book;
use crate::notify::{Audience, Inhibited};
use crate::rules::Alert;
use crate::sample::Timestamp;

/// One alert, and how it stands.
#[derive(Debug)]
pub(super) struct Standing<'b> {
    pub(super) alert: &'b Alert,
    /// Alertmanager's name for it.
    pub(super) fingerprint: String,
    /// Ids of the silences that hold.
    pub(super) silenced_by: Vec<&'b str>,
    /// Fingerprints of the alerts for whose sake it is not announced.
    pub(super) inhibited_by: Vec<String>,
    /// Who is told of it.
    pub(super) receivers: Vec<&'b str>,
}

/// `alerts`
pub(super) fn list(view: &View, query: &Query, now: Timestamp) -> Result<Reply, Reply> {
    let selection = query.selection()?;
    let alerts = view.ledger.read(|book| {
        let selected = selected(book, &view.audience, &selection, now);
        let written = selected.iter().map(|standing| {
            let receivers = standing.receivers.iter().copied();
            standing.written(&view.audience, named(receivers), now)
        });
        written.collect()
    });
    Ok(Reply::Data(alerts))
}

/// The firing alerts that are wanted, by fingerprint.
pub(super) fn selected<'b>(
    book: &'b Book,
    audience: &'b Audience,
    selection: &Selection,
    now: Timestamp,
) -> Vec<Standing<'b>> {
    let inhibition = audience.inhibited(book);
    let mut found: Vec<Standing> = book
        .firing()
        .filter(|alert| {
            selection
                .matchers
                .iter()
                .all(|matcher| matcher.matches(&alert.labels))
        })
        .map(|alert| Standing::of(alert, book, audience, &inhibition, now))
        .filter(|standing| standing.is_in(selection))
        .collect();
    found.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
    found
}

impl<'b> Standing<'b> {
    fn of(
        alert: &'b Alert,
        book: &'b Book,
        audience: &'b Audience,
        inhibition: &Inhibited,
        now: Timestamp,
    ) -> Standing<'b> {
        let silences = book.silences.values();
        let silences = silences.filter(|silence| silence.mutes(&alert.labels, now));
        let inhibitor = inhibition.by(alert);
        Standing {
            alert,
            fingerprint: fingerprint(alert),
            silenced_by: silences.map(|silence| silence.id.as_str()).collect(),
            inhibited_by: inhibitor.map(fingerprint).into_iter().collect(),
            receivers: audience.receivers_of(&alert.labels),
        }
    }

    fn is_active(&self) -> bool {
        self.silenced_by.is_empty() && self.inhibited_by.is_empty()
    }

    fn is_in(&self, selection: &Selection) -> bool {
        let receiver = selection.receiver.as_ref();
        (selection.active || !self.is_active())
            && (selection.silenced || self.silenced_by.is_empty())
            && (selection.inhibited || self.inhibited_by.is_empty())
            && receiver.is_none_or(|wanted| self.receivers.iter().any(|name| wanted.is_match(name)))
    }

    /// As it is listed. Its labels are those that a silence here would match, without `external_labels`.
    pub(super) fn written(&self, audience: &Audience, receivers: Value, now: Timestamp) -> Value {
        let pushed = audience.pushed(self.alert, now);
        let state = if self.is_active() {
            "active"
        } else {
            "suppressed"
        };
        let mut alert = json!({
            "annotations": self.alert.annotations,
            "endsAt": pushed["endsAt"],
            "fingerprint": self.fingerprint,
            "receivers": receivers,
            "startsAt": pushed["startsAt"],
            "status": {
                "inhibitedBy": self.inhibited_by,
                "silencedBy": self.silenced_by,
                "state": state,
            },
            "updatedAt": self.alert.last_seen.rfc3339(),
        });
        if let Some(url) = pushed.get("generatorURL") {
            alert["generatorURL"] = url.clone();
        }
        alert["labels"] = json!(self.alert.labels);
        alert
    }
}

fn fingerprint(alert: &Alert) -> String {
    format!("{:016x}", alert.labels.fingerprint())
}
