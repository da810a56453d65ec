//! Looks at a source and readings of its server in words, ages out. Segments have 100 bytes; a moment is a second.

use super::*;
use crate::backup::archive::{Archive as Listed, Shown as Listing};
use crate::backup::exposure::clock::Reading;
use crate::backup::needs;
use crate::backup::{Backup, Facts, Kind, Segment, Sighting, State, WalFile, WalName};
use crate::document::{Reader, parse};

const W: u64 = 1 << 20;

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1000)
}

/// The clock that never steps is 1000 s behind the wall clock.
fn moment(second: i64) -> Moment {
    Moment {
        wall: at(second + 1000),
        steady: at(second),
    }
}

/// Of a folder, and more; or of a tool's answer.
fn settings(more: &str) -> Settings {
    let place = match more.strip_prefix("tool ") {
        Some(tool) => tool.to_owned(),
        None => format!("files: /b{more}"),
    };
    let text = format!("backups: [{{name: n, {place}}}]");
    let read = Reader::new(None).read(&parse("x.yml", &text).unwrap(), Settings::read);
    read.into_iter().next().unwrap()
}

fn reading(archive: &mut Archive, second: i64, segment: f64, fingerprint: u64) {
    let reading = Reading {
        at: at(second),
        seen: at(second),
        position: (segment * W as f64) as u64,
        fingerprint,
    };
    archive.position(Some(reading), Duration::from_secs(1));
}

/// Written as a word for each: `w3@7` segment 3 came at 7, `b3@7` a base backup that needs it was finished at 7, `d@7` a
/// dump, `x@7` one that is damaged, `u@7` one that nobody has read yet; `e@0` an archive is shown though it may be empty,
/// `t@7` the answer was written at 7.
fn sighting(words: &str) -> Sighting {
    let mut sighting = Sighting::default();
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let (what, second) = word.split_once('@').unwrap();
        let finished = moment(second.parse().unwrap()).wall;
        let segment = Segment {
            timeline: 1,
            number: what[1..].parse().unwrap_or(0),
        };
        let backup = |kind, state| Backup {
            state,
            wal: (kind == Kind::Full).then_some((segment, segment)),
            ..Backup::listed(word, kind, finished)
        };
        match &what[..1] {
            "e" => drop(sighting.wal.get_or_insert_default()),
            "t" => sighting.told = Some(finished),
            "b" => sighting.backups.push(backup(Kind::Full, State::Done)),
            "d" => sighting.backups.push(backup(Kind::Dump, State::Done)),
            "u" => sighting.backups.push(backup(Kind::Dump, State::Unread)),
            "x" => sighting.backups.push(backup(Kind::Dump, State::Damaged)),
            _ => sighting.wal.get_or_insert_default().files.push(WalFile {
                name: WalName::Segment(segment.name(W)),
                bytes: W,
                modified: finished,
                is_packed: false,
            }),
        }
    }
    sighting
}

/// What is said at 60 of a source that was looked at by 50: `age least objective behind`, `-` for what is absent.
fn check(more: &str, words: &str, archive: &Archive) -> String {
    let mut sighting = sighting(words);
    let held = sighting.wal.take();
    let held = held.map(|wal| Listed::of(Listing::told(wal), Some(W)));
    let mut read: Vec<needs::Read> = (sighting.backups.iter().cloned())
        .map(|backup| (backup, None))
        .collect();
    let needs = needs::wal(&mut read, held.as_ref(), None);
    let facts = Facts {
        looked: Some(moment(50).wall),
        took: Duration::from_secs(2),
        sighting: Some(sighting),
        chain: held.map(|held| held.chain(None, &needs)),
        ..Facts::default()
    };
    let record = Record {
        settings: settings(more),
        facts,
    };
    let mut shown = Shown::default();
    assert!(shown.learn(&record, archive, moment(50)));
    assert!(!shown.learn(&record, archive, moment(51)), "no news");
    let samples = samples(&record, &shown, archive, W, shown.has_base, moment(60));
    let said = |metric: crate::sample::Metric| {
        let mut found = samples
            .iter()
            .filter(|sample| *sample.family.name == *metric.name);
        let value = found.next().map(|sample| sample.value.to_string());
        value.unwrap_or_else(|| "-".into())
    };
    let metrics = [
        metric::AGE,
        metric::LEAST_AGE,
        metric::OBJECTIVE,
        metric::BEHIND,
    ];
    metrics.map(said).join(" ")
}

