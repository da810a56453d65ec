//! What a source of backups holds of a server's WAL, and what could be restored from it.

use std::time::Duration;

use crate::backup::{Backup, Chain, Kind, Sighting};
use crate::sample::Timestamp;

/// The WAL that a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// The position up to which nothing is missing from the newest base backup on; `None` when not even the segment is
    /// there in which it began.
    pub(super) unbroken_end: Option<u64>,
    /// When the last segment before that came, where that is known.
    pub(super) arrived: Option<Timestamp>,
    /// The end of the newest segment.
    pub(super) newest_end: u64,
}

impl Held {
    /// What an archive adds up to. One that is still empty should hold what was archived since `begun`; nothing is known
    /// of it before the server was read.
    pub(super) fn of(chain: &Chain, begun: Option<u64>) -> Option<Held> {
        let newest_end = chain
            .newest
            .map(|newest| newest.end(chain.segment_bytes))
            .or(begun.max(chain.unbroken_end))?;
        let is_to_the_end = chain.unbroken_end == Some(newest_end);
        Some(Held {
            unbroken_end: chain.unbroken_end,
            arrived: chain.last_arrival.filter(|_| is_to_the_end),
            newest_end,
        })
    }
}

fn usable(sighting: &Sighting, is_meant: fn(Kind) -> bool) -> impl Iterator<Item = &Backup> {
    let meant =
        move |backup: &&Backup| is_meant(backup.kind) && backup.state.counted().label() == "done";
    sighting.backups.iter().filter(meant)
}

/// Whether a source has a base backup from which WAL could lead on.
pub(in crate::backup) fn has_base(sighting: &Sighting) -> bool {
    usable(sighting, Kind::is_physical).next().is_some()
}

/// The newest moment that the backups of a source could be restored to without WAL.
pub(in crate::backup) fn newest_backup(sighting: &Sighting) -> Option<Timestamp> {
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
    /// The position up to which it can be restored, where WAL leads on from a base backup.
    pub(super) end: Option<u64>,
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
        match (held.unbroken_end, now) {
            (Some(end), Some(now)) if now > end && then.is_none_or(|then| end >= then) => {
                Standing {
                    end: Some(now),
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

    const W: u64 = 16 << 20;

    #[test]
    fn a_repository_is_held_against_what_was_said_when_it_was_looked_at() {
        let held = Held {
            unbroken_end: Some(10 * W),
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
                (standing.end, standing.behind),
                (Some(expected.0 * W), expected.1),
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
