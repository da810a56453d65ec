//! Which alert keeps another from being announced: rules that are built in, and the user's own. Pure.

use std::collections::HashMap;

use super::settings::matchers;
use crate::document::Section;
use crate::incident::{Book, Matcher};
use crate::rules::Alert;
use crate::sample::Labels;
use crate::scrape::LIVENESS;

/// A rule of the user's: while an alert like the one fires, those like the other are not announced.
#[derive(Debug, Clone, PartialEq)]
pub struct Inhibition {
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
    /// Of each rule the alerts that are like its source, by the labels that must be alike.
    own: Vec<(&'b Inhibition, HashMap<Vec<&'b str>, Vec<&'b Alert>>)>,
}

impl<'b> Shadows<'b> {
    /// Those of a book, also lately ended ones.
    pub(super) fn of(book: &'b Book, rules: &'b [Inhibition]) -> Self {
        let all = || book.firing().chain(&book.ended);
        let own = rules.iter().map(|rule| {
            let mut sources: HashMap<Vec<&str>, Vec<&Alert>> = HashMap::new();
            for alert in all().filter(|alert| rule.is_source(&alert.labels)) {
                sources
                    .entry(rule.key(&alert.labels))
                    .or_default()
                    .push(alert);
            }
            (rule, sources)
        });
        Shadows {
            built_in: all()
                .filter(|alert| is_down(alert) || is_critical(alert))
                .collect(),
            own: own.collect(),
        }
    }

    /// Whether an alert stays unannounced: while its server is known to be down, while it is critical and this is its
    /// warning, or by a rule of the user's. One that has ended stays so when the other was there during its life.
    pub(super) fn hide(&self, alert: &Alert) -> bool {
        self.behind(alert).is_some()
    }

    /// The alert for whose sake it stays so.
    pub(super) fn behind(&self, alert: &Alert) -> Option<&'b Alert> {
        let others = self.built_in.iter().copied();
        let mut others = others.filter(|other| overlap(other, alert));
        let built_in = others.find(|other| covers(other, alert) || outranks(other, alert));
        built_in.or_else(|| {
            let mut rules = self.own.iter();
            rules.find_map(|(rule, sources)| {
                let both = rule.is_source(&alert.labels);
                let alike = sources.get(&rule.key(&alert.labels));
                let others = alike.into_iter().flatten().copied();
                let mut others = others.filter(|other| {
                    overlap(other, alert) && !(both && rule.is_target(&other.labels))
                });
                others.next().filter(|_| rule.is_target(&alert.labels))
            })
        })
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