/// Segment 4 was archived by 40; a transaction ended in the fifth between 43 and 44.
fn archive() -> Archive {
    let mut archive = Archive::default();
    archive.archived(at(20), Some((4 * W, None)));
    reading(&mut archive, 20, 4.0, 1);
    reading(&mut archive, 30, 4.5, 2);
    archive.archived(at(40), Some((5 * W, None)));
    reading(&mut archive, 40, 5.0, 2);
    reading(&mut archive, 43, 5.2, 2);
    reading(&mut archive, 44, 5.4, 3);
    reading(&mut archive, 60, 5.4, 3);
    archive
}

#[test]
fn a_source_is_as_old_as_what_could_be_restored_from_it() {
    let archive = archive();
    let cases = [
        // All that the server says is there.
        ("b3@10 w3@12 w4@40", "17 16 300 0"),
        // The last is not: what ended after 20 is lost.
        ("b3@10 w3@12", "40 30 300 1"),
        // A gap: WAL leads to it and no further, to a moment that nobody knows, as the backup at least.
        ("b2@10 w2@31 w4@40", "50 30 300 0"),
        // WAL alone restores nothing.
        ("w3@12 w4@40", "- - 300 0"),
        ("", "- - - -"),
        // A base backup alone holds the moment it was finished; a dump is newer than WAL can be.
        ("b3@10", "50 50 - -"),
        ("d@20 d@30 x@40", "30 30 - -"),
        // What has not been read is no good news, while something has.
        ("d@30 u@40", "30 30 - -"),
        ("u@40", "20 20 - -"),
        ("d@55 b3@10 w3@12", "5 5 300 1"),
        // An archive that stays empty lacks what was archived since the server was first read, and maybe more.
        ("e@0", "- - 300 1"),
        ("b3@10 e@0", "50 50 300 1"),
        // WAL does not lead on from the backup; what came later is there.
        ("b3@10 w4@40", "50 50 300 0"),
    ];
    for (words, expected) in cases {
        assert_eq!(check("", words, &archive), expected, "{words}");
    }
    assert_eq!(check(", rpo: 1h", "d@30", &archive), "30 30 3600 -");
    assert_eq!(check(", rpo: 1h", "", &archive), "- - 3600 -");
}

#[test]
fn a_source_of_a_server_that_is_not_read_is_as_old_as_its_newest_wal() {
    let unread = Archive::default();
    assert_eq!(check("", "b3@10 w3@12 w4@40", &unread), "20 0 300 -");
}

#[test]
fn what_a_server_has_archived_since_the_look_is_trusted_to_be_there() {
    let mut archive = archive();
    reading(&mut archive, 58, 6.0, 4);
    archive.archived(at(59), Some((6 * W, None)));
    reading(&mut archive, 60, 6.1, 4);
    assert_eq!(check("", "b3@10 w3@12 w4@40", &archive), "0 0 300 0");
    // Not from a source that lacked something already.
    assert_eq!(check("", "b3@10 w3@12", &archive), "40 30 300 1");
}

#[test]
fn what_was_archived_since_an_answer_was_written_is_not_known_to_be_lost() {
    const ANSWER: &str = "tool pgbackrest: {stanza: main, file: i, archive_file: a, timeout: 2s}";
    const HOME: &str = "tool barman: {server: main, file: i, home: /b, timeout: 2s}";
    let archive = archive();
    let cases = [
        // The last segment was archived after it: what ended since 20 may be lost, what ended before 44 is not.
        (ANSWER, "b3@10 w3@12 t@35", "40 16 300 0"),
        // It may have been told of as it came.
        (ANSWER, "b3@10 w3@12 t@41", "40 16 300 0"),
        // It was there when the answer was written, and is not in it.
        (ANSWER, "b3@10 w3@12 t@42", "40 30 300 1"),
        // All was there, and more may have come.
        (ANSWER, "b3@10 w3@12 w4@40 t@42", "17 16 300 0"),
        // It was written before the server was first read.
        (ANSWER, "b3@10 w3@12 t@15", "40 16 300 -"),
        // It is dated ahead: it was read all the same.
        (ANSWER, "b3@10 w3@12 t@99", "40 30 300 1"),
        // What is asked at an address says nothing of its age.
        (ANSWER, "b3@10 w3@12", "40 30 300 1"),
        // The WAL that Barman keeps is looked at when the answer is read.
        (HOME, "b3@10 w3@12 t@35", "40 30 300 1"),
    ];
    for (place, words, expected) in cases {
        assert_eq!(check(place, words, &archive), expected, "{place} {words}");
    }
}
