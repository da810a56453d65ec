//! WAL archives beside a base backup that needs them, and what becomes of them.

use std::fs::{File, create_dir, remove_file, rename, write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pgvigil::backup::{Record, State, Trouble};

use super::base;
use super::tally::Dice;
use super::watched::{Case, Cases, all_whole, backups};
use crate::harness::Scratch;

const SEGMENT: u64 = 1 << 20;
/// The segment that the backup needs, which ends with its number, and the newest one.
const NEEDED: u64 = 4;
const NEWEST: u64 = 8;
const DAMAGES: [&str; 8] = [
    "gone",
    "empty",
    "cut",
    "longer",
    "never finished",
    "a folder",
    "a link to itself",
    "misnamed",
];

fn name(timeline: u32, number: u64) -> String {
    format!("{timeline:08X}00000000{number:08X}")
}

fn segment(path: &Path, bytes: u64) {
    // A hole takes no room.
    File::create(path).unwrap().set_len(bytes).unwrap();
}

/// An archive that begins before the backup.
fn archive(folder: &Path) {
    create_dir(folder).unwrap();
    for number in NEEDED - 1..=NEWEST {
        segment(&folder.join(name(1, number)), SEGMENT);
    }
}

fn damage(path: &Path, damage: &str, dice: &mut Dice) {
    remove_file(path).unwrap();
    match damage {
        "empty" => segment(path, 0),
        "cut" => segment(path, 1 + dice.roll(SEGMENT as usize - 1) as u64),
        "longer" => segment(path, SEGMENT + 1),
        "never finished" => segment(&path.with_extension("part"), SEGMENT),
        "a folder" => create_dir(path).unwrap(),
        "a link to itself" => symlink(path, path).unwrap(),
        "misnamed" => segment(&path.with_extension("$(id)"), SEGMENT),
        _ => {}
    }
}

fn is_told(record: &Record) -> bool {
    let chain = record.facts.chain.as_ref();
    chain.is_some_and(|chain| chain.missing_segments() > 0 || !chain.short.is_empty())
}

fn is_lost(record: &Record) -> bool {
    let lost = |backup: &pgvigil::backup::Backup| {
        (backup.state, backup.trouble) == (State::Damaged, Some(Trouble::WalMissing))
    };
    backups(record).iter().all(lost) && !backups(record).is_empty()
}

fn is_whole(record: &Record) -> bool {
    record.facts.chain.is_some() && all_whole(1)(record)
}

pub fn cases(scratch: &Scratch, dice: &mut Dice) -> Cases {
    let bases = scratch.join("bases");
    let mut files = base::content(false);
    files.retain(|(path, _)| path != base::WAL);
    base::lay(&bases.join("base"), &files);
    let place = |folder: &Path| {
        format!(
            "look: 1s, files: '{}', wal: '{}'",
            bases.display(),
            folder.display()
        )
    };
    let mut cases = Vec::new();
    let folder = |what: &str| -> PathBuf {
        let folder = scratch.join(format!("wal {what}"));
        archive(&folder);
        folder
    };
    for number in NEEDED..=NEWEST {
        // That the newest is not there yet is no gap.
        let seen = if number == NEWEST {
            &DAMAGES[1..4]
        } else {
            &DAMAGES
        };
        for kind in seen {
            let what = format!("segment {number} {kind}");
            let folder = folder(&what);
            damage(&folder.join(name(1, number)), kind, dice);
            let holds = if number == NEEDED { is_lost } else { is_told };
            cases.push(Case::damaged(what, place(&folder), holds));
        }
    }
    let branched = |what: &str| {
        let folder = folder(what);
        for number in 6..=NEWEST {
            let (old, new) = (folder.join(name(1, number)), folder.join(name(2, number)));
            rename(old, new).unwrap();
        }
        write(
            folder.join("00000002.history"),
            "1\t0/600028\tno recovery target specified\n",
        )
        .unwrap();
        segment(&folder.join(format!("{}.partial", name(1, 6))), 1000);
        folder
    };
    for (timeline, number) in [(1, 5), (2, 6), (2, 7)] {
        let what = format!("segment {number} of timeline {timeline} gone");
        let folder = branched(&what);
        remove_file(folder.join(name(timeline, number))).unwrap();
        cases.push(Case::damaged(what, place(&folder), is_told));
    }
    for what in [
        "as it was",
        "older than needed gone",
        "newest gone",
        "packed",
        "branched",
    ] {
        let folder = if what == "branched" {
            branched(what)
        } else {
            folder(what)
        };
        let path = |number| folder.join(name(1, number));
        match what {
            "older than needed gone" => remove_file(path(NEEDED - 1)).unwrap(),
            "newest gone" => remove_file(path(NEWEST)).unwrap(),
            "packed" => {
                remove_file(path(5)).unwrap();
                segment(&path(5).with_extension("zst"), 900);
            }
            _ => {}
        }
        cases.push(Case::good(
            format!("archive {what}"),
            place(&folder),
            is_whole,
        ));
    }
    // It holds the changes since a backup that is not there; the one beside it is another.
    let chain = scratch.join("chain");
    base::lay(&chain.join("changes"), &base::content(true));
    base::lay(&chain.join("base"), &base::content(false));
    let is_orphan = |record: &Record| {
        let changes = backups(record).iter().find(|backup| backup.id == "changes");
        changes.is_some_and(|changes| changes.trouble == Some(Trouble::ParentMissing))
    };
    let chain = format!("look: 1s, files: '{}'", chain.display());
    cases.push(Case::damaged(
        "changes without their parent",
        chain,
        is_orphan,
    ));
    let alone = format!("look: 1s, files: '{}'", bases.display());
    cases.push(Case::damaged("no archive at all", alone, is_lost));
    Cases {
        kind: "WAL archives",
        cases,
        _server: None,
    }
}
