//! What a tool does not tell each time and an earlier look knows.

use std::collections::HashMap;

use super::ToolKind;
use crate::backup::sighting::{Backup, Sighting, State};
use crate::backup::wal::{Wal, WalName};
use crate::sample::Timestamp;

/// Completes a sighting from the one before: since when something runs, when WAL came, and the WAL that could not be
/// listed this time.
pub(in super::super) fn carry(
    kind: ToolKind,
    before: &Sighting,
    now: &mut Sighting,
    at: Timestamp,
) {
    let newest = now.backups.iter().filter(|backup| backup.state.is_judged());
    let newest = newest.map(|backup| backup.finished).max();
    for backup in &mut now.backups {
        let Some(seen) = first_seen(before, backup) else {
            continue;
        };
        // What was finished since then held the lock; it is another that runs now.
        if newest.is_none_or(|newest| newest < seen) || kind != ToolKind::PgBackRest {
            backup.finished = backup.finished.min(seen);
        }
    }
    match (&mut now.wal, &before.wal) {
        (none @ None, some @ Some(_)) => {
            none.clone_from(some);
            now.is_as_old_as(before.told);
        }
        (Some(wal), Some(before)) if kind == ToolKind::WalG => {
            arrived(wal, before, now.told.map_or(at, |told| told.min(at)));
        }
        _ => {}
    }
}

fn first_seen(before: &Sighting, backup: &Backup) -> Option<Timestamp> {
    let is_same = |other: &&Backup| {
        other.state == State::Running
            && (&other.id, &other.repository) == (&backup.id, &backup.repository)
    };
    let runs = backup.state == State::Running;
    runs.then(|| before.backups.iter().find(is_same))
        .flatten()
        .map(|seen| seen.finished)
}

/// WAL-G gives no times: a segment came when it was first seen.
fn arrived(wal: &mut Wal, before: &Wal, at: Timestamp) {
    let known: HashMap<&WalName, Timestamp> = before
        .files
        .iter()
        .map(|file| (&file.name, file.modified))
        .collect();
    for file in &mut wal.files {
        file.modified = known.get(&file.name).copied().unwrap_or(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{Kind, WalFile};

    fn running(at: i64) -> Backup {
        Backup {
            state: State::Running,
            ..Backup::listed("running", Kind::Full, Timestamp(at))
        }
    }

    fn sighting(backups: Vec<Backup>) -> Sighting {
        Sighting {
            backups,
            ..Sighting::default()
        }
    }

    #[test]
    fn what_runs_runs_since_it_was_first_seen() {
        let done = |at| Backup {
            state: State::Done,
            ..Backup::listed("done", Kind::Full, Timestamp(at))
        };
        let cases = [
            (vec![], vec![running(90)], 90),
            (vec![running(50)], vec![running(90)], 50),
            (vec![running(50)], vec![done(40), running(90)], 50),
            (vec![running(50)], vec![done(60), running(90)], 90),
        ];
        for (before, now, since) in cases {
            let mut now = sighting(now);
            carry(
                ToolKind::PgBackRest,
                &sighting(before),
                &mut now,
                Timestamp(90),
            );
            assert_eq!(now.backups.last().unwrap().finished, Timestamp(since));
        }
    }

    #[test]
    fn wal_that_could_not_be_listed_is_kept() {
        let wal = |names: &[&str], at| {
            let file = |name: &&str| WalFile {
                name: WalName::Segment((*name).into()),
                bytes: 0,
                modified: Timestamp(at),
                is_packed: true,
            };
            Some(Wal {
                files: names.iter().map(file).collect(),
                histories: Vec::new(),
            })
        };
        let before = Sighting {
            wal: wal(&["A"], 10),
            told: Some(Timestamp(20)),
            ..Sighting::default()
        };
        let mut now = Sighting {
            told: Some(Timestamp(80)),
            ..Sighting::default()
        };
        carry(ToolKind::PgBackRest, &before, &mut now, Timestamp(90));
        assert_eq!((&now.wal, now.told), (&before.wal, before.told));
        let mut now = Sighting {
            wal: wal(&["A", "B"], 20),
            ..Sighting::default()
        };
        carry(ToolKind::WalG, &before, &mut now, Timestamp(90));
        let times: Vec<i64> = now
            .wal
            .unwrap()
            .files
            .iter()
            .map(|file| file.modified.0)
            .collect();
        assert_eq!(times, [10, 90]);
    }
}
