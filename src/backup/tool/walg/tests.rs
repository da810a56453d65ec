use super::super::answer::json;
use super::super::tests::{answered, words};
use super::*;

#[test]
fn a_list_of_backups_is_read() {
    let sighting = read(&json(&answered("walg/backup-list-detail.json")).unwrap()).unwrap();
    assert_eq!(
        words(&sighting),
        "full base_000000010000000000000015 done 1795418991-4 102738387B wal 1:15-15 of 7711263572317271532\n\
         incr base_000000010000000000000019_D_000000010000000000000015 done 1795418995-1 25988B wal 1:19-19 on base_000000010000000000000015"
    );
    assert!(read(&json("{}").unwrap()).is_err());
    let without = read(
        &json(r#"[{"backup_name": "base_1"}, {"finish_time": "2026-11-23T07:29:55Z"}]"#).unwrap(),
    );
    assert_eq!(without.unwrap().complaints.len(), 2);
}

#[test]
fn a_delta_on_a_delta_names_it() {
    let names = ["base_3_D_2", "base_2_D_1", "base_1"];
    let cases = [("2", "base_2_D_1"), ("1", "base_1"), ("7", "base_7")];
    for (base, expected) in cases {
        assert_eq!(parent(base, &names), expected);
    }
}

#[test]
fn missing_segments_are_left_out() {
    let wal = archive::read(
        &json(&answered("walg/wal-show-detailed-gap.json")).unwrap(),
        Timestamp(7),
    )
    .unwrap();
    let numbers: Vec<u64> = wal
        .files
        .iter()
        .filter_map(|file| match &file.name {
            crate::backup::WalName::Segment(name) => u64::from_str_radix(&name[16..], 16).ok(),
            _ => None,
        })
        .collect();
    let expected: Vec<u64> = (0x1a..=0x27).filter(|number| *number != 0x1b).collect();
    assert_eq!(numbers, expected);
    assert!(wal.files.iter().all(|file| file.modified == Timestamp(7)));
}

#[test]
fn a_listing_without_sense_is_refused() {
    let timeline = |first: &str, last: &str| {
        format!(
            r#"[{{"id": 1, "parent_id": 0, "start_segment": "{first}", "end_segment": "{last}"}}]"#
        )
    };
    let (one, two) = ("000000010000000000000001", "000000010000000000000002");
    let far = "0000000100FFFFFF00000002";
    let cases = [
        (timeline(one, two), true),
        (timeline(two, one), false),
        (timeline(one, "x"), false),
        (timeline(one, "000000020000000000000002"), false),
        (timeline(one, far), false),
        ("{}".into(), false),
    ];
    for (text, is_good) in cases {
        let wal = archive::read(&json(&text).unwrap(), Timestamp(0));
        assert_eq!(wal.is_ok(), is_good, "{text}: {wal:?}");
    }
}

#[test]
fn a_timeline_has_its_history_and_segments_their_size() {
    // Of 64 MiB, so that a file number has 64 of them.
    let text = r#"[{"id": 1, "parent_id": 0, "switch_point_lsn": 0, "start_segment": "00000001000000000000003E", "end_segment": "000000010000000100000001", "segment_range_size": 4},
        {"id": 2, "parent_id": 1, "switch_point_lsn": 4362076200, "start_segment": "000000020000000100000001", "end_segment": "000000020000000100000001", "segment_range_size": 1}]"#;
    let wal = archive::read(&json(text).unwrap(), Timestamp(0)).unwrap();
    assert_eq!(wal.files.len(), 5);
    let expected = crate::backup::History {
        timeline: 2,
        parent: 1,
        switch: 4_362_076_200,
    };
    assert_eq!(wal.histories, [expected]);
}
