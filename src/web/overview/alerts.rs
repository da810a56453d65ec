//! Alerts as a person reads them.

use std::time::Duration;

use super::deliveries::{Telling, told};
use super::{Quiet, Tone};
use crate::incident::{Acknowledgement, Book, Evidence};
use crate::rules::{Alert, AlertState};
use crate::sample::Timestamp;
use crate::web::words;

/// One alert.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notice {
    /// The incident's id; empty while pending.
    pub incident: String,
    /// The rule's name.
    pub name: String,
    /// The severity label; may be empty.
    pub severity: String,
    /// The colour that goes with it.
    pub tone: Tone,
    /// What is wrong, in one line.
    pub summary: String,
    /// What it means.
    pub description: String,
    /// What to do first.
    pub hint: String,
    /// A page that says what to do; `http` or `https`.
    pub runbook: Option<String>,
    /// Since when: of a firing alert when it began to fire, of a pending one when its condition began to hold.
    pub since: Timestamp,
    /// How long ago that was, or how long it lasted.
    pub lasting: Duration,
    /// When it ended; `None` while it has not.
    pub ended: Option<Timestamp>,
    /// The expression's value.
    pub value: String,
    /// The other labels, which say where.
    pub labels: Vec<(String, String)>,
    /// For how long nothing has been known of it, when nothing is.
    pub stale: Option<Duration>,
    /// Whether its condition is over and only `keep_firing_for` keeps it.
    pub kept: bool,
    /// What was found when it opened.
    pub evidence: Vec<Evidence>,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// The silence that keeps it from being told of.
    pub silenced: Option<Quiet>,
    /// Who has been told.
    pub told: Vec<Telling>,
}

/// Alerts by how they stand, the worst first, and of these the newest.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Notices {
    pub(super) firing: Vec<Notice>,
    /// They fire as well, but nobody is told.
    pub(super) silenced: Vec<Notice>,
    pub(super) pending: Vec<Notice>,
}

/// Labels that the notice shows elsewhere, or that say nothing to a person.
const SHOWN: [&str; 3] = ["alertname", "severity", "job"];

/// Fires always, so that its absence is noticed: no trouble.
const WATCHDOG: &str = "Watchdog";

/// Whether an alert is a signal for machines: the watchdog, or any other of severity `none`.
pub(super) fn is_signal(alert: &Alert) -> bool {
    alert.labels.get("alertname") == WATCHDOG || alert.labels.get("severity") == "none"
}

/// All alerts that are no signals.
pub(super) fn notices(book: &Book, now: Timestamp) -> Notices {
    let troubles = book.alerts.values().filter(|alert| !is_signal(alert));
    let of = |state| {
        let alerts = troubles.clone().filter(move |alert| alert.state == state);
        let mut notices: Vec<Notice> = alerts.map(|alert| notice(alert, book, now)).collect();
        notices.sort_by_key(|notice| std::cmp::Reverse((notice.tone, notice.since)));
        notices
    };
    let (silenced, firing) = of(AlertState::Firing)
        .into_iter()
        .partition(|notice| notice.silenced.is_some());
    Notices {
        firing,
        silenced,
        pending: of(AlertState::Pending),
    }
}

/// One alert, open or ended.
pub(super) fn notice(alert: &Alert, book: &Book, now: Timestamp) -> Notice {
    let annotation = |name: &str| alert.annotations.get(name).cloned().unwrap_or_default();
    let since = alert.fired_at.unwrap_or(alert.active_at);
    let name = alert.labels.get("alertname").to_owned();
    let incident = alert.incident().unwrap_or_default();
    let summary = match annotation("summary") {
        empty if empty.is_empty() => name.clone(),
        summary => summary,
    };
    let silence = book.silenced(&alert.labels, now);
    Notice {
        severity: alert.labels.get("severity").to_owned(),
        tone: tone(alert.labels.get("severity")),
        summary,
        description: annotation("description"),
        hint: annotation("hint"),
        runbook: Some(annotation("runbook_url"))
            .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        since,
        lasting: alert.resolved_at.unwrap_or(now).since(since),
        ended: alert.resolved_at,
        value: words::number(alert.value),
        labels: labels(alert),
        stale: alert.stale_since.map(|stale| now.since(stale)),
        kept: alert.keep_firing_since.is_some(),
        evidence: book.evidence.get(&incident).cloned().unwrap_or_default(),
        acknowledged: book.acknowledged.get(&incident).cloned(),
        silenced: silence
            .filter(|_| alert.resolved_at.is_none())
            .map(Quiet::of),
        told: told(book, &incident),
        incident,
        name,
    }
}

fn labels(alert: &Alert) -> Vec<(String, String)> {
    let server = alert.labels.get("server");
    let said_twice = |name: &str, value: &str| name == "instance" && value == server;
    let labels = alert.labels.iter();
    labels
        .filter(|(name, value)| !SHOWN.contains(name) && !said_twice(name, value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A severity nobody has told us about is taken for a warning.
pub(super) fn tone(severity: &str) -> Tone {
    match severity {
        "critical" | "page" | "emergency" | "error" => Tone::Critical,
        "info" | "notice" | "debug" | "none" => Tone::Info,
        _ => Tone::Warning,
    }
}
