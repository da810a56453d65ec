//! What a source had, look after look.

use super::*;
use crate::backup::Backup;

const HOUR: i64 = 3_600_000;

/// Backups as `name@finished-hour`.
fn sighting(names: &[&str]) -> Sighting {
    let each = names.iter().map(|text| {
        let (name, hour) = text.split_once('@').unwrap();
        let finished = Timestamp(hour.parse::<i64>().unwrap() * HOUR);
        Backup {
            state: State::Done,
            bytes: 10,
            ..Backup::listed(name, Kind::Dump, finished)
        }
    });
    Sighting {
        backups: each.collect(),
        ..Sighting::default()
    }
}

fn names(past: &Past) -> Vec<String> {
    let each = past.backups.iter().map(|(name, known)| {
        let missed = known
            .missed
            .map(|missed| format!(" missed {}", missed.0 / HOUR));
        format!("{name}{}", missed.unwrap_or_default())
    });
    each.collect()
}

#[test]
fn what_is_gone_is_missed_until_its_promise_ends() {
    let keep = Some(Duration::from_secs(30 * 24 * 3600));
    let mut past = Past::default();
    let learn = |past: &mut Past, listed: &[&str], hour: i64| {
        past.learn(&sighting(listed), 7, keep, Timestamp(hour * HOUR));
        names(past)
    };
    assert_eq!(learn(&mut past, &["a@10", "b@34"], 40), ["a", "b"]);
    assert_eq!(past.since, Some(Timestamp(40 * HOUR)));
    assert_eq!(learn(&mut past, &["b@34"], 50), ["a missed 50", "b"]);
    assert_eq!(learn(&mut past, &["b@34"], 51), ["a missed 50", "b"]);
    assert_eq!(learn(&mut past, &["a@10", "b@34"], 52), ["a", "b"]);
    assert_eq!(
        learn(&mut past, &["a@10", "c@34"], 53),
        ["a", "c"],
        "renamed"
    );
    let many: Vec<String> = (0..9).map(|day| format!("d{day}@{}", 700 + day)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let all = learn(&mut past, &many, 730);
    // a is older than 30 days, c is not, and neither is among the newest eight.
    assert_eq!(all[0], "c missed 730");
    assert_eq!(all.len(), 10);
}

#[test]
fn it_is_bounded() {
    let many: Vec<String> = (0..MOST_BACKUPS + 5)
        .map(|hour| format!("d@{hour}"))
        .collect();
    let mut sighting = sighting(&many.iter().map(String::as_str).collect::<Vec<_>>());
    for (place, backup) in sighting.backups.iter_mut().enumerate() {
        backup.id = format!("d{place}");
    }
    let mut past = Past::default();
    past.learn(&sighting, 7, None, Timestamp(30_000 * HOUR));
    assert_eq!(past.backups.len(), MOST_BACKUPS);
    assert!(!past.backups.contains_key("d4") && past.backups.contains_key("d5"));
    for day in 0..50 {
        past.learn(&sighting, 7, None, Timestamp((30_000 + day * 24) * HOUR));
    }
    assert_eq!(past.days.len() as i64, DAYS + 1);
}

#[test]
fn it_outlives_a_restart_and_a_broken_file() {
    let folder = std::env::temp_dir().join(format!("pgvigil-past-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let now = Timestamp(50 * HOUR);
    let mut memory = Memory::load(&folder, "nightly");
    memory.learn(&sighting(&["a@10"]), 7, None, now).unwrap();
    let again = Memory::load(&folder, "nightly");
    assert_eq!(
        (names(again.past()), again.past().days.len()),
        (vec!["a".to_owned()], 1)
    );
    std::fs::write(
        folder.join("backup_past-nightly.json"),
        "{\"version\":1,\"pa",
    )
    .unwrap();
    assert_eq!(Memory::load(&folder, "nightly").past(), &Past::default());
    std::fs::write(
        folder.join("backup_past-nightly.json"),
        "{\"version\":2,\"past\":{\"since\":null,\"days\":{},\"backups\":{}}}",
    )
    .unwrap();
    assert_eq!(Memory::load(&folder, "nightly").past(), &Past::default());
    std::fs::remove_dir_all(&folder).unwrap();
}
