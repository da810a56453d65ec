//! The way of replay through an archive: how far it leads, and what would come next. A pure function of what is held.

use super::Segment;
use super::chain::lineage;
use super::held::Held;

/// How far one can go on in an archive from a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backup) struct Way {
    /// The last segment on the way; nothing when not even the first is there.
    pub(in crate::backup) last: Option<Segment>,
    /// The first that is not there.
    pub(in crate::backup) next: Segment,
    /// The first that is there after it, which makes it a gap.
    pub(in crate::backup) later: Option<Segment>,
}

impl Way {
    /// From a segment on, through every switch of timeline to the newest.
    pub(in crate::backup) fn of(held: &Held, from: Segment) -> Way {
        let (mut here, mut last) = (from, None);
        for history in lineage(held, from.timeline) {
            let switch = history.switch / held.segment_bytes;
            // A backup taken after the branch, on what others have left behind.
            if switch < here.number && here.timeline == from.timeline {
                break;
            }
            let begun = Segment {
                timeline: history.timeline,
                number: switch,
            };
            // The segment of the switch itself is replayed from the child, which begins with a copy of it.
            if let Some(end) = switch.checked_sub(1).filter(|end| *end >= here.number) {
                let end = Segment {
                    number: end,
                    ..here
                };
                if let Some(next) = held.lacks(here, end) {
                    let later = held.after(next).or(held.from(begun));
                    return Way {
                        last: before(here, next).or(last),
                        next,
                        later,
                    };
                }
                last = Some(end);
            }
            here = begun;
        }
        let number = held.run(here).map_or(here.number, |run| run.end() + 1);
        let next = Segment { number, ..here };
        Way {
            last: before(here, next).or(last),
            next,
            later: held.after(next),
        }
    }
}

fn before(here: Segment, next: Segment) -> Option<Segment> {
    let number = next.number.checked_sub(1)?;
    (number >= here.number).then_some(Segment { number, ..next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::wal::{History, Wal, WalFile, WalName};
    use crate::sample::Timestamp;

    const BYTES: u64 = 16 << 20;

    fn segment(timeline: u32, number: u64) -> Segment {
        Segment { timeline, number }
    }

    fn held(segments: &[(u32, u64)]) -> Held {
        let file = |(timeline, number): &(u32, u64)| WalFile {
            name: WalName::Segment(segment(*timeline, *number).name(BYTES)),
            bytes: BYTES,
            modified: Timestamp(*number as i64),
            is_packed: false,
        };
        // The second timeline left the first in segment 5.
        let branch = History {
            timeline: 2,
            parent: 1,
            switch: 5 * BYTES + 100,
        };
        let wal = Wal {
            files: segments.iter().map(file).collect(),
            histories: vec![branch],
        };
        Held::of(&wal, BYTES)
    }

    #[test]
    fn replay_goes_on_until_a_segment_is_missing() {
        type Case<'c> = (
            &'c [(u32, u64)],
            Option<(u32, u64)>,
            (u32, u64),
            Option<(u32, u64)>,
        );
        let cases: [Case; 8] = [
            (&[(1, 2), (1, 3)], Some((1, 3)), (1, 4), None),
            (&[(1, 3)], None, (1, 2), Some((1, 3))),
            (&[], None, (1, 2), None),
            (&[(1, 2), (1, 4)], Some((1, 2)), (1, 3), Some((1, 4))),
            // Over the switch.
            (
                &[(1, 2), (1, 3), (1, 4), (1, 5), (2, 5), (2, 6)],
                Some((2, 6)),
                (2, 7),
                None,
            ),
            (
                &[(1, 2), (1, 3), (2, 5)],
                Some((1, 3)),
                (1, 4),
                Some((2, 5)),
            ),
            (
                &[(1, 2), (1, 3), (1, 4), (2, 6)],
                Some((1, 4)),
                (2, 5),
                Some((2, 6)),
            ),
            (&[(2, 7)], None, (1, 2), Some((2, 7))),
        ];
        for (segments, last, next, later) in cases {
            let as_segment = |(timeline, number)| segment(timeline, number);
            let expected = Way {
                last: last.map(as_segment),
                next: as_segment(next),
                later: later.map(as_segment),
            };
            let way = Way::of(&held(segments), segment(1, 2));
            assert_eq!(way, expected, "{segments:?}");
        }
        let after = Way::of(&held(&[(1, 6), (2, 5), (2, 6)]), segment(1, 6));
        assert_eq!((after.next, after.later), (segment(1, 7), None));
    }

    #[test]
    fn a_segment_arrived_no_later_than_those_after_it() {
        let many: Vec<(u32, u64)> = (0..10_000).map(|number| (1, number)).collect();
        let held_many = held(&many);
        for number in [0, 1, 4999, 9999] {
            let arrived = held_many.arrived(segment(1, number)).unwrap();
            assert!((number as i64..number as i64 + 3).contains(&arrived.0));
        }
        let gap = held(&[(1, 2), (1, 4), (2, 5)]);
        let arrived = |number| gap.arrived(segment(1, number)).map(|at| at.0);
        assert_eq!([2, 3, 4, 5].map(arrived), [Some(2), Some(4), Some(4), None]);
    }
}
