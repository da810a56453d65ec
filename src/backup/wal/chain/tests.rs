use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use proptest::prelude::*;

use super::super::{Wal, WalFile, WalName, segment_bytes};
use super::*;

const MIB16: u64 = 16 << 20;

fn file(name: &str, bytes: u64) -> WalFile {
    let (name, is_packed) = WalName::parse(name).unwrap();
    WalFile {
        name,
        bytes,
        modified: Timestamp(bytes as i64),
        is_packed,
    }
}

fn segment(timeline: u32, number: u64) -> Segment {
    Segment { timeline, number }
}

fn archive(segments: &[Segment], partial: Option<Segment>, histories: &[History]) -> Held {
    let whole = segments
        .iter()
        .map(|segment| file(&segment.name(MIB16), MIB16));
    let partial = partial.map(|segment| file(&format!("{}.partial", segment.name(MIB16)), MIB16));
    let wal = Wal {
        files: whole.chain(partial).collect(),
        histories: histories.to_vec(),
    };
    Held::of(&wal, MIB16)
}

fn branch(timeline: u32, parent: u32, switch: u64) -> History {
    History {
        timeline,
        parent,
        switch,
    }
}

/// `1:3-5 2:7-7`, for a table.
fn words(gaps: &[Gap]) -> String {
    let each = gaps.iter().map(|gap| {
        let (first, last) = (gap.numbers.start(), gap.numbers.end());
        format!("{}:{first}-{last}", gap.timeline)
    });
    each.collect::<Vec<_>>().join(" ")
}

#[test]
fn gaps_are_told_from_what_is_not_needed() {
    let on = |timeline, numbers: &[u64]| -> Vec<Segment> {
        numbers
            .iter()
            .map(|number| segment(timeline, *number))
            .collect()
    };
    let inside = |number: u64| number * MIB16 + 96;
    // What is there, the partial, where the second timeline branched off, what is needed; then gaps and reach.
    type Case = (
        Vec<Segment>,
        Option<u64>,
        Option<u64>,
        Option<Segment>,
        &'static str,
        Option<u64>,
    );
    let first = Some(segment(1, 3));
    let cases: [Case; 14] = [
        (vec![], None, None, None, "", None),
        (vec![], None, None, first, "", None),
        (on(1, &[3, 4, 5]), None, None, None, "", Some(6 * MIB16)),
        (on(1, &[1, 3, 4, 5]), None, None, first, "", Some(6 * MIB16)),
        (on(1, &[3, 5]), None, None, first, "1:4-4", Some(4 * MIB16)),
        (on(1, &[5, 6, 9]), None, None, first, "1:3-4 1:7-8", None),
        // The backup is newer than all there is: its segment has not been filled yet.
        (on(1, &[1, 2]), None, None, first, "", None),
        // A promotion: the parent's last segment is there in part, or in the child alone.
        (
            [on(1, &[3, 4]), on(2, &[5, 6])].concat(),
            Some(5),
            Some(inside(5)),
            first,
            "",
            Some(7 * MIB16),
        ),
        (
            [on(1, &[3, 4]), on(2, &[5, 6])].concat(),
            None,
            Some(inside(5)),
            first,
            "",
            Some(7 * MIB16),
        ),
        (
            [on(1, &[3]), on(2, &[5, 6])].concat(),
            Some(5),
            Some(inside(5)),
            first,
            "1:4-4",
            Some(4 * MIB16),
        ),
        (
            [on(1, &[3, 4]), on(2, &[6])].concat(),
            Some(5),
            Some(inside(5)),
            first,
            "2:5-5",
            Some(inside(5)),
        ),
        // The parent went on.
        (
            [on(1, &[3, 4, 5, 6, 8]), on(2, &[5])].concat(),
            None,
            Some(inside(5)),
            first,
            "1:7-7",
            Some(6 * MIB16),
        ),
        // A backup of the child needs nothing of its parent.
        (
            [on(1, &[1]), on(2, &[5, 6])].concat(),
            None,
            Some(inside(3)),
            Some(segment(2, 5)),
            "",
            Some(7 * MIB16),
        ),
        // Everything of the parent is gone.
        (on(2, &[5]), None, Some(inside(5)), first, "1:3-4", None),
    ];
    for (place, (there, partial, switch, needed, expected, reached)) in cases.iter().enumerate() {
        let histories: Vec<History> = switch.iter().map(|at| branch(2, 1, *at)).collect();
        let held = archive(there, partial.map(|number| segment(1, number)), &histories);
        assert_eq!(words(&gaps(&held, *needed)), *expected, "case {place}");
        let from = needed.or(there.first().copied());
        assert_eq!(
            from.and_then(|from| reach(&held, from)),
            *reached,
            "case {place}"
        );
    }
}

