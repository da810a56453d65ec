//! Rules as they are evaluated: parsed, checked, with every template ready.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::document::Place;
use crate::promql::Query;
use crate::sample::Source;

use super::{Alert, RuleKey, Template};

/// Rules that are evaluated one after the other at the same slots.
#[derive(Debug, Clone)]
pub struct Group {
    /// The file's name, `default/NAME.yml` for the embedded set.
    pub file: Arc<str>,
    /// Unique in its file.
    pub name: Arc<str>,
    /// How often it is evaluated; the setting's where the file says nothing.
    pub interval: Duration,
    /// How far behind the slot its expressions look.
    pub query_offset: Duration,
    /// The most alerts or series one rule may give; 0 for no limit.
    pub limit: usize,
    /// Labels under those of each rule; the rules have them already.
    pub labels: BTreeMap<String, String>,
    /// In the order of the file.
    pub rules: Vec<Rule>,
}

/// One rule of a group.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What its alerts are kept under.
    pub key: RuleKey,
    /// The alert's or the recorded metric's name.
    pub name: Arc<str>,
    /// Its expression.
    pub query: Query,
    /// The group's labels and its own over them.
    pub labels: BTreeMap<String, Template>,
    /// What is done with the result.
    pub action: Action,
    /// Where it begins.
    pub place: Place,
}

/// What a rule does with its result.
#[derive(Debug, Clone)]
pub enum Action {
    /// It becomes a series.
    Record,
    /// It becomes alerts.
    Alert(Alerting),
}

/// What only an alerting rule has.
#[derive(Debug, Clone)]
pub struct Alerting {
    /// `for`: how long the condition must hold before the alert fires.
    pub hold: Duration,
    /// How long it still fires after the condition ended.
    pub keep_firing_for: Duration,
    /// Templated texts for people.
    pub annotations: BTreeMap<String, Template>,
}

impl Rule {
    /// The alerting part; `None` for a recording rule.
    pub fn alerting(&self) -> Option<&Alerting> {
        match &self.action {
            Action::Record => None,
            Action::Alert(alerting) => Some(alerting),
        }
    }

    /// The source that a recording rule is to the alerts over its series, as a collector is; `None` for an alerting rule.
    pub fn source(&self) -> Option<Source> {
        let name = || format!("rule:{}/{}", self.key.group, self.key.rule);
        matches!(self.action, Action::Record).then(|| Source::new("", "", &name()))
    }

    /// The `severity` label as it is written; empty without one.
    pub fn severity(&self) -> &str {
        self.labels.get("severity").map_or("", Template::source)
    }

    /// Its labels as they are written, in name order.
    pub(super) fn label_sources(&self) -> Vec<(String, String)> {
        let each = self.labels.iter();
        each.map(|(name, template)| (name.clone(), template.source().to_owned()))
            .collect()
    }

    /// Whether an alert is one of this rule's: rules of one name in one group are told apart by the labels they set.
    pub fn owns(&self, alert: &Alert) -> bool {
        let set_alike = |(name, template): (&String, &Template)| {
            let literal = template.literal();
            name == "alertname" || literal.is_none_or(|value| alert.labels.get(name) == value)
        };
        self.key == alert.rule && self.labels.iter().all(set_alike)
    }
}
