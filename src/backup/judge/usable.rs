//! Which backups of a source count.

use std::collections::BTreeSet;

use super::Matter;
use crate::backup::{Backup, Facts, Kind, Sighting, State};

/// Usable backups, newest first: those that would restore, of what they should be of.
pub(in crate::backup) fn usable(sighting: &Sighting) -> Vec<&Backup> {
    let mut usable = restorable(sighting);
    usable.retain(|backup| !backup.is_foreign);
    usable
}

/// Those that would restore, whatever they are of, newest first. Those not read yet count only while no backup has been
/// read at all: a new file is not good news before it has been read.
pub(super) fn restorable(sighting: &Sighting) -> Vec<&Backup> {
    let judged = sighting
        .backups
        .iter()
        .any(|backup| backup.state.is_judged());
    let counted = if judged { State::Done } else { State::Unread };
    let mut restorable: Vec<&Backup> = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == counted)
        .collect();
    restorable.sort_by_key(|backup| std::cmp::Reverse((backup.moment(), backup.finished)));
    restorable
}

/// Those of them that need no other, newest first.
pub(in crate::backup) fn roots(sighting: &Sighting) -> Vec<&Backup> {
    let mut roots = usable(sighting);
    roots.retain(|backup| backup.kind.is_root());
    roots
}

/// The newest backup that came to an end, good or bad.
pub fn last_attempt(sighting: &Sighting) -> Option<&Backup> {
    let ended = sighting
        .backups
        .iter()
        .filter(|backup| backup.state.is_judged());
    ended.max_by_key(|backup| backup.finished)
}

/// Whether the source shows WAL and not one backup.
pub(in crate::backup) fn is_wal_only(facts: &Facts) -> bool {
    let has_wal = facts.chain.as_ref().is_some_and(|chain| chain.segments > 0);
    let sighting = facts.sighting.as_ref();
    has_wal && sighting.is_some_and(|sighting| sighting.backups.is_empty())
}

/// The kinds of backups that the source can have: those that are or were there, and those that were declared. A tool
/// takes full ones. A folder of which nothing is known is taken to be one of dumps, unless it holds WAL alone.
pub(super) fn kinds(matter: &Matter, sighting: &Sighting) -> BTreeSet<Kind> {
    let settings = matter.settings;
    let seen = sighting.backups.iter().map(|backup| backup.kind);
    let remembered = matter.past.backups.values().map(|known| known.kind);
    let mut kinds: BTreeSet<Kind> = seen.chain(remembered).collect();
    if settings.place.is_tool() || settings.full_every.is_some() || settings.wal.is_some() {
        kinds.insert(Kind::Full);
    }
    if settings.database.is_some() || !settings.expect_rows.is_empty() {
        kinds.insert(Kind::Dump);
    }
    if kinds.is_empty() && !is_wal_only(matter.facts) {
        kinds.insert(Kind::Dump);
    }
    kinds
}
