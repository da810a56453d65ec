//! Which sources a line is about, and a finding for each of them.

use std::sync::Arc;

use super::Known;
use super::finding::{Finding, named};
use crate::backup::judge::{is_wal_only, newest_foreign};
use crate::backup::{Backup, Origin, Record, Sighting};

/// The sources that hold backups and are no copies of others.
pub(super) fn originals<'k>(known: &Known<'k>) -> impl Iterator<Item = &'k Arc<Record>> + use<'k> {
    let records = known.records;
    let is_copy = |record: &Record| {
        let of = record.settings.copy_of.as_deref();
        records
            .iter()
            .any(|other| Some(other.settings.name.as_str()) == of)
    };
    let holds_backups = |record: &&Arc<Record>| !is_wal_only(&record.facts);
    records
        .iter()
        .filter(holds_backups)
        .filter(move |record| !is_copy(record))
}

/// The source itself and its copies.
pub(super) fn places<'k>(
    known: &Known<'k>,
    record: &Record,
) -> impl Iterator<Item = &'k Arc<Record>> + use<'k> {
    let name = record.settings.name.clone();
    let records = known.records.iter();
    records.filter(move |other| {
        other.settings.name == name || other.settings.copy_of.as_ref() == Some(&name)
    })
}

/// A finding for each original, of what it shows.
pub(super) fn each(known: &Known, of: impl Fn(&Record, &Sighting) -> Finding) -> Vec<Finding> {
    about(originals(known), |record| {
        match (&record.facts.obstacle, &record.facts.sighting) {
            (Some(obstacle), _) => Finding::refuted(known.now, obstacle.to_string()),
            (None, Some(sighting)) => of(record, sighting),
            (None, None) => unseen(record),
        }
    })
}

/// A finding for each of some sources, said of it. Nothing at all must not pass for all that is well.
pub(super) fn about<'r>(
    records: impl Iterator<Item = &'r Arc<Record>>,
    of: impl Fn(&Record) -> Finding,
) -> Vec<Finding> {
    let each = records.map(|record| of(record).of(&record.settings.name));
    let findings: Vec<Finding> = each.collect();
    if findings.is_empty() {
        return vec![Finding::unknown("no source of backups is configured")];
    }
    findings
}

pub(super) fn unseen(record: &Record) -> Finding {
    match &record.facts.obstacle {
        Some(obstacle) => Finding::unknown(obstacle.to_string()),
        None => Finding::unknown("it has not been looked at yet"),
    }
}

/// That the newest backup is not of what it should be of, where that is so.
pub(super) fn foreign(sighting: &Sighting) -> Option<String> {
    let newest = newest_foreign(sighting)?;
    let of = match newest.origin.as_ref()? {
        Origin::Database(database) => format!("another database: {}", named(database)),
        Origin::Cluster(identifier) => {
            format!("another cluster, with the system identifier {identifier}")
        }
    };
    Some(format!("the newest, {}, is of {of}", named(&newest.id)))
}

pub(super) fn problem(backup: &Backup) -> String {
    let word = backup.state.label();
    let said = backup.problem.as_deref().map(plain);
    said.unwrap_or_else(|| format!("is {word}"))
}

/// What others have written, without what a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    const LONGEST: usize = 300;
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(LONGEST).collect()
}
