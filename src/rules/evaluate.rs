//! One rule at one slot: the old alerts and the store give samples, transitions and the new alerts. No clock, no I/O.

use std::collections::{BTreeMap, BTreeSet};

use crate::promql::{self, Element, Limits, Moments, Query, Value};
use crate::sample::{Labels, NAME, STALE, Source, Sources, Timestamp};
use crate::store::Store;

use super::step::{Present, Step, absent, present};
use super::template::{Answer, Input, Template};
use super::{Action, Alert, AlertState, Alerting, Group, Rule, RuleError, Transition};

/// What the rule left behind at its previous evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before<'a> {
    /// Its alerts; those of other rules are passed over.
    pub alerts: &'a [&'a Alert],
    /// The series it wrote: [`Evaluation::series`], empty after a start.
    pub series: &'a [Labels],
}

/// What every rule is evaluated with.
pub struct Context<'a> {
    /// `external_labels` of the configuration, for templates.
    pub external_labels: &'a Labels,
    /// `external_url` of the configuration, for templates.
    pub external_url: &'a str,
    /// Whether a source will never be read again: its server left the configuration, its database was dropped, its
    /// collector was disabled. No alert waits for such a source.
    pub retired: &'a dyn Fn(&Source) -> bool,
    /// Whether what a source last read still counts at the slot.
    pub fresh: &'a dyn Fn(&Source) -> bool,
    /// What each expression may take.
    pub limits: Limits<'a>,
}

/// The outcome of one rule at one slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// The time of the samples: the slot less the group's `query_offset`.
    pub at: Timestamp,
    /// `ALERTS` and `ALERTS_FOR_STATE`, or the recorded series; a staleness marker for each that is no longer given.
    pub samples: Vec<(Labels, f64, Sources)>,
    /// The series among them that are not marked stale, for the next evaluation.
    pub series: Vec<Labels>,
    /// What is to be logged.
    pub transitions: Vec<Transition>,
    /// The rule's alerts as they are now, values and annotations current; forgotten ones are left out.
    pub alerts: Vec<Alert>,
}

/// Evaluates a rule at a slot. Purely a function of its arguments.
///
/// # Errors
/// The expression has no value, two results are alike, or there are more than the group's limit. The rule's alerts
/// stay as they are and nothing is to be written.
pub fn evaluate(
    rule: &Rule,
    group: &Group,
    before: Before<'_>,
    store: &Store,
    slot: Timestamp,
    context: &Context<'_>,
) -> Result<Evaluation, RuleError> {
    let at = slot.before(group.query_offset);
    let elements = elements(&rule.query, store, at, &context.limits)?;
    let mut evaluation = match &rule.action {
        Action::Record => recorded(rule, group, elements)?,
        Action::Alert(alerting) => {
            let slot = Slot {
                rule,
                group,
                alerting,
                store,
                slot,
                at,
                context,
            };
            slot.alerts(before.alerts, elements)?
        }
    };
    evaluation.at = at;
    evaluation.series = evaluation
        .samples
        .iter()
        .map(|(labels, ..)| labels.clone())
        .collect();
    let given: BTreeSet<&Labels> = evaluation.series.iter().collect();
    let ended = before
        .series
        .iter()
        .filter(|labels| !given.contains(labels));
    let markers: Vec<_> = ended
        .map(|labels| (labels.clone(), STALE, Sources::default()))
        .collect();
    evaluation.samples.extend(markers);
    Ok(evaluation)
}

/// What an expression gives at a moment; a number is one element without labels.
fn elements(
    query: &Query,
    store: &Store,
    at: Timestamp,
    limits: &Limits<'_>,
) -> Result<Vec<Element>, String> {
    let answer = promql::evaluate(query, store, Moments::At(at), limits);
    match answer.map_err(|error| error.to_string())?.value {
        Value::Vector(elements) => Ok(elements),
        Value::Scalar(value) => Ok(vec![Element {
            labels: Labels::default(),
            value,
            sources: Sources::default(),
        }]),
        Value::Text(_) | Value::Matrix(_) => Err("rule result is not a vector or scalar".into()),
    }
}

fn recorded(rule: &Rule, group: &Group, elements: Vec<Element>) -> Result<Evaluation, RuleError> {
    within_limit(group, elements.len(), "series")?;
    let mut set = rule.label_sources();
    set.push((NAME.into(), rule.name.to_string()));
    let own: Sources = rule.source().into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut samples = Vec::new();
    for element in elements {
        let labels = set_over(&element.labels, set.iter().cloned());
        if !seen.insert(labels.clone()) {
            return Err(
                "vector contains metrics with the same labelset after applying rule labels".into(),
            );
        }
        samples.push((labels, element.value, element.sources.union(&own)));
    }
    Ok(Evaluation {
        samples,
        ..Evaluation::default()
    })
}

