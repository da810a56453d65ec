//! Backups in, samples out, at a moment that is given.

use super::*;
use crate::document::{Reader, parse};

const HOUR: i64 = 3_600_000;

fn settings() -> Settings {
    let text = "backups: [{name: n, files: /b, every: 1d, keep: 30d, database: shop}]";
    Reader::new(None)
        .read(&parse("x.yml", text).unwrap(), Settings::read)
        .remove(0)
}

/// A backup as `state finished-hour bytes`, then `made-hour`, `database` or a trouble.
fn backup(text: &str) -> Backup {
    let words: Vec<&str> = text.split(' ').collect();
    let state = match words[0] {
        "unread" => State::Unread,
        word => State::COUNTED
            .into_iter()
            .find(|state| state.label() == word)
            .unwrap(),
    };
    let extra = words.get(3).copied().unwrap_or_default();
    let trouble = Trouble::ALL
        .into_iter()
        .find(|trouble| trouble.label() == extra);
    let made: Option<i64> = extra.parse().ok();
    let is_name = trouble.is_none() && made.is_none() && !extra.is_empty();
    let finished = Timestamp(words[1].parse::<i64>().unwrap() * HOUR);
    Backup {
        state,
        started: made.map(|hour| Timestamp(hour * HOUR)),
        bytes: words[2].parse().unwrap(),
        origin: is_name.then(|| Origin::Database(extra.into())),
        proof: if state == State::Done {
            Proof::Whole
        } else {
            Proof::Listed
        },
        trouble,
        ..Backup::listed(text, Kind::Dump, finished)
    }
}

fn facts(backups: &[&str]) -> Facts {
    Facts {
        looked: Some(Timestamp(1000 * HOUR)),
        sighting: Some(Sighting {
            backups: backups.iter().map(|text| backup(text)).collect(),
            ..Sighting::default()
        }),
        ..Facts::default()
    }
}

/// The samples as `name{labels} value`, without prefix, source and kind; times in hours.
fn check(facts: &Facts, expected: &[&str]) {
    let samples = samples(&settings(), facts, Timestamp(1000 * HOUR));
    let lines: Vec<String> = samples
        .iter()
        .map(|sample| {
            assert_eq!(sample.labels.get("source"), "n");
            let name = sample.family.name.strip_prefix("pg_backup_").unwrap();
            let is_time = name.ends_with("_seconds") && !name.contains("duration");
            let value = if is_time {
                sample.value / 3600.0
            } else {
                sample.value
            };
            let labels = sample.labels.with("source", "").with("kind", "");
            let labels = if labels.is_empty() {
                String::new()
            } else {
                labels.to_string()
            };
            format!("{name}{labels} {value}")
        })
        .collect();
    for line in expected {
        match line.strip_prefix("no ") {
            Some(name) => assert!(
                !lines.iter().any(|line| line.starts_with(name)),
                "{name} in {lines:#?}"
            ),
            None => assert!(
                lines.iter().any(|known| known == line),
                "{line} not in {lines:#?}"
            ),
        }
    }
}

#[test]
fn the_newest_usable_backup_counts() {
    let backups = [
        "done 990 100",
        "done 966 90",
        "done 942 80",
        "done 918 110",
        "damaged 999 5 truncated",
    ];
    check(
        &facts(&backups),
        &[
            "probe_success 1",
            "probe_timestamp_seconds 1000",
            "expected_interval_seconds 24",
            "expected_grace_seconds 6",
            "expected_retention_seconds 720",
            r#"count{state="done"} 4"#,
            r#"count{state="running"} 0"#,
            r#"count{state="failed"} 0"#,
            r#"count{state="damaged"} 1"#,
            "last_success_timestamp_seconds 990",
            "age_seconds 10",
            "size_bytes 100",
            "typical_size_bytes 90",
            "stored_bytes 385",
            "last_attempt_failed 1",
            r#"problem{problem="truncated"} 1"#,
            r#"problem{problem="empty"} 0"#,
            r#"problem{problem="folder_empty"} 0"#,
            r#"proof_timestamp_seconds{proof="opened"} 990"#,
            r#"proof_timestamp_seconds{proof="whole"} 990"#,
            r#"proof_timestamp_seconds{proof="summed"} 0"#,
            r#"proof_timestamp_seconds{proof="restored"} 0"#,
            "recovery_window_start_timestamp_seconds 918",
            "recovery_window_end_timestamp_seconds 990",
            "no running_since",
            "no foreign",
            "no free_bytes",
        ],
    );
}