#[test]
fn sizes_are_told_from_the_files() {
    let mib64 = 64 << 20;
    let name = |number| segment(1, number).name(mib64);
    let files: Vec<WalFile> = (60..70).map(|number| file(&name(number), mib64)).collect();
    assert_eq!(segment_bytes(None, &files), mib64);
    assert_eq!(segment_bytes(Some(MIB16), &files), MIB16);
    assert_eq!(segment_bytes(Some(5), &[]), MIB16);
    let packed = [file("000000010000000000000001.gz", 1 << 20)];
    assert_eq!(segment_bytes(None, &packed), MIB16);
    let wal = Wal {
        files,
        histories: vec![],
    };
    assert_eq!(gaps(&Held::of(&wal, mib64), None), []);
}

#[test]
fn a_short_segment_is_no_segment() {
    let names = [3, 4, 5].map(|number| segment(1, number).name(MIB16));
    let mut files: Vec<WalFile> = names.iter().map(|name| file(name, MIB16)).collect();
    files[1].bytes = 5_000_000;
    let of = |files: &[WalFile]| {
        Held::of(
            &Wal {
                files: files.into(),
                histories: vec![],
            },
            MIB16,
        )
    };
    assert_eq!(of(&files).short, [(segment(1, 4), 5_000_000)].into());
    assert_eq!(words(&gaps(&of(&files), None)), "1:4-4");
    files.push(file(&format!("{}.gz", names[1]), 70_000));
    assert_eq!(
        (of(&files).short, gaps(&of(&files), None)),
        (BTreeMap::new(), vec![])
    );
}

/// An archive as the fixtures hold it: a name, a size and a time.
fn fixture(name: &str) -> Option<Vec<(String, u64)>> {
    let folder = std::env::var_os("BACKUP_FIXTURES")?;
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    let Ok(serde_json::Value::Object(entries)) = serde_json::from_str(&text) else {
        let lines = text.lines().map(|line| {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap().to_owned();
            (name, fields.next().unwrap().parse().unwrap())
        });
        return Some(lines.collect());
    };
    let files = entries.iter().filter(|(_, entry)| entry["type"] == "file");
    let named = files.map(|(path, entry)| {
        let name = path.rsplit('/').next().unwrap().to_owned();
        (name, entry["size"].as_u64().unwrap())
    });
    Some(named.collect())
}

fn held(files: &[(String, u64)], histories: &[History]) -> Held {
    let files = files
        .iter()
        .filter(|(name, _)| WalName::parse(name).is_some());
    let files = files.map(|(name, bytes)| file(name, *bytes)).collect();
    Held::of(
        &Wal {
            files,
            histories: histories.to_vec(),
        },
        MIB16,
    )
}

