//! What the WAL archive of a source shows of a drill before anything is restored: whether it leads from the backup to the
//! moment that is asked for. Takes listings; hands on why it does not.

use std::time::Duration;

use super::failure::Failure;
use super::way_out::{self, lack, when};
use crate::backup::archive::{Archive, Need, Shown, Texts};
use crate::backup::settings::Place;
use crate::backup::wal::{Segment, Way};
use crate::backup::{Ended, Settings as Source, Verdict, files};
use crate::sample::Timestamp;

/// The clocks of the server and of its archive may differ by so much, and segments come so much out of order.
const SLACK: Duration = Duration::from_secs(60);

/// The archive in places that can be listed; nothing where there is none.
pub(super) fn listed(source: &Source) -> Result<Option<Archive>, Failure> {
    let mut shown = Shown::default();
    if let Some(apart) = &source.wal {
        let listed = files::list_wal(apart.shelf().as_ref(), "*", &Texts::default());
        let listed =
            listed.map_err(|obstacle| Failure::Impossible(format!("`wal`: {obstacle}")))?;
        shown.add(listed);
    }
    if let Place::Files(files) = &source.place {
        let listed = files::list_wal(files.shelf().as_ref(), "*", &Texts::default());
        shown.add(listed.map_err(|obstacle| Failure::Impossible(obstacle.to_string()))?);
    }
    let is_there = source.wal.is_some() || !shown.wal.files.is_empty();
    Ok(is_there.then(|| Archive::of(shown, None)))
}

/// The WAL that a base backup needs, as reading it showed.
pub(super) fn need(verdict: &Verdict, segment_bytes: u64) -> Option<Need> {
    let told = verdict.wal?;
    Some(Need {
        first: Segment::at(told.timeline, told.start, segment_bytes),
        last: Segment::at(told.timeline, told.end.saturating_sub(1), segment_bytes),
        end: Some(told.end),
        is_inside: verdict.has_wal,
    })
}

/// A backup, and how far replay is to go on from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journey {
    pub(super) need: Need,
    pub(super) ended: Ended,
    /// The moment that is asked for; the end of WAL without.
    pub(super) target: Option<Timestamp>,
}

