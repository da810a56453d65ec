//! What a careful person ticks off about backups, and what is known of each line.
//! Takes what is known of the sources, the drills and what people have attested; hands on the lines as plain values.

mod attestations;
mod brief;
mod drills;
mod finding;
mod lines;
mod newest;
mod offsite;
mod sources;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

pub use attestations::{Attestation, Attestations};
pub use brief::Brief;
pub(super) use brief::briefs;
pub use lines::{Rhythm, is_seen, keys, title};

use super::{Record, Report, Watched};
use crate::sample::Timestamp;
use finding::Finding;
use lines::{How, Item};

/// Everything the checklist is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The sources.
    pub records: &'a [Arc<Record>],
    /// The drills, the newest first.
    pub reports: &'a [Report],
    /// What people have attested; of each line the last word.
    pub attestations: &'a [Attestation],
    /// What only a running watch sees.
    pub watched: &'a Watched,
    /// The moment it is drawn up for.
    pub now: Timestamp,
}

/// One line, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its stable name.
    pub key: &'static str,
    /// How often it is due.
    pub rhythm: Rhythm,
    /// What ticks it is good for so long.
    pub period: Duration,
    /// What is ticked.
    pub title: &'static str,
    /// Whether it may stay unticked without harm.
    pub is_optional: bool,
    /// How it is known, if it is.
    pub standing: Standing,
    /// When what it rests on happened; of several things, the oldest.
    pub at: Option<Timestamp>,
    /// Until when it was seen to be otherwise, if it was: what is attested of a moment up to there does not count.
    pub refuted: Option<Timestamp>,
    /// What was seen, a sentence each.
    pub evidence: Vec<String>,
    /// What is missing, a sentence each; nothing where it is ticked.
    pub missing: Vec<String>,
    /// What would tick it: a command, or what to configure.
    pub way: String,
}

/// How a line is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A probe has read it, or a drill has tried it.
    Proved,
    /// It was seen, and may yet be otherwise.
    Observed,
    /// A person says so.
    Attested {
        /// Who.
        by: String,
    },
    /// None of these.
    Unticked,
}

impl Line {
    /// Whether it is known to hold.
    pub fn is_ticked(&self) -> bool {
        self.standing != Standing::Unticked
    }

    /// Until when it is, if nothing new comes.
    pub fn expires(&self) -> Option<Timestamp> {
        self.at
            .filter(|_| self.is_ticked())
            .map(|at| at + self.period)
    }
}

impl Standing {
    /// A word for people and for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Proved => "proved",
            Standing::Observed => "observed",
            Standing::Attested { .. } => "attested",
            Standing::Unticked => "unticked",
        }
    }
}

/// The whole checklist, in its order.
pub fn checklist(known: &Known) -> Vec<Line> {
    lines::ITEMS.iter().map(|item| line(item, known)).collect()
}

/// What the machine knows counts first. What it has seen to be otherwise nobody can attest from before; what it cannot
/// see, a person can.
fn line(item: &Item, known: &Known) -> Line {
    let findings = match item.how {
        How::Seen(find) => find(known),
        How::Said => vec![Finding::unknown(item.untold)],
    };
    let attested = known.attestations.iter().find(|attestation| {
        attestation.line == item.key && known.now.since(attestation.at) <= item.rhythm.period()
    });
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    let (mut is_proved, mut at, mut refuted) = (true, None::<Timestamp>, None);
    for finding in &findings {
        match finding {
            Finding::Held {
                proved,
                at: seen,
                words,
            } => {
                is_proved &= proved;
                at = Some(at.map_or(*seen, |at| at.min(*seen)));
                evidence.push(words.clone());
            }
            Finding::Unknown { words } => missing.push(words.clone()),
            Finding::Refuted { since, words } => {
                refuted = refuted.max(Some(*since));
                missing.push(words.clone());
            }
        }
    }
    let standing = match attested {
        _ if missing.is_empty() && is_proved => Standing::Proved,
        _ if missing.is_empty() => Standing::Observed,
        Some(attested) if Some(attested.at) > refuted => {
            at = Some(attested.at);
            missing.clear();
            Standing::Attested {
                by: attested.by.clone(),
            }
        }
        _ => Standing::Unticked,
    };
    if let Some(attested) = attested.filter(|_| standing != Standing::Unticked) {
        evidence.push(attested.words());
    }
    Line {
        key: item.key,
        rhythm: item.rhythm,
        period: item.rhythm.period(),
        title: item.title,
        is_optional: item.is_optional,
        at: at.filter(|_| standing != Standing::Unticked),
        refuted,
        way: match missing.first() {
            Some(first) => item.way(known, first),
            None => String::new(),
        },
        standing,
        evidence,
        missing,
    }
}

#[cfg(test)]
mod tests;
