//! What a source of backups holds of a server's WAL, and what could be restored from it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::backup::{Backup, Kind, Segment, Sighting, Wal, WalName};
use crate::sample::Timestamp;

/// The WAL that a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// The position up to which nothing is missing from the newest base backup on.
    pub(super) unbroken_end: u64,
    /// When the last segment before that came, where that is known.
    pub(super) arrived: Option<Timestamp>,
    /// The end of the newest segment.
    pub(super) newest_end: u64,
}

impl Held {
    /// What a sighting shows; `None` without WAL.
    pub(super) fn of(sighting: &Sighting, segment_bytes: u64) -> Option<Held> {
        let wal = sighting.wal.as_ref()?;
        let began = usable(sighting, Kind::is_physical)
            .filter_map(|backup| Some((backup.finished, backup.wal?.0.number)))
            .max()
            .map(|(_, number)| number);
        let (last, arrived) = unbroken(wal, segment_bytes, began)?;
        let newest = segments(wal, segment_bytes)
            .map(|(number, _)| number)
            .max()?;
        Some(Held {
            unbroken_end: (last + 1) * segment_bytes,
            arrived: Some(arrived),
            newest_end: (newest + 1) * segment_bytes,
        })
    }
}

/// The last number up to which none is missing, from the oldest or from one that is named, and when it came.
fn unbroken(wal: &Wal, segment_bytes: u64, from: Option<u64>) -> Option<(u64, Timestamp)> {
    let numbers: BTreeSet<(u64, Timestamp)> = segments(wal, segment_bytes).collect();
    let from = from.unwrap_or(numbers.first()?.0);
    let mut last = None;
    for (number, arrived) in numbers.into_iter().filter(|(number, _)| *number >= from) {
        let next = last.map_or(from, |(last, _)| last + 1);
        if number > next {
            break;
        }
        last = Some((number, arrived));
    }
    last
}

fn segments(wal: &Wal, segment_bytes: u64) -> impl Iterator<Item = (u64, Timestamp)> {
    wal.files.iter().filter_map(move |file| match &file.name {
        WalName::Segment(name) => {
            Some((Segment::parse(name, segment_bytes)?.number, file.modified))
        }
        _ => None,
    })
}

fn usable(sighting: &Sighting, is_meant: fn(Kind) -> bool) -> impl Iterator<Item = &Backup> {
    let meant =
        move |backup: &&Backup| is_meant(backup.kind) && backup.state.counted().label() == "done";
    sighting.backups.iter().filter(meant)
}

/// Whether a source has a base backup from which WAL could lead on.
pub(super) fn has_base(sighting: &Sighting) -> bool {
    usable(sighting, Kind::is_physical).next().is_some()
}

/// The newest moment that the backups of a source could be restored to without WAL.
pub(super) fn newest_backup(sighting: &Sighting) -> Option<Timestamp> {
    let physical = usable(sighting, Kind::is_physical).map(|backup| backup.finished);
    let dumps = usable(sighting, |kind| kind == Kind::Dump).map(dump_began);
    physical.chain(dumps).max()
}

const HOUR: i64 = 3_600_000;

/// When a dump began, which is the moment it holds. Its header says so without a zone: of the moments that differ from
/// it by whole hours the last before it was finished is meant, unless it began so long before that no zone explains it.
fn dump_began(backup: &Backup) -> Timestamp {
    let finished = backup.finished;
    match (backup.took, backup.started) {
        (Some(took), _) => finished.before(took),
        (None, Some(started)) if backup.moment() == finished => {
            let took = (finished.0 - started.0).rem_euclid(HOUR);
            finished.before(Duration::from_millis(took as u64))
        }
        (None, _) => backup.moment(),
    }
}

/// How a repository stands to what the server says is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The position up to which it can be restored.
    pub(super) end: u64,
    /// Whether it had all that the server said, which then reaches further.
    pub(super) is_in_step: bool,
    /// When WAL came up to there, where that is known.
    pub(super) arrived: Option<Timestamp>,
    /// By how many segments it is behind what the server said had been archived when it was looked at.
    pub(super) behind: Option<u64>,
}

