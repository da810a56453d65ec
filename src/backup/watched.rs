//! What a running watch knows of backups beside its looks at them: how they stand to the server, and the alerts that fire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::sample::Timestamp;
use crate::words;

/// What a running watch knows; nothing, by default, where none runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Watched {
    /// How many standbys stream from the watched servers; `None` where nobody has asked.
    pub standbys: Option<u64>,
    /// The servers that cannot be asked now.
    pub silent: BTreeSet<String>,
    /// How the sources stand to their servers, by name.
    pub lags: BTreeMap<String, Lag>,
    /// The alerts that fire and rest on backups, drills or the archiving of WAL.
    pub alerts: Vec<Firing>,
}

/// How a source stands to its server; what is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lag {
    /// By how many segments its newest WAL was behind what the server said was archived.
    pub behind_segments: Option<u64>,
    /// How old the newest moment is that could be restored, at least.
    pub least_age: Option<Duration>,
    /// How old it may be.
    pub objective: Option<Duration>,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The rule's name.
    pub name: String,
    /// Its label `severity`; may be empty.
    pub severity: String,
    /// Whether it is more than worth knowing.
    pub is_grave: bool,
    /// The source or, where it is about all of them, the server; may be empty.
    pub about: String,
    /// What is wrong, in one line.
    pub summary: String,
    /// Since when.
    pub since: Timestamp,
}

impl Lag {
    /// What is wrong by that, a sentence each. One segment may be on its way.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let swallowed = self.behind_segments.filter(|behind| *behind > 1);
        let swallowed = swallowed.map(|behind| {
            format!("WAL that the server has archived is not here: {behind} segments are missing at its end")
        });
        let lost = self.least_age.zip(self.objective);
        let lost = lost.filter(|(age, objective)| age > objective);
        let lost = lost.map(|(age, objective)| {
            let (age, promised) = (words::span(age), words::span(objective));
            format!("the newest moment that could be restored is at least {age} old; {promised} are promised")
        });
        swallowed.into_iter().chain(lost)
    }
}
