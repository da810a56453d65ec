//! What a backup needs beside itself: the backup whose changes it holds, WAL, and the rows that were promised.
//! Pure functions over backups and what reading each of them showed.

use std::collections::BTreeMap;

use super::archive::{Archive, Need, took};
use super::inspect::{Table, Trouble, Verdict};
use super::sighting::{Backup, Proof, State};
use super::wal::{Segment, USUAL_SEGMENT_BYTES};

/// A backup, and what reading it showed.
pub(super) type Read<'v> = (Backup, Option<&'v Verdict>);

/// Marks dumps that lack a table, or rows of it.
pub(super) fn rows(read: &mut [Read], expected: &BTreeMap<String, u64>) {
    for (backup, verdict) in read {
        // Of what could not be read to its end nothing is known.
        let tables = verdict.filter(|verdict| verdict.proof >= Proof::Whole);
        if let Some(verdict) = tables.filter(|_| !backup.kind.is_physical())
            && let Some(words) = missing_rows(expected, &verdict.tables)
        {
            damage(backup, Trouble::RowsMissing, words);
        }
    }
}

/// What is missing of the rows that were promised.
pub(super) fn missing_rows(expected: &BTreeMap<String, u64>, tables: &[Table]) -> Option<String> {
    expected.iter().find_map(|(name, promised)| {
        let table = tables.iter().find(|table| is_named(table, name));
        match table {
            Some(table) if table.rows >= *promised => None,
            Some(table) => Some(format!(
                "holds {} rows of `{name}`, at least {promised} were promised",
                table.rows
            )),
            None => Some(format!(
                "holds no rows of `{name}` that can be counted, at least {promised} were promised"
            )),
        }
    })
}

/// Whether the table is meant: `schema.table`, or a table of the schema `public`.
pub(super) fn is_named(table: &Table, name: &str) -> bool {
    let in_public = table.schema == "public" && table.name == name;
    in_public
        || name
            .strip_prefix(table.schema.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(&table.name)
}

/// Finds the parent of each incremental backup: without it, it is none.
pub(super) fn parents(read: &mut [Read]) {
    let is_complete = read
        .iter()
        .all(|(backup, _)| !matches!(backup.state, State::Unread | State::Running));
    let start = |read: &Read| read.1.and_then(|verdict| verdict.wal).map(|wal| wal.start);
    let mut order: Vec<usize> = (0..read.len()).collect();
    order.sort_by_key(|place| start(&read[*place]));
    for place in order {
        let (backup, verdict) = &read[place];
        let Some(since) = verdict.and_then(|verdict| verdict.since) else {
            continue;
        };
        let is_parent = |other: &&Read| {
            start(other) == Some(since)
                && (backup.origin.is_none() || other.0.origin == backup.origin)
        };
        // A copy of the parent may be bad, and another good.
        let parents = read.iter().filter(is_parent);
        let parent = parents.max_by_key(|(parent, _)| (parent.state == State::Done, parent.proof));
        let parent = parent.map(|(parent, _)| (parent.id.clone(), parent.state, parent.proof));
        inherit(&mut read[place].0, parent, is_complete);
    }
}

fn inherit(backup: &mut Backup, parent: Option<(String, State, Proof)>, is_complete: bool) {
    if backup.state != State::Done {
        return;
    }
    match parent {
        Some((id, State::Done, proof)) => {
            backup.parent = Some(id);
            backup.proof = backup.proof.min(proof);
        }
        Some((id, state, _)) if !state.is_good() => {
            let words = format!("holds changes since `{id}`, which is not good");
            backup.parent = Some(id);
            damage(backup, Trouble::ParentMissing, words);
        }
        None if is_complete => {
            let words =
                "holds changes since a backup that is not here: without it nothing can be restored";
            damage(backup, Trouble::ParentMissing, words.into());
        }
        // Which it is will be known when all have been read.
        _ => {
            backup.state = State::Unread;
            backup.proof = Proof::Listed;
        }
    }
}

/// Fills in the WAL each base backup needs; marks those whose WAL is lost. Gives what those that are good need.
pub(super) fn wal(
    read: &mut [Read],
    archive: Option<&Archive>,
    before: Option<&Archive>,
) -> Vec<Need> {
    let mut needs = Vec::new();
    for (backup, verdict) in read
        .iter_mut()
        .filter(|(backup, _)| backup.kind.is_physical())
    {
        let bytes = archive.map_or(USUAL_SEGMENT_BYTES, |archive| archive.held.segment_bytes);
        let told = verdict.and_then(|verdict| verdict.wal);
        if let Some(told) = told {
            let first = Segment::at(told.timeline, told.start, bytes);
            let last = Segment::at(told.timeline, told.end.saturating_sub(1), bytes);
            backup.wal = Some((first, last));
            let witness = archive.and_then(|archive| archive.witness(told.timeline, told.start));
            backup.took = backup.took.or(witness.and_then(took));
        }
        let Some((first, last)) = backup.wal else {
            continue;
        };
        let need = Need {
            first,
            last,
            end: told.map(|told| told.end),
            is_inside: verdict.is_some_and(|verdict| verdict.has_wal),
        };
        match archive {
            _ if need.is_inside => {}
            Some(archive) => in_archive(backup, &need, archive, before),
            // What a tool has taken, it keeps the WAL of.
            None if verdict.is_some() => damage(
                backup,
                Trouble::WalMissing,
                "needs WAL that is neither inside it nor in an archive that is shown; say with `wal:` where the archive is"
                    .into(),
            ),
            None => {}
        }
        if backup.state == State::Done {
            needs.push(need);
        }
    }
    needs
}

fn in_archive(backup: &mut Backup, need: &Need, archive: &Archive, before: Option<&Archive>) {
    if let Some(segment) = archive.lacks(before, need) {
        let name = segment.name(archive.held.segment_bytes);
        let words = format!(
            "needs the WAL segment `{name}`, which is not in the archive: it cannot become consistent"
        );
        damage(backup, Trouble::WalMissing, words);
    }
}

fn damage(backup: &mut Backup, trouble: Trouble, words: String) {
    if backup.state == State::Done {
        backup.state = State::Damaged;
        backup.trouble = Some(trouble);
        backup.problem = Some(words);
        backup.proof = backup.proof.min(Proof::Opened);
    }
}

#[cfg(test)]
mod tests;
