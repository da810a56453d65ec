//! How the evaluation of each group went, for the page and for pgvigil's own metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sample::Timestamp;

use super::{Due, Group, RuleError};

/// How one group is doing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupStatus {
    /// The file it stands in.
    pub file: String,
    /// Its name.
    pub group: String,
    /// Rules evaluated since the start.
    pub evaluations: u64,
    /// Rules that gave an error.
    pub failures: u64,
    /// Slots that were skipped because an evaluation ran long.
    pub missed: u64,
    /// The last slot.
    pub last_evaluation: Option<Timestamp>,
    /// How long the last evaluation took.
    pub took: Duration,
    /// When the last evaluation began.
    pub begun: Option<Timestamp>,
    /// How the last evaluation of each rule went, in the order of the group.
    pub rules: Vec<RuleStatus>,
    /// What each of them is called within the group.
    pub names: Vec<Arc<str>>,
}

/// How the last evaluation of one rule went.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStatus {
    /// When it began.
    pub begun: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why it gave no result; `None` when it gave one.
    pub error: Option<RuleError>,
}

/// How all groups are doing. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Statuses(Mutex<BTreeMap<(String, String), GroupStatus>>);

impl Statuses {
    /// Notes one evaluation of a whole group, which took so long.
    pub fn evaluated(&self, group: &Group, due: Due, took: Duration, rules: Vec<RuleStatus>) {
        let mut groups = self.lock();
        let status = groups
            .entry((group.file.to_string(), group.name.to_string()))
            .or_default();
        status.file = group.file.to_string();
        status.group = group.name.to_string();
        status.evaluations += group.rules.len() as u64;
        let failed = rules.iter().filter(|rule| rule.error.is_some());
        status.failures += failed.count() as u64;
        status.missed += due.missed;
        status.last_evaluation = Some(due.slot);
        status.took = took;
        status.begun = rules.first().map(|rule| rule.begun);
        status.rules = rules;
        let names = group.rules.iter().map(|rule| rule.key.rule.clone());
        status.names = names.collect();
    }

    /// When a group was last evaluated, if it has been.
    pub fn last_evaluation(&self, group: &Group) -> Option<Timestamp> {
        let key = (group.file.to_string(), group.name.to_string());
        self.lock().get(&key)?.last_evaluation
    }

    /// Forgets the groups that are no longer in force, and those whose rules have changed places: nothing is known of
    /// them until they are evaluated.
    pub fn keep(&self, groups: &[Group]) {
        self.lock().retain(|(file, name), status| {
            let same = |group: &&Group| {
                let rules = group.rules.iter().map(|rule| &rule.key.rule);
                (&*group.file, &*group.name) == (file, name) && rules.eq(&status.names)
            };
            groups.iter().any(|group| same(&group))
        });
    }

    /// Every group that has been evaluated, by file and name.
    pub fn all(&self) -> Vec<GroupStatus> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), GroupStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
