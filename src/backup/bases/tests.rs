use super::*;
use crate::backup::archive::Shown;
use crate::backup::wal::{Wal, WalFile, WalName};
use crate::backup::{Backup, Facts, Kind, Sighting, Verdict};
use crate::document::{Reader, parse};

const W: u64 = 1 << 20;

fn segment(number: u64) -> Segment {
    Segment {
        timeline: 1,
        number,
    }
}

fn archive(numbers: &[u64]) -> Archive {
    let files = numbers.iter().map(|number| WalFile {
        name: WalName::Segment(segment(*number).name(W)),
        bytes: W,
        modified: Timestamp(0),
        is_packed: false,
    });
    let wal = Wal {
        files: files.collect(),
        ..Wal::default()
    };
    Archive::of(Shown::told(wal), Some(W))
}

/// One that begins and ends in a segment.
fn base(number: u64, is_inside: bool, has_archive: bool) -> Base {
    Base {
        needed: Needed {
            timeline: 1,
            start: number * W + 40,
            end: number * W + 300,
        },
        is_inside,
        has_archive,
        opens: Timestamp(number as i64),
    }
}

#[test]
fn an_archive_is_judged_from_the_oldest_base_backup_that_rests_on_it() {
    // Whose WAL lies elsewhere, the segments held, those missing, and how far one gets.
    type Case<'c> = (&'c [Base], &'c [u64], u64, Option<u64>);
    let cases: [Case; 8] = [
        // Nobody else: from the oldest segment.
        (&[], &[2, 4, 5], 1, Some(3)),
        // What is missing before it does not matter.
        (&[base(4, true, false)], &[2, 4, 5], 0, Some(6)),
        (&[base(4, false, false)], &[2, 4, 5], 0, Some(6)),
        // What is missing after it does, and so does what was cleared away under it.
        (&[base(1, true, false)], &[2, 4, 5], 2, None),
        (
            &[base(2, true, false), base(5, true, false)],
            &[2, 4, 5, 6],
            1,
            Some(7),
        ),
        // One with an archive of its own asks for nothing that never was here…
        (&[base(1, true, true)], &[2, 3, 5], 1, Some(4)),
        // …and what lies before it does not matter either.
        (&[base(4, true, true)], &[2, 4, 5], 0, Some(6)),
        (
            &[base(4, false, true), base(5, true, false)],
            &[4, 5],
            0,
            Some(6),
        ),
    ];
    for (bases, held, missing, end) in cases {
        let archive = archive(held);
        let lent = Lent {
            bases: bases.to_vec(),
            is_awaited: false,
        };
        let archives = [Some(archive.clone()), Some(archive)];
        let (chain, led) = chain(&mut [], &archives, &lent);
        let chain = chain.unwrap();
        assert_eq!(led, bases);
        let inside = bases.iter().filter(|base| base.is_inside);
        let least = inside.map(|base| base.needed.end).max();
        let end = end.map(|end| end * W).or(least);
        assert_eq!(
            (chain.missing_segments(), chain.unbroken_end),
            (missing, end),
            "{bases:?} {held:?}"
        );
    }
}

fn record(name: &str, server: &str, kind: Kind, state: State) -> Record {
    let text = format!("backups: [{{name: {name}, server: {server}, files: /b}}]");
    let settings = Reader::new(None)
        .read(&parse("x.yml", &text).unwrap(), Settings::read)
        .remove(0);
    let backup = Backup {
        state,
        ..Backup::listed("a", kind, Timestamp(9))
    };
    let mut verdict = Verdict::listed("base backup");
    (verdict.wal, verdict.has_wal) = (Some(base(4, true, false).needed), true);
    let bases = of(&[(backup.clone(), Some(&verdict))], None);
    let sighting = Sighting {
        backups: vec![backup],
        ..Sighting::default()
    };
    let facts = Facts {
        sighting: Some(sighting),
        bases,
        ..Facts::default()
    };
    Record { settings, facts }
}

#[test]
fn good_base_backups_of_the_same_server_count() {
    let own = record("own", "s", Kind::Full, State::Done);
    let mut foreign = record("foreign", "s", Kind::Full, State::Done);
    foreign.facts.foreign = Some(true);
    // What it has from others is not its own.
    let mut lent = record("lent", "s", Kind::Dump, State::Done);
    lent.facts.bases = own.facts.bases.clone();
    let none = [
        own.clone(),
        record("elsewhere", "t", Kind::Full, State::Done),
        record("dumps", "s", Kind::Dump, State::Done),
        record("bad", "s", Kind::Full, State::Damaged),
        record("unread", "s", Kind::Full, State::Unread),
        foreign,
        lent,
    ];
    let nothing = of_others(&own.settings, none.iter());
    assert_eq!((nothing.bases, nothing.is_awaited), (Vec::new(), true));
    let other = record("other", "s", Kind::Incremental, State::Done);
    let expected = Base {
        opens: Timestamp(9),
        ..base(4, true, false)
    };
    let lent = of_others(&own.settings, [&own, &other].into_iter());
    assert_eq!((lent.bases, lent.is_awaited), (vec![expected], false));
}

#[test]
fn nothing_is_missing_before_a_base_backup_was_read() {
    let archive = archive(&[2, 4, 5]);
    let archives = [Some(archive.clone()), Some(archive)];
    let missing = |read: &mut [Read], is_awaited| {
        let lent = Lent {
            bases: Vec::new(),
            is_awaited,
        };
        chain(read, &archives, &lent).0.unwrap().missing_segments()
    };
    assert_eq!([missing(&mut [], true), missing(&mut [], false)], [0, 1]);
    let unread = Backup {
        state: State::Unread,
        ..Backup::listed("a", Kind::Full, Timestamp(9))
    };
    let bad = Backup {
        state: State::Damaged,
        ..unread.clone()
    };
    assert_eq!(missing(&mut [(unread, None)], false), 0);
    assert_eq!(missing(&mut [(bad, None)], true), 1);
}

#[test]
fn what_a_tool_keeps_has_its_wal() {
    let backup = Backup {
        state: State::Done,
        wal: Some((segment(3), segment(4))),
        ..Backup::listed("a", Kind::Full, Timestamp(9))
    };
    let read = [(backup, None)];
    let told = of(&read, Some(&archive(&[3])));
    assert_eq!(told.len(), 1);
    let needed = told[0].needed;
    assert_eq!((needed.start, needed.end), (3 * W, 5 * W));
    assert!(told[0].has_archive && !told[0].is_inside);
    assert!(of(&read, None)[0].has_archive);
}
