//! The rules in force: the embedded set and the user's files, less what is disabled, with the overrides applied.

use std::collections::BTreeSet;

use crate::document::Problem;

use super::{Alert, Group, Settings};

/// Every group in force and what is worth knowing about them.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The embedded groups, then those of the user's files.
    pub groups: Vec<Group>,
    /// What is no mistake but hardly meant: duplicate rules, a second document in a file.
    pub warnings: Vec<Problem>,
}

impl RuleSet {
    /// Rules that select a metric nobody declares, and so can never fire.
    pub fn unknown_metrics(&self, _known: &BTreeSet<String>) -> Vec<Problem> {
        todo!()
    }

    /// Alerts whose rule is no longer in force; to be ended with [`Alert::ended`].
    pub fn orphans<'a>(&self, _alerts: impl IntoIterator<Item = &'a Alert>) -> Vec<&'a Alert> {
        todo!()
    }
}

/// Reads the embedded and the configured files and applies the settings.
///
/// # Errors
/// Every mistake in the files and in the settings, in one run.
pub fn load(_settings: &Settings) -> Result<RuleSet, Vec<Problem>> {
    todo!()
}
