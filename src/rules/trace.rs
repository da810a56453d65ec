//! What rules left behind at their last evaluation: the series they wrote, so that those which are no longer given get a
//! staleness marker. It outlives a reload.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sample::Labels;

use super::{Group, Rule, RuleKey};

/// What one rule left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// The series that it wrote and has not marked stale.
    pub series: Vec<Labels>,
    /// Whether it gave an error.
    pub failed: bool,
}

/// A rule stays the same while its name and labels do, whatever else is edited (S10).
type Identity = (RuleKey, Vec<(String, String)>);

/// The traces of all rules. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Traces(Mutex<BTreeMap<Identity, Trace>>);

impl Traces {
    /// Takes a rule's trace out, to be replaced by that of the next evaluation.
    pub fn take(&self, rule: &Rule) -> Trace {
        self.lock().remove(&identity(rule)).unwrap_or_default()
    }

    /// Puts a rule's trace in.
    pub fn put(&self, rule: &Rule, trace: Trace) {
        self.lock().insert(identity(rule), trace);
    }

    /// Takes out the traces of rules that are no longer in force: the series that nobody goes on with.
    pub fn abandoned(&self, groups: &[Group]) -> Vec<Labels> {
        let rules = groups.iter().flat_map(|group| &group.rules);
        let in_force: BTreeSet<Identity> = rules.map(identity).collect();
        let mut traces = self.lock();
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut *traces)
            .into_iter()
            .partition(|(rule, _)| in_force.contains(rule));
        *traces = kept;
        gone.into_values().flat_map(|trace| trace.series).collect()
    }

    /// Of some series those that no rule has written at its last evaluation.
    pub fn unwritten(&self, mut series: Vec<Labels>) -> Vec<Labels> {
        let traces = self.lock();
        let written: HashSet<&Labels> = traces.values().flat_map(|trace| &trace.series).collect();
        series.retain(|labels| !written.contains(labels));
        series
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Identity, Trace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(rule: &Rule) -> Identity {
    (rule.key.clone(), rule.label_sources())
}

#[cfg(test)]
mod tests;
