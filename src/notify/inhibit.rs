//! Which alert keeps another from being announced: rules that are built in, and the user's own. Pure.

use std::collections::HashMap;

use super::settings::matchers;
use crate::document::{Place, Section};
use crate::incident::{Book, Matcher};
use crate::rules::Alert;
use crate::sample::Labels;
use crate::scrape::LIVENESS;

/// A rule of the user's: while an alert like the one fires, those like the other are not announced.
#[derive(Debug, Clone, PartialEq)]
pub struct Inhibition {
    /// Where it is written.
    pub place: Place,
    /// All of them must hold of the alert that hides others.
    pub source: Vec<Matcher>,
    /// All of them must hold of an alert that is hidden.
    pub target: Vec<Matcher>,
    /// Labels that must be alike in both; one that is missing is empty.
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Reads the section.
    pub(super) fn read(s: &mut Section) -> Self {
        let doc = "Matchers that must all hold of the alert that hides others while it fires.";
        let source = matchers(s, "source", doc);
        let doc = "Matchers that must all hold of an alert that is hidden. One that is like the source as well is not \
                   hidden by another that is like both.";
        let target = matchers(s, "target", doc);
        let doc = "Labels that must be alike in both; one that is missing is empty.";
        let equal = s.texts("equal", doc);
        for (key, written) in [("source", &source), ("target", &target)] {
            if written.is_empty() && !s.has(key) {
                let hint = "write matchers such as `alertname=\"PostgresqlDown\"`";
                s.problem(key, "needs at least one matcher", Some(hint));
            }
        }
        Inhibition {
            place: s.place().clone(),
            source,
            target,
            equal,
        }
    }

    fn is_source(&self, labels: &Labels) -> bool {
        self.source.iter().all(|matcher| matcher.matches(labels))
    }

    fn is_target(&self, labels: &Labels) -> bool {
        self.target.iter().all(|matcher| matcher.matches(labels))
    }

    fn key<'l>(&self, labels: &'l Labels) -> Vec<&'l str> {
        self.equal.iter().map(|name| labels.get(name)).collect()
    }
}

/// The alerts that may keep others from being announced.
pub(super) struct Shadows<'b> {
    /// Servers that are down, and critical alerts.
    built_in: Vec<&'b Alert>,
    own: Vec<Own<'b>>,
}

/// A rule of the user's, and the alerts that are like its source, by the labels that must be alike.
struct Own<'b> {
    rule: &'b Inhibition,
    sources: HashMap<Vec<&'b str>, Vec<&'b Alert>>,
}

impl<'b> Shadows<'b> {
    /// Those of a book, also lately ended ones.
    pub(super) fn of(book: &'b Book, rules: &'b [Inhibition]) -> Self {
        let all = || book.firing().chain(&book.ended);
        let grave = all().filter(|alert| is_down(alert) || is_critical(alert));
        Shadows {
            built_in: grave.collect(),
            own: rules.iter().map(|rule| Own::of(rule, all())).collect(),
        }
    }

    /// The alert for whose sake this one stays unannounced: its server is known to be down, it is critical and this is
    /// its warning, or a rule of the user's says so. One that has ended stays so when the other was there during its
    /// life.
    pub(super) fn behind(&self, alert: &Alert) -> Option<&'b Alert> {
        let mut grave = self.built_in.iter().copied();
        let grave = grave.find(|other| {
            overlap(other, alert) && (covers(other, alert) || outranks(other, alert))
        });
        grave.or_else(|| self.own.iter().find_map(|own| own.behind(alert)))
    }
}

impl<'b> Own<'b> {
    fn of(rule: &'b Inhibition, alerts: impl Iterator<Item = &'b Alert>) -> Self {
        let mut sources: HashMap<Vec<&str>, Vec<&Alert>> = HashMap::new();
        for alert in alerts.filter(|alert| rule.is_source(&alert.labels)) {
            let alike = sources.entry(rule.key(&alert.labels));
            alike.or_default().push(alert);
        }
        Own { rule, sources }
    }

    fn behind(&self, alert: &Alert) -> Option<&'b Alert> {
        let Own { rule, sources } = self;
        if !rule.is_target(&alert.labels) {
            return None;
        }
        let both = rule.is_source(&alert.labels);
        let mut alike = sources.get(&rule.key(&alert.labels))?.iter().copied();
        alike.find(|other| overlap(other, alert) && !(both && rule.is_target(&other.labels)))
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
