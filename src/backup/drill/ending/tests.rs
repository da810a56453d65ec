//! What PostgreSQL asked for in words, why it ended out.

use super::*;
use crate::backup::drill::way_out::when;

const W: u64 = 16 << 20;

fn segment(timeline: u32, number: u64) -> Segment {
    Segment { timeline, number }
}

fn name(timeline: u32, number: u64) -> String {
    segment(timeline, number).name(W)
}

const ENDED_EARLY: Ended = Ended {
    earliest: Timestamp(0),
    latest: Timestamp(0),
};

#[test]
fn the_log_says_how_far_replay_got() {
    let said = "LOG:  redo done at 0/5000060\nLOG:  last completed transaction was at log time 2026-11-23 08:08:15.123456+00\nFATAL:  recovery ended\n";
    let moment = reached(said).map(when);
    assert_eq!(moment.as_deref(), Some("2026-11-23T08:08:15Z"));
    assert_eq!(reached("LOG:  redo is not required"), None);
}

#[test]
fn replay_that_ends_before_what_was_shown_came_upon_damage() {
    /// The timeline of the backup; the last segment shown; the last given; the newest history given; what was asked for
    /// in vain.
    type Case = (
        u32,
        (u32, u64),
        Option<(u32, u64)>,
        u32,
        Option<(u32, u64)>,
        Option<&'static str>,
    );
    let cases: [Case; 10] = [
        (1, (1, 9), Some((1, 9)), 0, Some((1, 10)), None),
        (
            1,
            (1, 9),
            Some((1, 7)),
            0,
            None,
            Some("ended in WAL segment `000000010000000000000007`"),
        ),
        // It came after the listing.
        (1, (1, 9), Some((1, 11)), 0, Some((1, 12)), None),
        // Over a switch of timeline, to its end, and not so far.
        (1, (2, 9), Some((2, 9)), 2, Some((2, 10)), None),
        (
            1,
            (2, 9),
            Some((1, 7)),
            2,
            None,
            Some("ended in WAL segment `000000010000000000000007`"),
        ),
        // A newer timeline began, of which no segment was there yet, and its parent went on.
        (1, (1, 9), Some((1, 7)), 2, Some((2, 8)), None),
        // The newest is not found, for the history of one before is not there.
        (1, (3, 9), Some((1, 7)), 0, Some((1, 8)), None),
        // A backup of a later timeline, whose history is not asked for or not there.
        (
            2,
            (2, 9),
            Some((2, 7)),
            0,
            None,
            Some("ended in WAL segment `000000020000000000000007`"),
        ),
        // A tool that lists it does not bring it.
        (
            1,
            (1, 9),
            Some((1, 7)),
            0,
            Some((1, 8)),
            Some("`000000010000000000000008` is missing"),
        ),
        (1, (1, 9), None, 0, Some((1, 7)), None),
    ];
    for (begun, last, given, timeline, missing, expected) in cases {
        let of = |(timeline, number)| name(timeline, number);
        let asked = Asked {
            last: given.map(of),
            timeline,
            missing: missing.map(of).into_iter().collect(),
            ..Asked::default()
        };
        let ending = Ending {
            asked: &asked,
            shown: Some(Shown {
                begun,
                last: segment(last.0, last.1),
                segment_bytes: W,
            }),
            ended: ENDED_EARLY,
            target: None,
            said: "",
        };
        let said = match ending.trouble() {
            Some(Failure::Bad(words)) => Some(words),
            None => None,
            other => panic!("{other:?}"),
        };
        let is_so = match (&said, expected) {
            (Some(said), Some(expected)) => said.contains(expected),
            (said, expected) => said.is_none() && expected.is_none(),
        };
        assert!(is_so, "{last:?} {given:?} {timeline}: {said:?}");
        let known = Ending {
            shown: None,
            ..ending
        };
        assert_eq!(known.trouble(), None, "nothing was listed");
        let reached = Ending {
            target: Some(Timestamp(1)),
            said: "LOG:  recovery stopping before commit of transaction 7, time 1970-01-01",
            ..ending
        };
        assert_eq!(reached.trouble(), None, "it stopped where it should");
    }
}

#[test]
fn a_gap_is_told_from_the_end() {
    let (two, three, other) = (name(1, 2), name(1, 3), name(2, 3));
    let history = "00000002.history".to_owned();
    let cases = [
        (vec![&three], vec![&two], None),
        (vec![&two], vec![&three], Some(&two)),
        (vec![&two], vec![&other], None),
        (vec![&history], vec![&three], None),
        (vec![], vec![], None),
    ];
    for (missing, listed, expected) in cases {
        let owned = |names: &[&String]| names.iter().copied().cloned().collect::<Vec<_>>();
        let found = gap(&owned(&missing), &owned(&listed));
        assert_eq!(found.as_ref(), expected, "{missing:?} {listed:?}");
    }
}

#[test]
fn what_would_come_next_is_the_farthest_that_was_asked_for() {
    let (old, new, farther) = (name(1, 5), name(2, 5), name(1, 6));
    let history = "00000002.history".to_owned();
    let cases = [
        (vec![&history, &old], Some(&old)),
        (vec![&farther, &new, &old, &history], Some(&farther)),
        (vec![&new, &old], Some(&new)),
        (vec![&history], None),
    ];
    for (missing, expected) in cases {
        let missing: Vec<String> = missing.into_iter().cloned().collect();
        assert_eq!(next(&missing).as_ref(), expected, "{missing:?}");
    }
}
