use std::time::Instant;

use super::*;
use crate::backup::shelf::{Folder, Item, Shape, Shelf};
use crate::backup::sighting::Storage;
use crate::backup::wal::{Wal, WalFile, WalName};
use crate::sample::Timestamp;

const MIB16: u64 = 16 << 20;

fn item(name: String, bytes: u64) -> Item {
    Item {
        name,
        shape: Shape::File,
        bytes,
        modified: Timestamp(0),
        version: None,
        storage: Storage::default(),
    }
}

#[test]
fn an_archive_is_told_from_what_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Folder(folder.path().into());
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let list = |texts: &Texts| Shown::of(&shelf, &shelf.list("").unwrap(), "*", texts).unwrap();
    put("nightly.dump", "PGDMP");
    assert_eq!(list(&Texts::default()), None);
    put("000000010000000000000004", "short");
    put(
        "0000000100000000/000000010000000000000005-4ab84096dee134150cead2c271c78c7289af9e32.lz4",
        "x",
    );
    put(
        "000000010000000000000004.00000028.backup",
        "START WAL LOCATION: 0/4000028 (file 000000010000000000000004)\nSTART TIME: 2026-11-23 08:08:15 UTC\nSTOP TIME: 2026-11-23 08:08:25 UTC\n",
    );
    put(
        "00000002.history",
        "1\t0/5000060\tno recovery target specified\n",
    );
    put("00000003.history", "\u{0}\u{fffd}hostile");
    let texts = Texts::default();
    let shown = list(&texts).unwrap();
    assert_eq!(
        (
            shown.wal.files.len(),
            shown.wal.histories.len(),
            shown.labels.len()
        ),
        (2, 1, 1)
    );
    assert_eq!(took(&shown.labels[0]).map(|took| took.as_secs()), Some(10));
    // They are read once; what is gone is forgotten.
    put(
        "00000002.history",
        "1\t0/6000060\tno recovery target specified\n",
    );
    assert_eq!(list(&texts), Some(shown));
    std::fs::remove_file(folder.path().join("00000002.history")).unwrap();
    assert_eq!(list(&texts).unwrap().wal.histories, []);
    let named = Shown::of(&shelf, &shelf.list("").unwrap(), "*.dump", &texts).unwrap();
    assert_eq!(named, None);
}

#[test]
fn what_a_chain_tells_is_for_the_backups_that_are_kept() {
    let segment = |number| Segment {
        timeline: 1,
        number,
    };
    let of = |numbers: &[u64]| {
        let files = numbers.iter().map(|number| WalFile {
            name: WalName::Segment(segment(*number).name(MIB16)),
            bytes: MIB16,
            modified: Timestamp(*number as i64),
            is_packed: false,
        });
        Archive::of(
            Shown::told(Wal {
                files: files.collect(),
                ..Wal::default()
            }),
            None,
        )
    };
    let need = |number: u64, is_inside| Need {
        first: segment(number),
        last: segment(number),
        end: Some(number * MIB16 + 300),
        is_inside,
    };
    let archive = of(&[2, 4, 5, 7, 8]);
    let chain = |needs: &[Need]| archive.chain(Some(&archive), needs);
    // Without a backup, from the oldest segment on.
    assert_eq!(
        (chain(&[]).missing_segments(), chain(&[]).unbroken_end),
        (2, Some(3 * MIB16))
    );
    // What is missing is told from the oldest backup on; how far one gets, from the newest.
    let both = chain(&[need(4, false), need(7, false)]);
    assert_eq!(
        (both.missing_segments(), both.unbroken_end),
        (1, Some(9 * MIB16))
    );
    assert_eq!(
        (both.segments, both.last_arrival, both.newest),
        (5, Some(Timestamp(8)), Some(segment(8)))
    );
    // A backup with its own WAL gets as far as it says, though its segment has not been archived yet.
    let ahead = chain(&[need(9, true)]);
    assert_eq!(
        (ahead.missing_segments(), ahead.unbroken_end),
        (0, Some(9 * MIB16 + 300))
    );
    assert_eq!(archive.chain(None, &[need(4, false)]).missing, []);
    assert_eq!(
        archive
            .chain(Some(&of(&[2, 4, 5, 6, 7, 8])), &[need(4, false)])
            .missing,
        []
    );
}

#[test]
fn a_hundred_thousand_files_are_listed_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Folder(folder.path().into());
    let name = |number| {
        Segment {
            timeline: 1,
            number,
        }
        .name(MIB16)
    };
    let items: Vec<Item> = (0..100_000)
        .map(|number| item(name(number), MIB16))
        .collect();
    let began = Instant::now();
    let shown = Shown::of(&shelf, &items, "*", &Texts::default())
        .unwrap()
        .unwrap();
    let archive = Archive::of(shown, None);
    assert_eq!(archive.chain(Some(&archive), &[]).segments, 100_000);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