/// Whether the archive leads there, as far as the times of its files tell: what is in a segment had ended when it came.
pub(super) fn judge(archive: &Archive, journey: &Journey, now: Timestamp) -> Result<(), Failure> {
    let Journey {
        need,
        ended,
        target,
    } = *journey;
    let held = &archive.held;
    let way = Way::of(held, need.begin());
    let name = way.next.name(held.segment_bytes);
    if let Some(target) = target.filter(|target| *target < ended.earliest) {
        return Err(Failure::Impossible(format!(
            "the backup ended at {}, after {}, which is asked for; choose an older backup, or ask for a later moment",
            when(ended.earliest),
            when(target)
        )));
    }
    let is_consistent = need.is_inside
        || way.next.timeline != need.last.timeline
        || way.next.number > need.last.number;
    let reached = way.last.and_then(|last| held.arrived(last));
    let reached = reached.map_or(ended.latest, |reached| reached.max(ended.earliest));
    let is_far = target.is_some_and(|target| target > reached + SLACK);
    let later = way.later.and_then(|later| held.arrived(later));
    let offer = || way_out::listed(held, way.last?, ended);
    // One that comes after its successor is no gap.
    let is_due = |since: Timestamp| now.since(since) > SLACK;
    match later {
        _ if !is_consistent && is_due(later.unwrap_or(ended.latest)) => {
            let lack = lack(held, way.next);
            Err(Failure::Bad(way_out::inconsistent(&name, &lack)))
        }
        Some(later) if is_due(later) && (target.is_none() || is_far) => {
            let lack = lack(held, way.next);
            Err(Failure::Bad(way_out::gap(&name, &lack, target, offer())))
        }
        None if is_far => Err(Failure::Impossible(way_out::beyond(&name, target, offer()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::wal::{Wal, WalFile, WalName};

    const BYTES: u64 = 16 << 20;
    const MINUTE: i64 = 60_000;

    fn segment(number: u64) -> Segment {
        Segment {
            timeline: 1,
            number,
        }
    }

    /// An archive of segments, each of which came so many minutes after the beginning as its number says.
    fn archive(numbers: &[u64]) -> Archive {
        let file = |number: &u64| WalFile {
            name: WalName::Segment(segment(*number).name(BYTES)),
            bytes: BYTES,
            modified: Timestamp(*number as i64 * MINUTE),
            is_packed: false,
        };
        let wal = Wal {
            files: numbers.iter().map(file).collect(),
            ..Wal::default()
        };
        Archive::of(Shown::told(wal), Some(BYTES))
    }

    #[test]
    fn what_cannot_be_reached_is_known_before() {
        const FINE: &str = "";
        const GAP: &str = "Bad 6";
        let cases: [(&[u64], Option<i64>, &str); 14] = [
            (&[2, 3, 4, 5], None, FINE),
            (&[2, 3, 4, 5], Some(5), FINE),
            // The clock of the archive may be behind.
            (&[2, 3, 4, 5], Some(6), FINE),
            (&[2, 3, 4, 5], Some(7), "Impossible 6"),
            (&[2, 3, 4, 5, 7], None, GAP),
            (&[2, 3, 4, 5, 7], Some(5), FINE),
            (&[2, 3, 4, 5, 7], Some(7), GAP),
            // It may be on its way, behind its successor.
            (&[2, 3, 4, 5, 100], Some(99), FINE),
            (&[2, 3, 4, 5, 100], None, FINE),
            // The backup began in the second and ended in the third.
            (&[3, 4, 5], Some(5), "Bad 2"),
            (&[2, 4, 5], None, "Bad 3"),
            (&[], Some(5), "Bad 2"),
            (&[], None, "Bad 2"),
            (&[2, 3], Some(1), "Impossible ended"),
        ];
        for (numbers, target, expected) in cases {
            let journey = Journey {
                need: Need {
                    first: segment(2),
                    last: segment(3),
                    end: None,
                    is_inside: false,
                },
                ended: Ended {
                    earliest: Timestamp(3 * MINUTE),
                    latest: Timestamp(3 * MINUTE),
                },
                target: target.map(|minute| Timestamp(minute * MINUTE)),
            };
            let now = Timestamp(100 * MINUTE);
            let said = judge(&archive(numbers), &journey, now);
            let (kind, words) = match &said {
                Ok(()) => ("", String::new()),
                Err(Failure::Bad(words)) => ("Bad", words.clone()),
                Err(Failure::Impossible(words)) => ("Impossible", words.clone()),
                Err(Failure::Stopped) => ("Stopped", String::new()),
            };
            let Some((expected_kind, what)) = expected.split_once(' ') else {
                assert_eq!(said, Ok(()), "{numbers:?} {target:?}");
                continue;
            };
            let name = what.parse().map(|number| segment(number).name(BYTES));
            let what = name.unwrap_or_else(|_| what.into());
            assert!(
                kind == expected_kind && words.contains(&what),
                "{numbers:?} {target:?}: {said:?}"
            );
        }
    }

    #[test]
    fn what_is_inside_a_backup_need_not_be_in_the_archive() {
        let journey = |target| Journey {
            need: Need {
                first: segment(2),
                last: segment(3),
                end: None,
                is_inside: true,
            },
            ended: Ended {
                earliest: Timestamp(3 * MINUTE),
                latest: Timestamp(3 * MINUTE),
            },
            target,
        };
        let now = Timestamp(100 * MINUTE);
        let of = |numbers: &[u64], target| judge(&archive(numbers), &journey(target), now);
        assert_eq!(of(&[3, 4], None), Ok(()));
        assert_eq!(of(&[], None), Ok(()));
        let late = of(&[1], Some(Timestamp(50 * MINUTE)));
        let words = match late {
            Err(Failure::Impossible(words)) => words,
            other => panic!("{other:?}"),
        };
        assert!(
            words.contains("it leads hardly past the backup itself")
                && words.contains("000000010000000000000003"),
            "{words}"
        );
    }
}
