//! How the evaluation of each group went, for the page and for pgvigil's own metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sample::Timestamp;

use super::{Group, RuleKey};

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
    /// What failed at the last evaluation, by rule.
    pub errors: BTreeMap<RuleKey, String>,
}

/// How all groups are doing. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Statuses(Mutex<BTreeMap<(String, String), GroupStatus>>);

impl Statuses {
    /// Notes one evaluation of a whole group.
    pub fn evaluated(
        &self,
        group: &Group,
        slot: Timestamp,
        missed: u64,
        took: Duration,
        errors: BTreeMap<RuleKey, String>,
    ) {
        let mut groups = self.lock();
        let status = groups
            .entry((group.file.to_string(), group.name.to_string()))
            .or_default();
        status.file = group.file.to_string();
        status.group = group.name.to_string();
        status.evaluations += group.rules.len() as u64;
        status.failures += errors.len() as u64;
        status.missed += missed;
        status.last_evaluation = Some(slot);
        status.took = took;
        status.errors = errors;
    }

    /// Every group that has been evaluated, by file and name.
    pub fn all(&self) -> Vec<GroupStatus> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), GroupStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