impl Standing {
    /// Of what is held, with what the server said was archived when the look began and says now. A repository that has
    /// all that was said is trusted to get what follows; one that lacks any of it is known to have no more than it
    /// showed.
    pub(super) fn of(
        held: Held,
        then: Option<u64>,
        now: Option<u64>,
        segment_bytes: u64,
    ) -> Standing {
        let alone = Standing {
            end: held.unbroken_end,
            is_in_step: false,
            arrived: held.arrived,
            behind: then.map(|then| then.saturating_sub(held.newest_end).div_ceil(segment_bytes)),
        };
        match now {
            Some(now)
                if now > held.unbroken_end && then.is_none_or(|then| held.unbroken_end >= then) =>
            {
                Standing {
                    end: now,
                    is_in_step: true,
                    arrived: None,
                    ..alone
                }
            }
            _ => alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::WalFile;

    const W: u64 = 16 << 20;

    fn wal(numbers: &[u64]) -> Wal {
        let file = |number: &u64| WalFile {
            name: WalName::Segment(
                Segment {
                    timeline: 1,
                    number: *number,
                }
                .name(W),
            ),
            bytes: W,
            modified: Timestamp(*number as i64),
            is_packed: false,
        };
        Wal {
            files: numbers.iter().map(file).collect(),
            histories: Vec::new(),
        }
    }

    fn sighting(numbers: &[u64], bases: &[(i64, u64)]) -> Sighting {
        let base = |(finished, number): &(i64, u64)| {
            let segment = Segment {
                timeline: 1,
                number: *number,
            };
            Backup {
                wal: Some((segment, segment)),
                ..Backup::listed("base", Kind::Full, Timestamp(*finished))
            }
        };
        Sighting {
            backups: bases.iter().map(base).collect(),
            wal: Some(wal(numbers)),
            ..Sighting::default()
        }
    }

    #[test]
    fn what_is_held_ends_at_the_first_gap_after_the_newest_base() {
        let cases: [(&[u64], &[(i64, u64)], Option<(u64, u64)>); 6] = [
            (&[], &[], None),
            (&[5, 3, 4], &[], Some((6, 6))),
            (&[3, 4, 6, 7], &[], Some((5, 8))),
            (&[3, 4, 6, 7], &[(1, 3), (2, 6)], Some((8, 8))),
            (&[3, 4, 6, 7], &[(1, 4)], Some((5, 8))),
            // The segment in which the base began is missing.
            (&[3, 4], &[(1, 5)], None),
        ];
        for (numbers, bases, expected) in cases {
            let held = Held::of(&sighting(numbers, bases), W);
            let ends = held.map(|held| (held.unbroken_end / W, held.newest_end / W));
            assert_eq!(ends, expected, "{numbers:?} {bases:?}");
        }
        assert_eq!(Held::of(&Sighting::default(), W), None);
    }

    #[test]
    fn a_repository_is_held_against_what_was_said_when_it_was_looked_at() {
        let held = Held {
            unbroken_end: 10 * W,
            arrived: Some(Timestamp(1)),
            newest_end: 12 * W,
        };
        let cases = [
            // In step: the server has gone on since.
            (Some(10), Some(13), (13, Some(0))),
            // Nothing to compare with yet.
            (None, Some(13), (13, None)),
            // A gap.
            (Some(12), Some(13), (10, Some(0))),
            // Swallowed.
            (Some(15), Some(15), (10, Some(3))),
            // WAL is received some other way, and further.
            (Some(9), Some(9), (10, Some(0))),
            (None, None, (10, None)),
        ];
        for (then, now, expected) in cases {
            let bytes = |number: Option<u64>| number.map(|number| number * W);
            let standing = Standing::of(held, bytes(then), bytes(now), W);
            assert_eq!(
                (standing.end / W, standing.behind),
                expected,
                "{then:?} {now:?}"
            );
        }
    }

    #[test]
    fn a_dump_holds_the_moment_it_began() {
        let minute = 60_000;
        let dump = |started: Option<i64>, took: Option<u64>| {
            let backup = Backup {
                started: started.map(|at| Timestamp(at * minute)),
                took: took.map(|minutes| Duration::from_secs(minutes * 60)),
                ..Backup::listed("x", Kind::Dump, Timestamp(100_000 * minute))
            };
            let sighting = Sighting {
                backups: vec![backup],
                ..Sighting::default()
            };
            newest_backup(&sighting).unwrap().0 / minute - 100_000
        };
        let cases = [
            ((None, None), 0),
            ((Some(100_000 - 20), None), -20),
            // Nine hours ahead, and eight behind.
            ((Some(100_000 - 20 + 540), None), -20),
            ((Some(100_000 - 20 - 480), None), -20),
            // An old one that was copied.
            ((Some(100_000 - 3000), None), -3000),
            ((Some(100_000 - 20), Some(90)), -90),
        ];
        for ((started, took), expected) in cases {
            assert_eq!(dump(started, took), expected, "{started:?} {took:?}");
        }
    }
}
