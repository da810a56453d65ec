//! Base backups and the archive that leads on from them, which may be another source of the same server. Takes what
//! was read, and what other sources show; hands on the archive in a few numbers.

use super::archive::{Archive, Need};
use super::judge::has_base;
use super::needs::{self, Read};
use super::sighting::State;
use super::wal::{Chain, Segment, USUAL_SEGMENT_BYTES};
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

/// What other sources of the server have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lent {
    pub(super) bases: Vec<Base>,
    /// Whether there are some of which nothing is known yet.
    pub(super) is_awaited: bool,
}

/// Marks backups whose WAL is lost; gives the archive in a few numbers, where there is one, and the base backups from
/// which it leads on: without any here, those that are lent. Until one has been read, nothing is known to be missing.
pub(super) fn chain(
    read: &mut [Read],
    [archive, before]: &[Option<Archive>; 2],
    lent: &Lent,
) -> (Option<Chain>, Vec<Base>) {
    let (archive, before) = (archive.as_ref(), before.as_ref());
    let mut needed = needs::wal(read, archive, before);
    let mut bases = of(read, archive);
    let physical = || {
        read.iter()
            .filter(|(backup, _)| backup.kind.is_physical())
            .map(|(backup, _)| backup.state)
    };
    let mut is_awaited = physical().any(|state| state == State::Unread);
    if let (Some(archive), None) = (archive, physical().next()) {
        needed = needs_of(&lent.bases, archive);
        bases = lent.bases.clone();
        is_awaited = lent.is_awaited;
    }
    let before = before.filter(|_| !(needed.is_empty() && is_awaited));
    let chain = archive.map(|archive| archive.chain(before, &needed));
    (chain, bases)
}

/// The good ones among the backups of a source. What a tool has taken, it keeps the WAL of.
fn of(read: &[Read], archive: Option<&Archive>) -> Vec<Base> {
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
) -> Lent {
    let mut lent = Lent::default();
    let others = records.filter(|record| {
        let (other, facts) = (&record.settings, &record.facts);
        let is_beside = other.server == settings.server && other.name != settings.name;
        is_beside && facts.foreign != Some(true) && facts.sighting.as_ref().is_some_and(has_base)
    });
    for Record { facts, .. } in others {
        lent.bases.extend(&facts.bases);
        lent.is_awaited |= facts.bases.is_empty();
    }
    lent
}

/// What they need of an archive. One whose own source shows its WAL needs nothing here: it only says where what is held
/// here begins to matter.
fn needs_of(bases: &[Base], archive: &Archive) -> Vec<Need> {
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