fn within_limit(group: &Group, count: usize, what: &'static str) -> Result<(), RuleError> {
    let limit = group.limit;
    if limit > 0 && count > limit {
        return Err(RuleError::OverLimit { limit, count, what });
    }
    Ok(())
}

/// An alerting rule at one slot.
struct Slot<'a> {
    rule: &'a Rule,
    group: &'a Group,
    alerting: &'a Alerting,
    store: &'a Store,
    slot: Timestamp,
    at: Timestamp,
    context: &'a Context<'a>,
}

impl Slot<'_> {
    fn alerts(&self, before: &[&Alert], elements: Vec<Element>) -> Result<Evaluation, RuleError> {
        let mut found = BTreeMap::new();
        for element in elements {
            let (labels, element) = self.identified(element);
            if found.insert(labels, element).is_some() {
                return Err(
                    "vector contains metrics with the same labelset after applying alert labels"
                        .into(),
                );
            }
        }
        let own = before.iter().filter(|alert| self.rule.owns(alert));
        let own: BTreeMap<&Labels, &Alert> = own.map(|alert| (&alert.labels, *alert)).collect();
        let gone = own.iter().filter(|(labels, _)| !found.contains_key(labels));
        let gone =
            gone.map(|(_, alert)| absent(alert, self.alerting, self.slot, self.judgeable(alert)));
        let held = found.iter().map(|(labels, element)| {
            let old = own.get(labels).copied();
            present(
                old,
                &self.rule.key,
                labels,
                element,
                self.alerting,
                self.slot,
            )
        });
        let steps: Vec<Step> = held.chain(gone).collect();
        let active = |step: &&Step| {
            step.alert
                .as_ref()
                .is_some_and(|alert| alert.state != AlertState::Resolved)
        };
        within_limit(self.group, steps.iter().filter(active).count(), "alerts")?;
        let mut evaluation = Evaluation::default();
        for step in steps {
            evaluation.transitions.extend(step.transition);
            evaluation.alerts.extend(step.alert);
        }
        evaluation.samples = evaluation.alerts.iter().flat_map(synthetic).collect();
        Ok(evaluation)
    }

    /// The alert's labels, and what is told of it.
    fn identified(&self, element: Element) -> (Labels, Present) {
        let limits = &self.context.limits;
        let query = |expression: &str| query(expression, self.store, self.slot, limits);
        let input = Input {
            labels: &element.labels,
            value: element.value,
            external_labels: self.context.external_labels,
            external_url: self.context.external_url,
            at: self.slot,
            query: &query,
        };
        let print = |(name, template): (&String, &Template)| (name.clone(), template.print(&input));
        let set = set_over(&element.labels, self.rule.labels.iter().map(print));
        let labels = set.with(NAME, "").with("alertname", &self.rule.name);
        let annotations = self.alerting.annotations.iter().map(print).collect();
        (
            labels,
            Present {
                value: element.value,
                annotations,
                sources: element.sources,
            },
        )
    }

    /// Whether an absent element means that the condition has ended: the store covers all that the expression reads,
    /// and every source that the alert rests on was read again since the condition last held, and has not expired since.
    ///
    /// What `absent` gives rests on no source, and needs none: only data ends it. A scalar is never absent.
    fn judgeable(&self, alert: &Alert) -> bool {
        let covered = self.store.covers_since() + self.rule.query.longest_range() <= self.at;
        let read_again = |source: &Source| {
            let newest = self.store.last_success(source);
            let again = newest.is_some_and(|newest| newest > alert.last_seen);
            again && (self.context.fresh)(source) || (self.context.retired)(source)
        };
        covered && alert.sources.iter().all(read_again)
    }
}

/// Labels with others set over them, an empty one removing what it is set over.
fn set_over(labels: &Labels, over: impl Iterator<Item = (String, String)>) -> Labels {
    let own = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Labels::new(own.chain(over))
}

fn query(expression: &str, store: &Store, slot: Timestamp, limits: &Limits<'_>) -> Answer {
    let query = Query::parse(expression).map_err(|error| error.to_string())?;
    Ok(elements(&query, store, slot, limits)?
        .into_iter()
        .map(|element| (element.labels, element.value))
        .collect())
}

/// `ALERTS` and `ALERTS_FOR_STATE` of an alert that is pending or firing.
fn synthetic(alert: &Alert) -> Vec<(Labels, f64, Sources)> {
    let state = match alert.state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => return Vec::new(),
    };
    let alerts = alert.labels.with(NAME, "ALERTS").with("alertstate", state);
    let since = alert.labels.with(NAME, "ALERTS_FOR_STATE");
    vec![
        (alerts, 1.0, alert.sources.clone()),
        (
            since,
            alert.active_at.0.div_euclid(1000) as f64,
            alert.sources.clone(),
        ),
    ]
}

#[cfg(test)]
mod tests;
