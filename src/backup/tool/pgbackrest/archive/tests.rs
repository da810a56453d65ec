use super::super::super::answer::json;
use super::super::super::field::history;
use super::super::super::tests::answered;
use super::*;
use crate::backup::History;
use crate::sample::Timestamp;

#[test]
fn a_listing_shows_what_is_there_and_what_is_not() {
    let numbers = |name: &str| {
        let wal = read(&json(&answered(name)).unwrap(), None);
        let segments = wal.files.iter().filter_map(|file| match &file.name {
            WalName::Segment(name) => u32::from_str_radix(&name[16..], 16).ok(),
            _ => None,
        });
        let labels = wal
            .files
            .iter()
            .filter(|file| matches!(file.name, WalName::Label(..)));
        (segments.collect::<Vec<u32>>(), labels.count())
    };
    let whole: Vec<u32> = (0x1a..=0x27).collect();
    assert_eq!(numbers("pgbackrest/repo-ls-archive.json").0, whole);
    let gap: Vec<u32> = whole
        .iter()
        .copied()
        .filter(|number| *number != 0x1b)
        .collect();
    assert_eq!(numbers("pgbackrest/repo-ls-archive-gap.json").0, gap);
    let wal = read(
        &json(&answered("pgbackrest/repo-ls-archive.json")).unwrap(),
        None,
    );
    let first = &wal.files[0];
    assert_eq!(
        (first.bytes, first.modified, first.is_packed),
        (69398, Timestamp(1_795_418_996_000), true)
    );
}

#[test]
fn of_several_archives_one_is_meant() {
    let text = r#"{"15-1/0000000100000000/000000010000000000000001-0123456789012345678901234567890123456789.gz": {"type": "file", "size": 1, "time": 1},
        "16-2/0000000200000000/000000020000000000000002": {"type": "file", "size": 1, "time": 2},
        "16-2/00000002.history": {"type": "file", "size": 1, "time": 2}, "archive.info": {"type": "file", "size": 1, "time": 2}}"#;
    let wal = read(&json(text).unwrap(), Some("16-2"));
    assert_eq!(timelines(&wal), [2]);
    assert_eq!(wal.files.len(), 2);
}

#[test]
fn a_timeline_began_where_its_history_ends() {
    let text = "1\t0/A000198\tno recovery target specified\n\n2\t1/B0000A0\tno recovery target specified\n";
    let expected = History {
        timeline: 3,
        parent: 2,
        switch: 0x1_0B00_00A0,
    };
    assert_eq!(history(3, text), Some(expected));
    for text in ["", "# 1", "1", "one\t0/1", "1\tzero"] {
        assert_eq!(history(3, text), None, "{text}");
    }
}

#[test]
fn what_two_repositories_hold_is_joined() {
    let file = |name: &str, at: i64| WalFile {
        name: WalName::Segment(name.into()),
        bytes: 1,
        modified: Timestamp(at),
        is_packed: true,
    };
    let wal = |files: Vec<WalFile>| Wal {
        files,
        histories: Vec::new(),
    };
    let mut whole = wal(vec![file("A", 5), file("B", 6)]);
    join(&mut whole, wal(vec![file("B", 4), file("C", 7)]));
    assert_eq!(whole, wal(vec![file("A", 5), file("B", 4), file("C", 7)]));
}
