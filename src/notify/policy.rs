//! Who is told of which alert, on which terms; and which alert keeps another from being announced. Pure.

use super::settings::{Entry, Terms};
use crate::incident::Book;
use crate::rules::Alert;
use crate::sample::Labels;
use crate::scrape::LIVENESS;

/// The alert that always fires, for machines that notice its absence. People get it only where the policy names it.
pub const WATCHDOG: &str = "Watchdog";

/// The terms on which a receiver is told of an alert with these labels; `None` when it is not.
pub(super) fn terms(policy: &[Entry], receiver: &str, labels: &Labels) -> Option<Terms> {
    let anybody = labels.get("alertname") != WATCHDOG;
    if policy.is_empty() {
        return anybody.then(Terms::default);
    }
    for entry in policy {
        let named = anybody || !entry.matchers.is_empty();
        if !named || !entry.matchers.iter().all(|matcher| matcher.matches(labels)) {
            continue;
        }
        if entry.to.iter().any(|name| name == receiver) {
            return Some(entry.terms);
        }
        if !entry.goes_on {
            break;
        }
    }
    None
}

/// The alerts that may keep others from being announced.
pub(super) struct Shadows<'b>(Vec<&'b Alert>);

impl<'b> Shadows<'b> {
    /// Those of a book: servers that are down, and critical alerts, also lately ended ones.
    pub(super) fn of(book: &'b Book) -> Self {
        let all = book.firing().chain(&book.ended);
        Shadows(
            all.filter(|alert| is_down(alert) || is_critical(alert))
                .collect(),
        )
    }

    /// Whether an alert stays unannounced: while its server is known to be down, or while it is critical and this is
    /// its warning. One that has ended stays so when the other was there during its life.
    pub(super) fn hide(&self, alert: &Alert) -> bool {
        self.behind(alert).is_some()
    }

    /// The alert for whose sake it stays so.
    pub(super) fn behind(&self, alert: &Alert) -> Option<&'b Alert> {
        let mut others = self.0.iter().filter(|other| overlap(other, alert));
        others
            .find(|other| covers(other, alert) || outranks(other, alert))
            .copied()
    }
}

fn overlap(other: &Alert, alert: &Alert) -> bool {
    match (other.resolved_at, alert.resolved_at) {
        (None, None) => true,
        (Some(_), None) => false,
        (None, Some(ended)) => other.fired_at <= Some(ended),
        (Some(other_ended), Some(ended)) => {
            other.fired_at <= Some(ended) && alert.fired_at <= Some(other_ended)
        }
    }
}

/// Whether `other` says that the server which `alert` is about is down. What was read elsewhere, such as a backup,
/// does not depend on it.
fn covers(other: &Alert, alert: &Alert) -> bool {
    let down: Vec<_> = other.sources.iter().map(|source| &source.server).collect();
    is_down(other)
        && !is_down(alert)
        && same_instance(other, alert)
        && alert.sources.iter().all(|source| {
            down.contains(&&source.server) && !source.collector.starts_with("backup:")
        })
}

/// Whether both are about the same thing and `other` is the graver: no label that both have differs but the severity.
fn outranks(other: &Alert, alert: &Alert) -> bool {
    let agree = |(name, value): (&str, &str)| {
        let same = [value, ""].contains(&other.labels.get(name));
        name == "severity" || same
    };
    is_critical(other)
        && alert.labels.get("severity") == "warning"
        && other.labels.get("alertname") == alert.labels.get("alertname")
        && same_instance(other, alert)
        && alert.labels.iter().all(agree)
}

fn same_instance(other: &Alert, alert: &Alert) -> bool {
    let instance = alert.labels.get("instance");
    !instance.is_empty() && instance == other.labels.get("instance")
}

fn is_critical(alert: &Alert) -> bool {
    alert.labels.get("severity") == "critical"
}

fn is_down(alert: &Alert) -> bool {
    let mut sources = alert.sources.iter().peekable();
    sources.peek().is_some() && sources.all(|source| &*source.collector == LIVENESS)
}
