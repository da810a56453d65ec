//! Base backups whose WAL lies in another source of the same server. Takes what other sources show; hands on what they
//! need of an archive that has no base backup beside it.

use super::archive::{Archive, Need};
use super::judge::has_base;
use super::needs::Read;
use super::sighting::State;
use super::wal::{Segment, USUAL_SEGMENT_BYTES};
use super::{Needed, Record, Settings};
use crate::sample::Timestamp;

/// A base backup from which WAL leads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// The WAL it needs to become consistent.
    pub needed: Needed,
    /// Whether it has that WAL inside.
    pub is_inside: bool,
    /// Whether its own source shows WAL that leads on from it.
    pub has_archive: bool,
    /// The oldest moment that it can be restored to with WAL that leads on from it.
    pub opens: Timestamp,
}

/// The good ones among the backups of a source. What a tool has taken, it keeps the WAL of.
pub(super) fn of(read: &[Read], archive: Option<&Archive>) -> Vec<Base> {
    let bytes = archive.map_or(USUAL_SEGMENT_BYTES, |archive| archive.held.segment_bytes);
    let good = read
        .iter()
        .filter(|(backup, _)| backup.kind.is_physical() && backup.state == State::Done);
    let each = good.filter_map(|(backup, verdict)| {
        let told = backup.wal.map(|(first, last)| Needed {
            timeline: first.timeline,
            start: first.start(bytes),
            end: last.end(bytes),
        });
        Some(Base {
            needed: verdict.and_then(|verdict| verdict.wal).or(told)?,
            is_inside: verdict.is_some_and(|verdict| verdict.has_wal),
            has_archive: archive.is_some() || verdict.is_none(),
            opens: backup.opens(),
        })
    });
    each.collect()
}

/// Those of the other sources of its server, for a source that has none. One of another cluster says nothing here.
pub(super) fn of_others<'r>(
    settings: &Settings,
    records: impl Iterator<Item = &'r Record>,
) -> Vec<Base> {
    let others = records.filter(|record| {
        let (other, facts) = (&record.settings, &record.facts);
        let is_beside = other.server == settings.server && other.name != settings.name;
        is_beside && facts.foreign != Some(true) && facts.sighting.as_ref().is_some_and(has_base)
    });
    others
        .flat_map(|record| &record.facts.bases)
        .copied()
        .collect()
}

/// What they need of an archive. One whose own source shows its WAL needs nothing here: it only says where what is held
/// here begins to matter.
pub(super) fn needs(bases: &[Base], archive: &Archive) -> Vec<Need> {
    let bytes = archive.held.segment_bytes;
    let each = bases.iter().map(|base| {
        let needed = base.needed;
        let need = Need {
            first: Segment::at(needed.timeline, needed.start, bytes),
            last: Segment::at(needed.timeline, needed.end.saturating_sub(1), bytes),
            end: Some(needed.end),
            is_inside: base.is_inside,
        };
        (base.has_archive, need)
    });
    let counts =
        |(has_archive, need): &(bool, Need)| !has_archive || archive.held.has(need.begin());
    each.filter(counts).map(|(_, need)| need).collect()
}

#[cfg(test)]
mod tests;
