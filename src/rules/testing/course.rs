//! Rules over the series of a test, slot by slot: what production does with them, but for its clock.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::promql::Limits;
use crate::rules::{Alert, AlertState, Before, Context, Group, Rule, Transition, evaluate};
use crate::sample::{Labels, Timestamp, is_stale};
use crate::store::{Matcher, Settings, Store, Test as Condition};

use super::file::Test;
use super::input::Input;

/// A test on its way.
pub(super) struct Course<'t> {
    pub(super) test: &'t Test,
    interval: Duration,
    pub(super) store: Store,
    input: Input,
    rules: Vec<Kept<'t>>,
    /// Names of metrics that come from more than one side: rules and the input, or several rules.
    contested: BTreeSet<String>,
    /// All that has happened to alerts.
    pub(super) transitions: Vec<Transition>,
}

/// A rule and what it left behind at the slot before.
struct Kept<'t> {
    group: &'t Group,
    rule: &'t Rule,
    alerts: Vec<Alert>,
    series: Vec<Labels>,
}

impl<'t> Course<'t> {
    pub(super) fn new(
        test: &'t Test,
        groups: &'t [Group],
        interval: Duration,
        input: Input,
    ) -> Self {
        let settings = Settings {
            retention: Duration::from_millis(u64::MAX),
            max_bytes: 1 << 40,
        };
        let rules = groups.iter().flat_map(|group| {
            group.rules.iter().map(move |rule| Kept {
                group,
                rule,
                alerts: Vec::new(),
                series: Vec::new(),
            })
        });
        Course {
            test,
            interval,
            // What lies before the first values is known to be nothing.
            store: Store::new(&settings, Timestamp(i64::MIN)),
            contested: contested(groups, &input),
            input,
            rules: rules.collect(),
            transitions: Vec::new(),
        }
    }

    /// Evaluates every rule at a slot. As in promtool, one that fails ends the test when its group and the others had
    /// their turn.
    ///
    /// # Errors
    /// The rules that failed, and why.
    pub(super) fn step(&mut self, slot: Timestamp) -> Result<(), Vec<(&'t Rule, String)>> {
        self.input.feed(&self.store, self.test, slot);
        let context = Context {
            external_labels: &self.test.external_labels,
            external_url: &self.test.external_url,
            // "No data is not fine" is off: whatever is absent has ended.
            retired: &|_| true,
            fresh: &|_| true,
            limits: self.limits(),
        };
        let mut failed = Vec::new();
        for kept in &mut self.rules {
            let alerts: Vec<&Alert> = kept.alerts.iter().collect();
            let before = Before {
                alerts: &alerts,
                series: &kept.series,
            };
            match evaluate(kept.rule, kept.group, before, &self.store, slot, &context) {
                Ok(evaluation) => {
                    for (labels, value, sources) in evaluation.samples {
                        if self.contested.contains(labels.metric()) {
                            let clash = clash(&self.store, evaluation.at, &labels, value);
                            failed.extend(clash.map(|cause| (kept.rule, cause)));
                        }
                        self.store
                            .append(evaluation.at, &sources, [(labels, value)]);
                    }
                    self.transitions.extend(evaluation.transitions);
                    kept.alerts = evaluation.alerts;
                    kept.series = evaluation.series;
                }
                Err(cause) => failed.push((kept.rule, cause.to_string())),
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(failed)
        }
    }

    /// What each expression may take. A subquery without a step has that of the evaluations, as in promtool.
    pub(super) fn limits(&self) -> Limits<'static> {
        Limits {
            subquery_step: self.interval,
            ..Limits::default()
        }
    }

    /// The alerts of a name that fire now.
    pub(super) fn firing(&self, name: &str) -> impl Iterator<Item = &Alert> {
        let named = self
            .rules
            .iter()
            .filter(move |kept| *kept.rule.name == *name);
        let alerts = named.flat_map(|kept| &kept.alerts);
        alerts.filter(|alert| alert.state == AlertState::Firing)
    }
}

fn contested(groups: &[Group], input: &Input) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = input.metrics().map(str::to_owned).collect();
    let (mut contested, alerts) = (BTreeSet::new(), ["ALERTS", "ALERTS_FOR_STATE"]);
    contested.extend(
        alerts
            .map(str::to_owned)
            .into_iter()
            .filter(|name| seen.contains(name)),
    );
    let rules = groups.iter().flat_map(|group| &group.rules);
    for rule in rules.filter(|rule| rule.alerting().is_none()) {
        if !seen.insert(rule.name.to_string()) {
            contested.insert(rule.name.to_string());
        }
    }
    contested
}

/// Why a sample cannot be written, which is an error of the rule: its series has another value then, or a later one. The
/// end of a series may come too late.
fn clash(store: &Store, at: Timestamp, labels: &Labels, value: f64) -> Option<String> {
    let exactly = |(name, value): (&str, &str)| Matcher {
        name: name.to_owned(),
        test: Condition::Equal(value.to_owned()),
    };
    let matchers: Vec<Matcher> = labels.iter().map(exactly).collect();
    let known = store.latest(&matchers, Timestamp(at.0 - 1), Timestamp(i64::MAX));
    let newest = known.into_iter().find(|known| known.labels == *labels)?;
    let same = newest.at == at && newest.value.to_bits() == value.to_bits();
    if same || is_stale(value) {
        return None;
    }
    let words = match newest.at == at {
        true => "has another value at this time already",
        false => "has later values already",
    };
    Some(format!(
        "series `{labels}` {words}, from the input or another rule"
    ))
}
