//! Alerts as a person reads them.

use std::time::Duration;

use super::Tone;
use crate::incident::Book;
use crate::rules::{Alert, AlertState};
use crate::sample::Timestamp;
use crate::web::words;

/// One alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
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
    /// How long ago that was.
    pub lasting: Duration,
    /// The expression's value.
    pub value: String,
    /// The other labels, which say where.
    pub labels: Vec<(String, String)>,
    /// For how long nothing has been known of it, when nothing is.
    pub stale: Option<Duration>,
    /// Whether its condition is over and only `keep_firing_for` keeps it.
    pub kept: bool,
}

/// Labels that the notice shows elsewhere, or that say nothing to a person.
const SHOWN: [&str; 3] = ["alertname", "severity", "job"];

/// Fires always, so that its absence is noticed: no trouble.
const WATCHDOG: &str = "Watchdog";

/// The firing and the pending ones; neither the watchdog nor any other signal of severity `none` is among them.
pub(super) fn notices(book: &Book, now: Timestamp) -> (Vec<Notice>, Vec<Notice>) {
    let is_signal = |alert: &Alert| {
        alert.labels.get("alertname") == WATCHDOG || alert.labels.get("severity") == "none"
    };
    let troubles = book.alerts.values().filter(|alert| !is_signal(alert));
    let of = |state| {
        let alerts = troubles.clone().filter(move |alert| alert.state == state);
        let mut notices: Vec<Notice> = alerts.map(|alert| notice(alert, now)).collect();
        notices.sort_by_key(|notice| std::cmp::Reverse((notice.tone, notice.since)));
        notices
    };
    (of(AlertState::Firing), of(AlertState::Pending))
}

fn notice(alert: &Alert, now: Timestamp) -> Notice {
    let annotation = |name: &str| alert.annotations.get(name).cloned().unwrap_or_default();
    let since = alert.fired_at.unwrap_or(alert.active_at);
    let name = alert.labels.get("alertname").to_owned();
    let summary = match annotation("summary") {
        empty if empty.is_empty() => name.clone(),
        summary => summary,
    };
    let server = alert.labels.get("server");
    let said_twice = |name: &str, value: &str| name == "instance" && value == server;
    let labels = alert
        .labels
        .iter()
        .filter(|(name, value)| !SHOWN.contains(name) && !said_twice(name, value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Notice {
        severity: alert.labels.get("severity").to_owned(),
        tone: tone(alert.labels.get("severity")),
        summary,
        description: annotation("description"),
        hint: annotation("hint"),
        runbook: Some(annotation("runbook_url"))
            .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        since,
        lasting: now.since(since),
        value: words::number(alert.value),
        labels: labels.collect(),
        stale: alert.stale_since.map(|stale| now.since(stale)),
        kept: alert.keep_firing_since.is_some(),
        name,
    }
}

/// A severity nobody has told us about is taken for a warning.
fn tone(severity: &str) -> Tone {
    match severity {
        "critical" | "page" | "emergency" | "error" => Tone::Critical,
        "info" | "notice" | "debug" => Tone::Info,
        _ => Tone::Warning,
    }
}
