//! Places and what lies in them.

use std::sync::Arc;

use super::*;
use crate::backup::{Facts, Kind, Obstacle, State};
use crate::document::{Reader, parse};

const HOUR: i64 = 3_600_000;
const NOW: Timestamp = Timestamp(1000 * HOUR);

fn settings(text: &str) -> Settings {
    let text = format!("backups: [{{name: n, every: 1d, {text}}}]");
    Reader::new(None)
        .read(&parse("x.yml", &text).unwrap(), Settings::read)
        .remove(0)
}

/// Backups as `name hours-ago bytes`, then a checksum.
fn sighting(backups: &[&str]) -> Sighting {
    let each = backups.iter().map(|text| {
        let words: Vec<&str> = text.split(' ').collect();
        let finished = Timestamp(NOW.0 - words[1].parse::<i64>().unwrap() * HOUR);
        Backup {
            state: State::Done,
            bytes: words[2].parse().unwrap(),
            storage: Storage {
                checksum: words.get(3).map(|&sum| sum.to_owned()),
                ..Storage::default()
            },
            ..Backup::listed(words[0], Kind::Dump, finished)
        }
    });
    Sighting {
        backups: each.collect(),
        ..Sighting::default()
    }
}

fn record(text: &str, hours_ago: i64) -> Arc<Record> {
    Arc::new(Record {
        settings: settings(text),
        facts: Facts {
            looked: Some(NOW),
            sighting: Some(sighting(&[&format!("a {hours_ago} 5")])),
            ..Facts::default()
        },
    })
}

/// Copies, media, offsite copies and offsite places.
fn check(records: &[Arc<Record>]) -> [f64; 4] {
    let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
    let samples = per_server(&records, NOW);
    [0, 1, 2, 3].map(|place| samples[place].value)
}

#[test]
fn only_places_that_are_fresh_count() {
    let local = || record("files: /b", 5);
    assert_eq!(check(&[]), [1.0, 1.0, 0.0, 0.0], "the database itself");
    assert_eq!(check(&[local()]), [2.0, 1.0, 0.0, 0.0]);
    let away = |hours| record("files: /nas, media: nas, offsite: true", hours);
    assert_eq!(check(&[local(), away(5)]), [3.0, 2.0, 1.0, 1.0]);
    assert_eq!(check(&[local(), away(31)]), [2.0, 1.0, 0.0, 1.0], "too old");
    let mut failing = Record::clone(&away(5));
    failing.facts.obstacle = Some(Obstacle::Missing("/nas".into()));
    assert_eq!(check(&[local(), failing.into()]), [2.0, 1.0, 0.0, 1.0]);
    let mut foreign = Record::clone(&away(5));
    let there = foreign.facts.sighting.as_mut().unwrap();
    there.backups[0].is_foreign = true;
    assert_eq!(check(&[local(), foreign.into()]), [2.0, 1.0, 0.0, 1.0]);
    let patterns = [record("files: '/b/a*'", 5), record("files: '/b/b*'", 5)];
    assert_eq!(check(&patterns), [2.0, 1.0, 0.0, 0.0], "one folder");
}

#[test]
fn of_several_databases_the_worst_counts() {
    let shop = record("files: /b/shop, database: shop", 5);
    let shop_away = record("files: /c/shop, database: shop, offsite: true", 5);
    let blog = record("files: /b/blog, database: blog", 5);
    let both = [shop, shop_away, blog];
    assert_eq!(check(&both[..2]), [3.0, 1.0, 1.0, 1.0]);
    assert_eq!(check(&both), [2.0, 1.0, 0.0, 1.0]);
    let cluster = record("files: /d, offsite: true", 5);
    assert_eq!(check(&[both[2].clone(), cluster]), [3.0, 1.0, 1.0, 1.0]);
}

#[test]
fn what_is_not_in_the_copy_is_named() {
    let copy = settings("files: /copy, copy_of: n, keep: 10d, grace: 6h");
    let check = |original: &[&str], there: &[&str]| {
        uncopied(&copy, &sighting(original), &sighting(there), NOW)
    };
    let original = ["a 30 5 md5:aa", "b 20 6", "c 3 7", "d 300 8"];
    assert_eq!(check(&original, &[]), ["a", "b"], "c is young, d is old");
    assert_eq!(check(&original, &["daily/a 1 5", "b 1 6"]), [""; 0]);
    assert_eq!(check(&original, &["a 1 4", "b 1 6"]), ["a"], "size");
    assert_eq!(check(&original, &["a 1 5 md5:AA", "b 1 6 md5:x"]), [""; 0]);
    assert_eq!(check(&original, &["a 1 5 md5:ab", "b 1 6"]), ["a"], "sum");
    assert_eq!(check(&original, &["a 1 5 crc:ab", "b 1 6"]), [""; 0]);
}
