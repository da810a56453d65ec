//! What a drill showed, as it is kept in the state directory and told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::backup::Kind;
use crate::sample::Timestamp;

/// One finished drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The source whose backup was restored.
    pub source: String,
    /// The backup, by its name in the source.
    pub backup: String,
    /// What it is, once it has been found.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// When the drill began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The newest moment that the restored data can be of.
    pub recovery_point: Option<Timestamp>,
    /// The moment that was asked for, where WAL was replayed up to one.
    pub target: Option<Timestamp>,
    /// How long each phase took, in seconds.
    pub phases: BTreeMap<Phase, f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Size of the restored cluster.
    pub restored_bytes: u64,
    /// How much older the newest row is than the recovery point, in seconds, by the configured statement.
    pub data_age: Option<f64>,
    /// What was asserted, and how that ended.
    pub checks: Vec<Check>,
    /// The major version of PostgreSQL that restored it.
    pub major: Option<u32>,
    /// Whether nothing that restored it had a network; unknown before anything was started.
    #[serde(default)]
    pub is_alone: Option<bool>,
}

impl Report {
    /// The recovery time: all phases together.
    pub fn recovery_time(&self) -> Duration {
        Duration::try_from_secs_f64(self.phases.values().sum()).unwrap_or_default()
    }

    /// Of a drill that could not even begin as it should.
    pub(super) fn impossible(source: &str, at: Timestamp, why: &str) -> Report {
        Report {
            source: source.into(),
            backup: String::new(),
            kind: Some(Kind::Dump),
            started: at,
            finished: at,
            recovery_point: None,
            target: None,
            phases: BTreeMap::new(),
            outcome: Outcome::Impossible(why.into()),
            restored_bytes: 0,
            data_age: None,
            checks: Vec::new(),
            major: None,
            is_alone: None,
        }
    }

    /// Up to which moment it was tried to go.
    fn reach(&self) -> Timestamp {
        self.target.unwrap_or(self.started)
    }

    /// Which of some reports, the newest first, tells how restoring stands: the last that was tried, unless one before it
    /// failed on the way to a later moment than any since has gone to.
    pub fn standing<'r>(reports: impl Iterator<Item = &'r Report>) -> Option<&'r Report> {
        let mut tried = reports.filter(|report| !matches!(report.outcome, Outcome::Impossible(_)));
        let last = tried.next()?;
        let mut reached = last.reach();
        if !last.is_good() {
            return Some(last);
        }
        for before in tried {
            if before.reach() > reached {
                if !before.is_good() {
                    return Some(before);
                }
                reached = before.reach();
            }
        }
        Some(last)
    }

    /// The same as JSON, as an account has it.
    pub fn json(&self) -> serde_json::Value {
        crate::backup::account::drill(self)
    }

    /// Whether the backup was restored and everything asserted of it holds.
    pub fn is_good(&self) -> bool {
        self.outcome == Outcome::Restored
    }
}

/// What a drill spends its time on, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Bringing the backup here, and making an empty cluster.
    Fetch,
    /// Starting the server.
    Start,
    /// Restoring the backup.
    Restore,
    /// Replaying WAL.
    Replay,
    /// Asking whether what was restored is what it should be.
    Assert,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 5] = [
        Phase::Fetch,
        Phase::Start,
        Phase::Restore,
        Phase::Replay,
        Phase::Assert,
    ];

    /// The value of the label `phase`.
    pub fn label(self) -> &'static str {
        match self {
            Phase::Fetch => "fetch",
            Phase::Start => "start",
            Phase::Restore => "restore",
            Phase::Replay => "replay",
            Phase::Assert => "assert",
        }
    }
}

/// How a drill ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "how", content = "why")]
pub enum Outcome {
    /// The backup was restored, and all that was asserted holds.
    Restored,
    /// It could not be restored, or something that was asserted does not hold.
    Failed(String),
    /// It could not be tried here: no binaries, no room, no backup. That is no word against the backup.
    Impossible(String),
}

/// Something asserted of the restored data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was asserted.
    pub name: String,
    /// Whether it holds; `None` when that could not be found out.
    pub holds: Option<bool>,
    /// What was found.
    pub found: String,
}

#[cfg(test)]
impl Report {
    /// What tests begin with: of a drill that began an hour before it ended, with 61 seconds of restoring and one check.
    pub(crate) fn sample(
        source: &str,
        backup: &str,
        finished: Timestamp,
        outcome: Outcome,
    ) -> Self {
        Report {
            source: source.into(),
            backup: backup.into(),
            kind: Some(Kind::Dump),
            started: finished.before(Duration::from_secs(3600)),
            finished,
            recovery_point: None,
            target: None,
            phases: BTreeMap::from([(Phase::Restore, 61.0)]),
            outcome,
            restored_bytes: 1,
            data_age: None,
            checks: vec![Check {
                name: "tables".into(),
                holds: Some(true),
                found: String::new(),
            }],
            major: Some(17),
            is_alone: Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stands_until_a_drill_goes_as_far() {
        let failed = || Outcome::Failed("x".into());
        let report = |at: i64, target: Option<i64>, outcome: Outcome| Report {
            target: target.map(Timestamp),
            started: Timestamp(at),
            ..Report::sample("a", "b", Timestamp(at), outcome)
        };
        let good = |at, target| report(at, target, Outcome::Restored);
        let cases = [
            (vec![], None),
            (vec![report(9, None, Outcome::Impossible("x".into()))], None),
            (vec![good(9, None), report(5, None, failed())], Some(9)),
            // The moment that the failure offers lies before it.
            (vec![good(9, Some(3)), report(5, None, failed())], Some(5)),
            (vec![good(9, Some(6)), report(5, None, failed())], Some(9)),
            (
                vec![good(9, Some(3)), good(8, None), report(5, None, failed())],
                Some(9),
            ),
            (vec![report(9, Some(1), failed()), good(8, None)], Some(9)),
            (
                vec![good(9, Some(3)), report(5, Some(2), failed())],
                Some(9),
            ),
        ];
        for (reports, standing) in cases {
            let found = Report::standing(reports.iter()).map(|report| report.finished.0);
            assert_eq!(found, standing, "{reports:?}");
        }
    }
}
