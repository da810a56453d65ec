//! What is known of metrics: their types and labels.

use std::collections::BTreeMap;

use super::labels::LabelSet;
use super::vector::Nature;
use crate::document::like;
use crate::sample::{MetricKind, NAME};
use crate::store::{Matcher, Test};

/// Labels that whoever scrapes gives to targets, whatever they export.
pub(super) const TARGETS: [&str; 2] = ["job", "instance"];

/// Labels that service discovery often gives to targets.
const DISCOVERED: [&str; 17] = [
    "cluster",
    "namespace",
    "pod",
    "container",
    "service",
    "endpoint",
    "node",
    "env",
    "environment",
    "datacenter",
    "dc",
    "region",
    "zone",
    "host",
    "hostname",
    "project",
    "tenant",
];

/// Every metric that rules may select. What is not in it may be anything.
#[derive(Debug, Clone)]
pub struct Schema {
    metrics: BTreeMap<String, Known>,
    /// Names in which `*` stands for what the rows of a collector fill in.
    patterns: Vec<(String, Known)>,
    /// Whether targets may have labels that are told by service discovery.
    discovered: bool,
}

/// What is known of one metric.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) nature: Nature,
    pub(super) labels: LabelSet,
}

impl Schema {
    /// No metric is known but those that Prometheus makes itself. For rules that a Prometheus evaluates, targets may have
    /// labels that service discovery gives.
    pub fn new(for_prometheus: bool) -> Self {
        let alert = LabelSet::unknown().with("alertname", None);
        let made = |labels| Known {
            nature: Nature::Other,
            labels,
        };
        let up = TARGETS
            .iter()
            .fold(LabelSet::unknown(), |labels, name| labels.with(name, None));
        Schema {
            metrics: BTreeMap::from([
                (
                    "ALERTS".into(),
                    made(alert.clone().with("alertstate", None)),
                ),
                ("ALERTS_FOR_STATE".into(), made(alert)),
                ("up".into(), made(up)),
            ]),
            patterns: Vec::new(),
            discovered: for_prometheus,
        }
    }

    /// Makes a metric known. In its name `{column}` stands for what rows fill in. Each label is given with whether all
    /// series have it; `None` where the labels are not known.
    pub fn add(&mut self, name: &str, kind: MetricKind, labels: Option<&[(&str, bool)]>) {
        let known = Known {
            nature: Nature::of(kind, name),
            labels: self.declared(labels),
        };
        match pattern(name) {
            Some(pattern) => self.patterns.push((pattern, known)),
            None => self.insert(name, known),
        }
    }

    /// Makes a recorded metric known, or, where it is known, what else it may be.
    pub(super) fn insert(&mut self, name: &str, known: Known) {
        let known = match self.metrics.get(name) {
            Some(before) => before.or(&known),
            None => known,
        };
        self.metrics.insert(name.to_owned(), known);
    }

    /// The series that a selector finds, and their metric where it names one.
    pub(super) fn select(&self, name: Option<&str>, matchers: &[Matcher]) -> Known {
        let mut known = match name.and_then(|name| self.find(name)) {
            Some(known) => known,
            None => Known {
                nature: Nature::Other,
                labels: LabelSet::unknown(),
            },
        };
        for matcher in matchers.iter().filter(|matcher| matcher.name != NAME) {
            known.labels = narrowed(known.labels, matcher);
        }
        known
    }

    /// What is known of a metric.
    pub(super) fn find(&self, name: &str) -> Option<Known> {
        if let Some(known) = self.metrics.get(name) {
            return Some(known.clone());
        }
        let fitting = self
            .patterns
            .iter()
            .filter(|(pattern, _)| like(pattern, name));
        fitting
            .map(|(_, known)| known.clone())
            .reduce(|one, another| one.or(&another))
    }

    /// Whether a label that no metric declares may still be a target's.
    pub(super) fn may_come_from_target(&self, label: &str) -> bool {
        TARGETS.contains(&label) || label == "server" || DISCOVERED.contains(&label)
    }

    fn declared(&self, labels: Option<&[(&str, bool)]>) -> LabelSet {
        let mut known = match labels {
            Some(_) => LabelSet::default(),
            None => LabelSet::unknown(),
        };
        let discovered = DISCOVERED.iter().filter(|_| self.discovered);
        for label in discovered.chain(&["server"]) {
            known = known.perhaps_with(label);
        }
        let declared = labels.unwrap_or_default().iter().copied();
        for (label, certain) in declared.chain(TARGETS.map(|label| (label, true))) {
            known = match certain {
                true => known.with(label, None),
                false => known.perhaps_with(label),
            };
        }
        known
    }
}

impl Known {
    fn or(&self, other: &Known) -> Known {
        Known {
            nature: self.nature.or(&other.nature),
            labels: self.labels.either(&other.labels),
        }
    }
}

/// What a matcher says about the labels of what it lets through.
fn narrowed(labels: LabelSet, matcher: &Matcher) -> LabelSet {
    let name = &matcher.name;
    match &matcher.test {
        Test::Equal(value) if value.is_empty() => labels.without(name),
        Test::Equal(value) => labels.with(name, Some(value)),
        test if !test.accepts("") => {
            let value = labels.value(name).map(str::to_owned);
            labels.with(name, value.as_deref())
        }
        _ => labels,
    }
}

/// `pg_settings_{name}` as the pattern `pg_settings_*`; `None` for a plain name.
pub(in crate::rules) fn pattern(name: &str) -> Option<String> {
    let (before, rest) = name.split_once('{')?;
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    Some(format!(
        "{before}*{}",
        pattern(after).unwrap_or_else(|| after.to_owned())
    ))
}
