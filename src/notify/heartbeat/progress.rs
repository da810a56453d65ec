//! Whether the way from the databases to people advances: a function of how far each part has come, and the time.

use std::fmt;
use std::time::Duration;

use crate::sample::Timestamp;

/// A part of the way may be late by so much, for the machine may be busy.
const BUSY: Duration = Duration::from_secs(30);

/// A message that is under way may take so long before its sender looks up again.
const UNDER_WAY: Duration = Duration::from_secs(5 * 60);

/// How far all parts of the way have come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Of each server its sign of life and its collectors; of what pgvigil reads elsewhere, that. A try counts, also one
    /// that failed: a server that is down is still collected from.
    pub collecting: Vec<Step>,
    /// The groups of rules.
    pub evaluating: Vec<Step>,
    /// Whether all that happened is on the disk.
    pub logged: bool,
    /// The senders. Each says when it looks again at what is due; that nothing was taken is no standstill.
    pub delivering: Vec<Step>,
}

/// One part of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is, as in `the collectors of rachel`.
    pub name: String,
    /// When it last advanced; `None` when it never did.
    pub last: Option<Timestamp>,
    /// By when it ought to have advanced again.
    pub due: Timestamp,
}

/// A part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading servers, backups and the rest.
    Collecting,
    /// Evaluating rules.
    Evaluating,
    /// Writing the incident log.
    Logging,
    /// Telling the receivers.
    Delivering,
}

/// A stage that does not advance, and which part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standstill {
    pub(super) stage: Stage,
    pub(super) part: String,
}

impl Stage {
    /// All of them, in the order of the way.
    pub(super) const ALL: [Stage; 4] = [
        Stage::Collecting,
        Stage::Evaluating,
        Stage::Logging,
        Stage::Delivering,
    ];

    /// As the metrics and the log call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Stage::Collecting => "collecting",
            Stage::Evaluating => "evaluating",
            Stage::Logging => "logging",
            Stage::Delivering => "delivering",
        }
    }
}

impl Progress {
    /// What does not advance.
    pub(super) fn standstills(&self, now: Timestamp) -> Vec<Standstill> {
        let stages = [
            (Stage::Collecting, &self.collecting, BUSY),
            (Stage::Evaluating, &self.evaluating, BUSY),
            (Stage::Delivering, &self.delivering, UNDER_WAY),
        ];
        let late = stages.into_iter().flat_map(|(stage, steps, patience)| {
            let late = steps.iter().filter(move |step| now > step.due + patience);
            late.map(move |step| Standstill {
                stage,
                part: step.name.clone(),
            })
        });
        let unwritten = (!self.logged).then(|| Standstill {
            stage: Stage::Logging,
            part: "the incident log".into(),
        });
        let mut standstills: Vec<Standstill> = late.chain(unwritten).collect();
        standstills.sort();
        standstills
    }

    /// Whether every stage has advanced since the start: one that dies at once each time it is started shows no life.
    pub(super) fn has_begun(&self) -> bool {
        let stages = [&self.collecting, &self.evaluating, &self.delivering];
        stages
            .into_iter()
            .all(|steps| steps.is_empty() || steps.iter().any(|step| step.last.is_some()))
    }
}

impl fmt::Display for Standstill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stands still: {}", self.stage.name(), self.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    fn step(name: &str, due: i64) -> Step {
        Step {
            name: name.into(),
            last: Some(at(due - 10)),
            due: at(due),
        }
    }

    fn good() -> Progress {
        Progress {
            collecting: vec![step("a server", 1_000), step("its collectors", 1_000)],
            evaluating: vec![step("a group", 1_000)],
            logged: true,
            delivering: vec![step("oncall", 1_000)],
        }
    }

    /// What stands still at so many seconds.
    fn check(progress: &Progress, seconds: i64, expected: &[&str]) {
        let standstills = progress.standstills(at(seconds));
        let said: Vec<String> = standstills.iter().map(Standstill::to_string).collect();
        assert_eq!(said, expected, "at {seconds}: {progress:?}");
    }

    #[test]
    fn each_stage_stands_still_by_itself_and_advances_again() {
        check(&good(), 1_030, &[]);
        let mut progress = good();
        progress.collecting[1].due = at(900);
        check(&progress, 930, &[]);
        check(&progress, 931, &["collecting stands still: its collectors"]);
        progress.collecting[1].due = at(1_000);
        check(&progress, 931, &[]);

        let mut progress = good();
        progress.evaluating.push(step("another group", 900));
        check(&progress, 931, &["evaluating stands still: another group"]);

        let mut progress = good();
        progress.logged = false;
        check(&progress, 900, &["logging stands still: the incident log"]);

        let mut progress = good();
        progress.delivering[0].due = at(700);
        check(&progress, 1_000, &[]);
        check(&progress, 1_001, &["delivering stands still: oncall"]);
    }

    #[test]
    fn what_has_not_begun_does_not_stand_still() {
        let mut progress = good();
        assert!(progress.has_begun());
        progress.evaluating[0].last = None;
        assert!(!progress.has_begun());
        check(&progress, 1_000, &[]);
        // A group that is evaluated once a day keeps nobody waiting.
        progress.evaluating.push(step("another", 1_000));
        assert!(progress.has_begun());
        assert!(
            Progress {
                delivering: Vec::new(),
                ..progress
            }
            .has_begun()
        );
    }

    #[test]
    fn a_clock_set_back_is_no_standstill() {
        check(&good(), -1_000_000, &[]);
    }
}