#[test]
fn nothing_there_is_said_and_not_invented() {
    check(
        &facts(&[]),
        &[
            "probe_success 1",
            r#"count{state="done"} 0"#,
            r#"problem{problem="folder_empty"} 1"#,
            "last_attempt_failed 0",
            "stored_bytes 0",
            "no last_success",
            "no age",
            "no size",
        ],
    );
}

#[test]
fn a_failed_look_keeps_the_facts() {
    let failed = Facts {
        obstacle: Some(Obstacle::Missing("/b".into())),
        ..facts(&["done 900 100"])
    };
    let expected = [
        "probe_success 0",
        r#"problem{problem="folder_missing"} 1"#,
        r#"count{state="done"} 1"#,
        "age_seconds 100",
    ];
    check(&failed, &expected);
    let never = Facts {
        obstacle: Some(Obstacle::Unreadable("/b".into(), "denied".into())),
        ..Facts::default()
    };
    let expected = [
        "probe_success 0",
        r#"problem{problem="folder_unreadable"} 1"#,
        "no probe_timestamp",
        "no count",
        "no age",
    ];
    check(&never, &expected);
}

#[test]
fn what_is_not_read_yet_is_no_news() {
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &["unread 999 5", "unread 990 9"],
            &[
                "age_seconds 1",
                "last_attempt_failed 0",
                r#"count{state="done"} 2"#,
                r#"proof_timestamp_seconds{proof="opened"} 0"#,
            ],
        ),
        (
            &["unread 999 5", "done 990 9"],
            &["age_seconds 10", "size_bytes 9"],
        ),
        (
            &["unread 999 5", "damaged 990 9 empty"],
            &[
                "last_attempt_failed 1",
                r#"problem{problem="empty"} 1"#,
                "no age",
            ],
        ),
        (
            &["running 999 5", "done 990 9"],
            &[
                "age_seconds 10",
                "running_since_timestamp_seconds 999",
                r#"count{state="running"} 1"#,
            ],
        ),
    ];
    for (backups, expected) in cases {
        check(&facts(backups), expected);
    }
}

#[test]
fn an_old_dump_under_a_new_date_is_old() {
    check(&facts(&["done 999 5 800"]), &["age_seconds 200"]);
    check(
        &facts(&["done 999 5 990", "done 900 5"]),
        &["age_seconds 1"],
    );
    // A copy of an old dump does not hide a newer one.
    check(
        &facts(&["done 999 5 800", "done 990 9"]),
        &["age_seconds 10", "size_bytes 9"],
    );
}

#[test]
fn another_database_is_foreign() {
    check(&facts(&["done 999 5 shop"]), &["foreign 0"]);
    check(
        &facts(&["done 999 5 blog", "done 990 5 shop"]),
        &["foreign 1"],
    );
}

#[test]
fn a_typical_size_needs_three() {
    let cases: [(&[u64], Option<f64>); 4] = [
        (&[1, 2], None),
        (&[3, 1, 2], Some(2.0)),
        (&[4, 1, 2, 3], Some(2.5)),
        (&[u64::MAX, u64::MAX, 1, u64::MAX], Some(u64::MAX as f64)),
    ];
    for (sizes, expected) in cases {
        assert_eq!(median(sizes.to_vec()), expected, "{sizes:?}");
    }
}
