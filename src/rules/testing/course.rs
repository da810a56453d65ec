//! Rules over the series of a test, slot by slot: what production does with them, but for its clock.

use std::time::Duration;

use crate::rules::{Alert, AlertState, Before, Context, Group, Rule, Transition, evaluate};
use crate::sample::{Labels, Timestamp};
use crate::store::{Settings, Store};

use super::file::Test;
use super::input::Input;

/// A test on its way.
pub(super) struct Course<'t> {
    pub(super) test: &'t Test,
    pub(super) store: Store,
    input: Input,
    rules: Vec<Kept<'t>>,
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
    pub(super) fn new(test: &'t Test, groups: &'t [Group], input: Input) -> Self {
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
            // What lies before the first values is known to be nothing.
            store: Store::new(&settings, Timestamp(i64::MIN)),
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
                        self.store
                            .append(evaluation.at, &sources, [(labels, value)]);
                    }
                    self.transitions.extend(evaluation.transitions);
                    kept.alerts = evaluation.alerts;
                    kept.series = evaluation.series;
                }
                Err(cause) => failed.push((kept.rule, cause)),
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(failed)
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
