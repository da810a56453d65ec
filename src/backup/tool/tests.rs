use std::path::Path;

use proptest::prelude::*;

use super::answer::json;
use super::*;
use crate::backup::sighting::{Backup, Origin};

/// What a tool answered once.
pub(super) fn answered(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backup/tool/testdata");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// A sighting in words: a line for each backup, then its complaints.
pub(super) fn words(sighting: &Sighting) -> String {
    let backups = sighting.backups.iter().map(line);
    let complaints = sighting.complaints.iter().map(|words| format!("! {words}"));
    backups.chain(complaints).collect::<Vec<_>>().join("\n")
}

fn line(backup: &Backup) -> String {
    let mut line = format!(
        "{} {} {}",
        backup.kind.label(),
        backup.id,
        backup.state.label()
    );
    line.push_str(&format!(" {}", backup.finished.0 / 1000));
    if let Some(took) = backup.took {
        line.push_str(&format!("-{}", took.as_secs()));
    }
    line.push_str(&format!(" {}B", backup.bytes));
    if let Some(repository) = &backup.repository {
        line.push_str(&format!(" in {repository}"));
    }
    if let Some((first, last)) = backup.wal {
        line.push_str(&format!(
            " wal {:x}:{:x}-{:x}",
            first.timeline, first.number, last.number
        ));
    }
    if let Some(parent) = &backup.parent {
        line.push_str(&format!(" on {parent}"));
    }
    if let Some(Origin::Cluster(system)) = backup.origin {
        line.push_str(&format!(" of {system}"));
    }
    if let Some(problem) = &backup.problem {
        line.push_str(&format!(": {problem}"));
    }
    line
}

fn read_by_every_tool(text: &str) {
    let Ok(answer) = json(text) else { return };
    let now = Timestamp(1_795_420_000_000);
    let mut sightings: Vec<Sighting> = pgbackrest::sightings(&answer, now);
    sightings.extend(barman::sighting(&answer, now));
    sightings.extend(walg::sighting(&answer));
    for sighting in sightings {
        for backup in &sighting.backups {
            assert!(!backup.id.chars().any(char::is_control), "{backup:?}");
        }
        for complaint in &sighting.complaints {
            assert!(complaint.chars().count() < 2000, "{complaint}");
            assert!(!complaint.chars().any(char::is_control), "{complaint}");
        }
    }
}

fn all_answers() -> Vec<String> {
    let names = ["pgbackrest", "barman", "walg"]
        .into_iter()
        .flat_map(|folder| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("src/backup/tool/testdata")
                .join(folder);
            let entries = std::fs::read_dir(path).unwrap();
            entries.map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().display()))
        });
    names.map(|name| answered(&name)).collect()
}

#[test]
fn no_cut_answer_is_taken_for_a_whole_one() {
    for answer in all_answers() {
        let answer = answer.trim_end();
        for end in 0..answer.len() {
            if answer.is_char_boundary(end) {
                assert!(json(&answer[..end]).is_err(), "{}", &answer[..end]);
            }
        }
        read_by_every_tool(answer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Values are swapped for others, so that the answer stays JSON and means something else.
    #[test]
    fn no_answer_brings_a_reader_down(seed in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), other in 0..OTHERS.len(), size in 1..12_usize) {
        let answers = all_answers();
        let answer = seed.get(&answers);
        let bounds: Vec<usize> = answer.char_indices().map(|(at, _)| at).collect();
        let from = *at.get(&bounds);
        let to = bounds.iter().copied().find(|to| *to >= from + size).unwrap_or(answer.len());
        read_by_every_tool(&[&answer[..from], OTHERS[other], &answer[to..]].concat());
        let values: Vec<(usize, &str)> = answer.match_indices(':').collect();
        if !values.is_empty() {
            let (colon, _) = *at.get(&values);
            let rest = &answer[colon + 1..];
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            read_by_every_tool(&[&answer[..=colon], OTHERS[other], &rest[end..]].concat());
        }
    }
}

const OTHERS: [&str; 12] = [
    "",
    "null",
    "-1",
    "1e300",
    "18446744073709551615",
    "9223372036854775807",
    "\"\"",
    "\"\\u0000\\u202e é\"",
    "[]",
    "{}",
    "\"FFFFFFFFFFFFFFFFFFFFFFFF\"",
    "\"FFFFFFFF/FFFFFFFF\"",
];
