//! What tools have told of their backups, written into files that are then damaged.

use std::path::Path;
use std::time::{Duration, Instant};

use pgvigil::backup::{Record, Settings, State, survey};
use pgvigil::document::{Reader, parse};

use super::tally::{Dice, Tally};
use crate::harness::Scratch;

macro_rules! told {
    ($name:literal) => {
        include_str!(concat!("../../../../src/backup/tool/testdata/", $name))
    };
}

/// How each tool is named in the configuration, and its answer where all is well.
const GOOD: [(&str, &str); 4] = [
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/ok-full-diff-incr.json"),
    ),
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/two-repos-ok.json"),
    ),
    (
        "barman: {server: rachel",
        told!("barman/v3.19.1-list-backups-obsolete.json"),
    ),
    ("walg: {", told!("walg/backup-list-detail.json")),
];

/// Answers that tell of something bad, although the tool says that it is well.
const BAD: [(&str, &str); 8] = [
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/page-checksum-error.json"),
    ),
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/no-valid-backups.json"),
    ),
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/no-stanza-all.json"),
    ),
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/missing-stanza-path.json"),
    ),
    (
        "pgbackrest: {stanza: main",
        told!("pgbackrest/corrupt-info.json"),
    ),
    (
        "barman: {server: rachel",
        told!("barman/v3.4.0-list-backups-failed.json"),
    ),
    (
        "barman: {server: rachel",
        told!("barman/v3.4.0-list-backups-in-progress.json"),
    ),
    (
        "barman: {server: rachel",
        told!("barman/v3.4.0-list-backups-empty.json"),
    ),
];

const OTHERS: [&str; 9] = [
    "",
    "\n",
    "null",
    "{}",
    "[1]",
    "\"ok\"",
    "<html></html>",
    "[[[[",
    "{\"a\": {\"b\": []}}",
];
/// A look at a file that takes longer, even on a machine with much else to do, never ends.
const DEADLINE: Duration = Duration::from_secs(30);

fn look(tool: &str, file: &Path, state_dir: &Path) -> Record {
    let separator = if tool.ends_with('{') { "" } else { ", " };
    let text = format!(
        "backups: [{{name: t, server: s, {tool}{separator}file: '{}'}}}}]",
        file.display()
    );
    let reader = Reader::new(None);
    let settings = reader.read(&parse("test", &text).unwrap(), Settings::read);
    assert_eq!(reader.problems(), [], "{text}");
    survey(&settings[0], state_dir, false)
}

fn called_good(record: &Record) -> usize {
    let backups = record
        .facts
        .sighting
        .iter()
        .flat_map(|sighting| &sighting.backups);
    backups
        .filter(|backup| backup.state.counted() == State::Done)
        .count()
}

pub fn tallies(dice: &mut Dice) -> Vec<Tally> {
    let (scratch, mut tally) = (Scratch::new(), Tally::of("answers of tools"));
    let said = |tool: &str, text: &[u8]| {
        let file = scratch.write("answer.json", text);
        let began = Instant::now();
        let record = look(tool, &file, scratch.path());
        (record, began.elapsed() > DEADLINE)
    };
    for (tool, text) in GOOD {
        tally.good += 1;
        let (record, _) = said(tool, text.as_bytes());
        if record.facts.obstacle.is_some() || called_good(&record) == 0 {
            tally
                .false_alarms
                .push(format!("{tool}: {:?}", record.facts));
        }
        let whole = text.trim_end().len();
        let cuts = (0..40).map(|_| text.as_bytes()[..dice.roll(whole)].to_vec());
        let others = OTHERS.iter().map(|other| other.as_bytes().to_vec());
        for damaged in cuts.chain(others) {
            tally.damaged += 1;
            let what = || format!("{tool}: {}", String::from_utf8_lossy(&damaged));
            let (record, is_late) = said(tool, &damaged);
            if is_late {
                tally.hangs.push(what());
            } else if called_good(&record) > 0 {
                tally.misses.push(what());
            }
        }
        for _ in 0..40 {
            let mut damaged = text.as_bytes().to_vec();
            damaged[dice.roll(whole)] ^= 1 << dice.roll(8);
            tally.damaged += 1;
            let (record, _) = said(tool, &damaged);
            // An answer has no checksum: another digit is another answer.
            tally.bare += usize::from(called_good(&record) > 0);
        }
    }
    for (tool, text) in BAD {
        tally.damaged += 1;
        let (record, _) = said(tool, text.as_bytes());
        let newest = record
            .facts
            .sighting
            .iter()
            .flat_map(|sighting| &sighting.backups);
        let newest = newest.max_by_key(|backup| backup.finished);
        let is_told = record.facts.obstacle.is_some()
            || newest.is_none_or(|newest| newest.state.counted() != State::Done);
        if !is_told {
            tally
                .misses
                .push(format!("{tool}: {text}: {:?}", record.facts));
        }
    }
    vec![tally]
}
