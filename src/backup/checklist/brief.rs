//! A source in brief: its newest backup, how far back that leads, and what is wrong.

use std::sync::Arc;

use super::finding::{Finding, named};
use super::upkeep::lost;
use super::{Known, drills, newest, upkeep};
use crate::backup::judge::{is_wal_only, usable, window};
use crate::backup::{
    Backup, Chain, Facts, Lag, Outcome, Proof, Record, Report, Segment, Sighting, State,
};
use crate::sample::Timestamp;

/// What matters of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The source, and all that is known of it.
    pub record: Arc<Record>,
    /// Its newest usable backup.
    pub newest: Option<Backup>,
    /// The newest moment that could be restored, as far as the last look showed: of a dump when it began, where WAL leads
    /// on from physical backups when its newest segment came.
    pub recovery_point: Option<Timestamp>,
    /// How it stands to its server, as far as a running watch knows.
    pub lag: Lag,
    /// The drill that tells how restoring stands, or the last one that could not be tried.
    pub drill: Option<Report>,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
    /// What keeps it from being judged, a sentence each.
    pub doubts: Vec<String>,
}

impl Brief {
    /// Whether all is well with the source; `None` when that cannot be told.
    pub fn is_good(&self) -> Option<bool> {
        match (self.problems.is_empty(), self.doubts.is_empty()) {
            (false, _) => Some(false),
            (true, false) => None,
            (true, true) => Some(true),
        }
    }
}

/// The lines whose findings tell of a source's trouble.
const TELLING: [fn(&Known) -> Vec<Finding>; 6] = [
    newest::ran,
    newest::integrity,
    newest::size,
    upkeep::logs,
    upkeep::room,
    drills::drilled_monthly,
];

/// Every source in brief.
pub(in crate::backup) fn briefs(known: &Known) -> Vec<Brief> {
    known
        .records
        .iter()
        .map(|record| brief(known, record))
        .collect()
}

fn brief(known: &Known, record: &Arc<Record>) -> Brief {
    let sighting = record.facts.sighting.as_ref();
    let newest = sighting.and_then(|sighting| usable(sighting).first().copied().cloned());
    let (mut problems, mut doubts) = (Vec::new(), Vec::new());
    if let Some(obstacle) = &record.facts.obstacle {
        doubts.push(obstacle.to_string());
    } else if record.facts.looked.is_none() {
        doubts.push("it has not been looked at yet".into());
    } else {
        (problems, doubts) = told(known, record);
        problems.extend(sighting.into_iter().flat_map(said_of_itself));
        problems.extend(sighting.and_then(|sighting| lost(record, sighting, known.now)));
        problems.extend(uncopied(&record.facts));
        problems.extend(record.facts.chain.iter().flat_map(wal));
        doubts.extend(newest.as_ref().and_then(unread));
    }
    // What would be lost grows, whether the source can be looked at or not.
    let lag = known.watched.lags.get(&record.settings.name);
    let lag = lag.copied().unwrap_or_default();
    problems.extend(lag.problems());
    doubts.extend(silence(known, record));
    let drills = || {
        let own = |report: &&Report| report.source == record.settings.name;
        known.reports.iter().filter(own)
    };
    let impossible = drills()
        .next()
        .filter(|last| matches!(last.outcome, Outcome::Impossible(_)));
    Brief {
        recovery_point: window(&record.facts).map(|(_, end)| end),
        record: record.clone(),
        lag,
        drill: impossible.or_else(|| Report::standing(drills())).cloned(),
        newest,
        problems,
        doubts,
    }
}

/// What was seen to be otherwise than it should be, and why it cannot be told whether there is a backup; each once. A
/// copy is judged as what it is a copy of.
fn told(known: &Known, record: &Arc<Record>) -> (Vec<String>, Vec<String>) {
    let mut own = record.clone();
    if own.settings.copy_of.is_some() {
        Arc::make_mut(&mut own).settings.copy_of = None;
    }
    let alone = Known {
        records: &[own],
        ..*known
    };
    let prefix = format!("{}: ", record.settings.name);
    let bare = |words: String| words.strip_prefix(&prefix).unwrap_or(&words).to_owned();
    let mut problems: Vec<String> = Vec::new();
    for finding in TELLING.iter().flat_map(|find| find(&alone)) {
        if let Finding::Refuted { words, .. } = finding {
            let words = bare(words);
            if !problems.contains(&words) {
                problems.push(words);
            }
        }
    }
    let has_backups = !is_wal_only(&record.facts);
    let ran = newest::ran(&alone).into_iter().filter(|_| has_backups);
    let doubts = ran.filter_map(|finding| match finding {
        Finding::Unknown { words } => Some(bare(words)),
        _ => None,
    });
    (problems, doubts.collect())
}

/// What was written since a server was last asked, nobody knows.
fn silence(known: &Known, record: &Record) -> Option<String> {
    let has_wal = record.facts.chain.is_some() || record.settings.rpo.is_some();
    let is_silent = known.watched.silent.contains(&record.settings.server);
    (has_wal && is_silent).then(|| {
        "its server does not answer: what would be lost with it is known as of its last answer alone"
            .into()
    })
}

fn said_of_itself(sighting: &Sighting) -> impl Iterator<Item = String> {
    sighting
        .complaints
        .iter()
        .map(|said| super::sources::plain(said))
}

fn uncopied(facts: &Facts) -> Option<String> {
    match facts.uncopied.as_deref()? {
        [] => None,
        [one] => Some(format!(
            "{} of the original is not here, or is not the same here",
            named(one)
        )),
        all => Some(format!(
            "{} backups of the original are not here, or not the same here",
            all.len()
        )),
    }
}

fn wal(chain: &Chain) -> impl Iterator<Item = String> {
    let name = |segment: &Segment| segment.name(chain.segment_bytes);
    let gap = chain.missing.first().map(|gap| {
        let (count, first) = (chain.missing_segments(), name(&gap.first()));
        format!("segments of WAL are missing: {count}, the first is {first}")
    });
    let short = chain.short.first().map(|first| {
        let (count, first) = (chain.short.len(), name(first));
        format!("segments of WAL are too short: {count}, the first is {first}")
    });
    gap.into_iter().chain(short)
}

/// What a drill has restored needs nobody who reads it.
fn unread(newest: &Backup) -> Option<String> {
    let is_unread = newest.state == State::Unread && newest.proof != Proof::Restored;
    is_unread.then(|| format!("the newest, {}, has not been read yet", named(&newest.id)))
}