#[test]
fn real_archives_are_judged_as_the_oracle_judges_them() {
    let Some(switched) = fixture("wal/wal-archive-timeline-switch.tsv") else {
        return;
    };
    let histories = [branch(2, 1, 0x8700_0060)];
    let first = segment(1, 0x83);
    let from = Some(first);
    let whole = held(&switched, &histories);
    assert_eq!(words(&gaps(&whole, from)), "");
    let newest = whole.newest().unwrap();
    assert_eq!(newest.timeline, 2);
    assert_eq!(reach(&whole, first), Some(newest.end(MIB16)));
    let without: Vec<_> = switched
        .iter()
        .filter(|(name, _)| !name.contains("000085"))
        .cloned()
        .collect();
    assert_eq!(words(&gaps(&held(&without, &histories), from)), "1:133-133");
    for (name, expected) in [("archive", ""), ("archive-gap", "1:27-27")] {
        let files = fixture(&format!("pgbackrest/v2.45-repo-ls-{name}.json")).unwrap();
        let seen = gaps(&held(&files, &[]), Some(segment(1, 0x1a)));
        assert_eq!(words(&seen), expected, "{name}");
    }
}

#[test]
fn only_what_is_missing_twice_is_missing() {
    let gap = |timeline, numbers| Gap { timeline, numbers };
    let before = [gap(1, 3..=6), gap(1, 9..=9), gap(2, 1..=1)];
    let now = [gap(1, 5..=9), gap(2, 2..=2)];
    assert_eq!(words(&in_both(&before, &now)), "1:5-6 1:9-9");
    assert_eq!(in_both(&[], &now), []);
}

proptest! {
    /// Whatever is taken away of two timelines is told, and nothing else.
    #[test]
    fn every_gap_is_told_and_no_other(
        length in 2..60u64,
        switch in 1..60u64,
        taken in proptest::collection::vec((1..=2u32, 0..120u64), 0..12),
        needed in 0..60u64,
    ) {
        let (start, needed) = (0x1_0000_00f0, 0x1_0000_00f0 + needed);
        let switch = start + switch;
        let parents: BTreeSet<u64> = (start..switch).collect();
        let children: BTreeSet<u64> = (switch..switch + length).collect();
        let mut there: BTreeSet<Segment> = parents.iter().map(|number| segment(1, *number)).collect();
        there.extend(children.iter().map(|number| segment(2, *number)));
        for (timeline, number) in taken {
            // The newest segment is what says how much there should be.
            let gone = segment(timeline, start + number);
            if gone != segment(2, switch + length - 1) {
                there.remove(&gone);
            }
        }
        let all: Vec<Segment> = there.iter().copied().collect();
        let held = archive(&all, None, &[branch(2, 1, switch * MIB16 + 4096)]);
        let seen: BTreeSet<Segment> = gaps(&held, Some(segment(1, needed)))
            .into_iter()
            .flat_map(|gap| gap.numbers.clone().map(move |number| segment(gap.timeline, number)))
            .collect();
        let expected: BTreeSet<Segment> = (needed..switch).map(|number| segment(1, number))
            .chain((switch..switch + length).map(|number| segment(2, number)))
            .filter(|segment| !there.contains(segment))
            .collect();
        prop_assert_eq!(&seen, &expected);
        // Nothing that was reached is missing, and nothing missing was reached.
        if needed < switch {
            let reached = reach(&held, segment(1, needed)).unwrap_or(needed * MIB16);
            let broken = expected.iter().map(|segment| segment.number).min();
            let end = broken.unwrap_or(switch + length) * MIB16;
            prop_assert!(reached == end || broken == Some(switch) && reached == end + 4096, "{} {}", reached, end);
        }
    }
}

#[test]
fn two_hundred_thousand_segments_are_quick_and_small() {
    let files: Vec<WalFile> = (0..200_000)
        .filter(|number| number % 50_000 != 7)
        .map(|number| file(&segment(1, number).name(MIB16), MIB16))
        .collect();
    let wal = Wal {
        files,
        histories: vec![],
    };
    let began = Instant::now();
    let held = Held::of(&wal, segment_bytes(None, &wal.files));
    let found = gaps(&held, Some(segment(1, 0)));
    assert_eq!(
        words(&found),
        "1:7-7 1:50007-50007 1:100007-100007 1:150007-150007"
    );
    assert_eq!(held.runs[&1].len(), 5);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
