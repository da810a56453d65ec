//! Backups in, samples out, at a moment that is given.

mod rules;

use std::time::Duration;

use super::*;

use crate::backup::memory::Known;
use crate::backup::{
    Backup, Base, Chain, Gap, Kind, Needed, Obstacle, Origin, Proof, Segment, Sighting, Space,
    State, Trouble,
};
use crate::document::{Reader, parse};

const HOUR: i64 = 3_600_000;

fn settings() -> Settings {
    declared("files: /b, every: 1d, keep: 30d, database: shop")
}

fn declared(text: &str) -> Settings {
    let text = format!("backups: [{{name: n, {text}}}]");
    Reader::new(None)
        .read(&parse("x.yml", &text).unwrap(), Settings::read)
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

/// What is known when there is no more than settings and facts.
fn matter<'m>(settings: &'m Settings, facts: &'m Facts, past: &'m Past) -> Matter<'m> {
    Matter {
        settings,
        facts,
        past,
    }
}

/// The samples as `name{labels} value`, without prefix, source and the kind of dumps; times in hours.
fn check(facts: &Facts, expected: &[&str]) {
    let (settings, past) = (settings(), Past::default());
    judged(&matter(&settings, facts, &past), expected);
}

fn judged(matter: &Matter, expected: &[&str]) {
    let samples = samples(matter, Timestamp(1000 * HOUR));
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
            let mut labels = sample.labels.with("source", "");
            if labels.get("kind") == "dump" {
                labels = labels.with("kind", "");
            }
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
            "size_spread_bytes 10",
            "stored_bytes 385",
            r#"last_attempt_failed{state="damaged"} 1"#,
            r#"last_attempt_failed{state="failed"} 0"#,
            "vanished 0",
            "retention_short 0",
            "retention_overdue 0",
            r#"problem{problem="truncated"} 1"#,
            r#"no problem{problem="empty""#,
            r#"no problem{problem="folder_empty""#,
            "complaints 0",
            r#"proof_timestamp_seconds{proof="opened"} 990"#,
            r#"proof_timestamp_seconds{proof="whole"} 990"#,
            r#"proof_timestamp_seconds{proof="summed"} 0"#,
            r#"proof_timestamp_seconds{proof="restored"} 0"#,
            "recovery_window_start_timestamp_seconds 918",
            "recovery_window_end_timestamp_seconds 990",
            "no running_since",
            "no foreign",
            "no free_bytes",
            "no duration_seconds",
            "no growth",
            "no wal_",
            "no uncopied",
            "no expected_full",
            "no watched_since",
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
            r#"last_attempt_failed{state="damaged"} 0"#,
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
                r#"last_attempt_failed{state="damaged"} 0"#,
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
                r#"last_attempt_failed{state="damaged"} 1"#,
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
    let marked = |backups: &[&str]| {
        let mut facts = facts(backups);
        let sighting = facts.sighting.as_mut().unwrap();
        facts.foreign = mark_foreign(&settings(), None, sighting);
        facts
    };
    check(&facts(&["done 999 5 shop"]), &["no foreign"]);
    let own = [
        "age_seconds 1",
        "recovery_window_end_timestamp_seconds 999",
        "foreign 0",
    ];
    check(&marked(&["done 999 5 shop"]), &own);
    // What would be restored is the newest of its own.
    let own = [
        "foreign 1",
        "age_seconds 10",
        "recovery_window_end_timestamp_seconds 990",
    ];
    check(&marked(&["done 999 5 blog", "done 990 5 shop"]), &own);
    let none = [
        "foreign 1",
        "no age",
        "no last_success",
        "recovery_window_end_timestamp_seconds 0",
    ];
    check(&marked(&["done 999 5 blog"]), &none);
}

fn physical(kind: Kind, hour: i64) -> Backup {
    Backup {
        state: State::Done,
        bytes: 100,
        ..Backup::listed(
            &format!("{}{hour}", kind.label()),
            kind,
            Timestamp(hour * HOUR),
        )
    }
}

fn seen(backups: Vec<Backup>) -> Facts {
    Facts {
        looked: Some(Timestamp(1000 * HOUR)),
        sighting: Some(Sighting {
            backups,
            ..Sighting::default()
        }),
        ..Facts::default()
    }
}

/// A past that began at an hour.
fn since(hour: i64) -> Past {
    Past {
        since: Some(Timestamp(hour * HOUR)),
        ..Past::default()
    }
}

#[test]
fn another_cluster_is_foreign_once_the_server_is_known() {
    let backup = Backup {
        origin: Some(Origin::Cluster(7)),
        ..physical(Kind::Full, 990)
    };
    let mut sighting = seen(vec![backup]).sighting.unwrap();
    let cases = [(None, None), (Some(8), Some(true)), (Some(7), Some(false))];
    for (system_identifier, expected) in cases {
        let told = mark_foreign(&settings(), system_identifier, &mut sighting);
        assert_eq!(told, expected, "{system_identifier:?}");
        assert_eq!(has_base(&sighting), expected != Some(true));
    }
}

#[test]
fn each_kind_has_its_own_numbers() {
    let settings = declared("files: /b, every: 1d, full_every: 7d");
    let past = Past::default();
    let full = Backup {
        took: Some(Duration::from_secs(90)),
        ..physical(Kind::Full, 900)
    };
    let failed = Backup {
        state: State::Failed,
        ..physical(Kind::Incremental, 999)
    };
    let facts = seen(vec![full, physical(Kind::Incremental, 990), failed]);
    let expected = [
        r#"count{kind="full", state="done"} 1"#,
        r#"count{kind="incr", state="done"} 1"#,
        r#"count{kind="incr", state="failed"} 1"#,
        r#"age_seconds{kind="full"} 100"#,
        r#"age_seconds{kind="incr"} 10"#,
        r#"duration_seconds{kind="full"} 90"#,
        r#"last_attempt_failed{state="failed"} 1"#,
        r#"last_attempt_failed{state="damaged"} 0"#,
        "no problem",
        "expected_full_interval_seconds 168",
        "no count{state",
        r#"no count{kind="diff""#,
        "no vanished",
        "no retention",
    ];
    judged(&matter(&settings, &facts, &past), &expected);
    // A damaged one of which nobody says how is corrupt.
    let facts = seen(vec![Backup {
        state: State::Damaged,
        ..physical(Kind::Full, 999)
    }]);
    let expected = [r#"problem{problem="corrupt"} 1"#];
    judged(&matter(&settings, &facts, &past), &expected);
}

#[test]
fn a_source_of_wal_alone_misses_no_backup() {
    let settings = declared("files: /wal");
    let past = Past::default();
    let mut facts = seen(Vec::new());
    let segment = |number| Segment {
        timeline: 1,
        number,
    };
    let chain = Chain {
        segment_bytes: 16 << 20,
        segments: 7,
        stored_bytes: 9,
        missing: vec![Gap {
            timeline: 1,
            numbers: 3..=4,
        }],
        short: vec![segment(6)],
        newest: Some(segment(9)),
        unbroken_end: Some(10 * (16 << 20)),
        last_arrival: Some(Timestamp(999 * HOUR)),
        witnesses: Vec::new(),
    };
    facts.chain = Some(chain.clone());
    let matter = matter(&settings, &facts, &past);
    let expected = [
        "no count",
        "no problem",
        "wal_missing_segments 2",
        "wal_short_segments 1",
        "wal_last_arrival_timestamp_seconds 999",
        "recovery_window_end_timestamp_seconds 0",
        "stored_bytes 9",
    ];
    judged(&matter, &expected);
    // With base backups of another source, it leads on from them.
    let base = |hour| Base {
        needed: Needed {
            timeline: 1,
            start: 7 * (16 << 20),
            end: 8 * (16 << 20),
        },
        is_inside: true,
        has_archive: false,
        opens: Timestamp(hour * HOUR),
    };
    let bases = vec![base(910), base(900)];
    let leads = |unbroken_end| Facts {
        chain: Some(Chain {
            unbroken_end,
            ..chain.clone()
        }),
        bases: bases.clone(),
        ..seen(Vec::new())
    };
    for (end, expected) in [
        (
            chain.unbroken_end,
            ["start_timestamp_seconds 900", "end_timestamp_seconds 999"],
        ),
        (
            Some(1),
            ["start_timestamp_seconds 0", "end_timestamp_seconds 0"],
        ),
    ] {
        let facts = leads(end);
        let expected = expected.map(|line| format!("recovery_window_{line}"));
        let matter = Matter {
            facts: &facts,
            ..matter
        };
        judged(&matter, &expected.each_ref().map(String::as_str));
    }
    let facts = Facts {
        chain: Some(chain),
        ..seen(vec![physical(Kind::Full, 900)])
    };
    let expected = [
        "recovery_window_start_timestamp_seconds 900",
        "recovery_window_end_timestamp_seconds 999",
    ];
    let matter = Matter {
        facts: &facts,
        ..matter
    };
    judged(&matter, &expected);
}

#[test]
fn a_kind_that_was_there_once_has_zeros() {
    let settings = declared("files: /b");
    let mut past = Past::default();
    let full = Known {
        kind: Kind::Full,
        moment: Timestamp(0),
        bytes: 1,
        missed: Some(Timestamp(1)),
    };
    past.backups.insert("a".into(), full);
    let facts = seen(Vec::new());
    let expected = [
        r#"count{kind="full", state="done"} 0"#,
        r#"problem{problem="folder_empty"} 1"#,
    ];
    judged(&matter(&settings, &facts, &past), &expected);
}

#[test]
fn sizes_are_compared_with_those_that_are_gone() {
    let settings = declared("files: /b");
    let mut past = Past::default();
    for (name, hour, bytes) in [("a", 1, 50), ("b", 2, 40), ("c", 3, 60), ("d", 999, 9000)] {
        let known = Known {
            kind: Kind::Full,
            moment: Timestamp(hour * HOUR),
            bytes,
            missed: Some(Timestamp(1)),
        };
        past.backups.insert(name.into(), known);
    }
    let facts = seen(vec![physical(Kind::Full, 990)]);
    let expected = [
        r#"size_bytes{kind="full"} 100"#,
        r#"typical_size_bytes{kind="full"} 50"#,
        r#"size_spread_bytes{kind="full"} 10"#,
    ];
    judged(&matter(&settings, &facts, &past), &expected);
}

#[test]
fn only_backups_that_need_no_other_have_a_usual_size() {
    let mut backups: Vec<Backup> = (0..8)
        .map(|day| Backup {
            bytes: 10_u64.pow(day as u32),
            ..physical(Kind::Incremental, 990 - day)
        })
        .collect();
    backups.extend((0..4).map(|week| physical(Kind::Full, 900 - week)));
    let sighting = seen(backups).sighting.unwrap();
    assert_eq!(usual_size(&sighting, &Past::default()), Some(100.0));
    assert_eq!(
        next_size(&sighting),
        100,
        "the next full one has to fit as well"
    );
    assert!(fits(100, 120) && !fits(100, 119));
    assert!(is_usual(50, 100.0) && is_usual(200, 100.0));
    assert!(!is_usual(49, 100.0) && !is_usual(201, 100.0));
}

#[test]
fn a_dump_cannot_be_restored_to_when_it_was_finished() {
    let settings = declared("files: /b");
    let facts = facts(&["done 900 1", "done 990 1 988"]);
    let long = Backup {
        took: Some(Duration::from_secs(7200)),
        ..backup("done 995 1")
    };
    let mut facts = facts;
    facts.sighting.as_mut().unwrap().backups.push(long);
    let expected = [
        "recovery_window_start_timestamp_seconds 900",
        "recovery_window_end_timestamp_seconds 993",
    ];
    judged(&matter(&settings, &facts, &Past::default()), &expected);
}

#[test]
fn retention_is_held_or_not() {
    let daily = |from: i64, count: i64| {
        let hours = (0..count).map(|day| from - 24 * day);
        let each = hours.map(|hour| physical(Kind::Dump, hour));
        seen(each.collect())
    };
    let short = "retention_short 1";
    let held = "retention_short 0";
    let cases = [
        ("every: 1d, keep: 10d", daily(990, 10), 100, held),
        ("every: 1d, keep: 10d", daily(990, 9), 100, short),
        // Not watched for long enough to know.
        ("every: 1d, keep: 10d", daily(990, 3), 800, held),
        ("every: 1d, keep: 10d", seen(Vec::new()), 100, held),
        (
            "every: 1d, keep: 20d, full_every: 14d",
            daily(990, 7),
            100,
            held,
        ),
    ];
    for (text, facts, began, expected) in cases {
        let settings = declared(&format!("files: /b, {text}"));
        judged(
            &matter(&settings, &facts, &since(began)),
            &[expected, "retention_overdue 0"],
        );
    }
    let settings = declared("files: /b, every: 1d, keep: 10d");
    let late = ["retention_overdue 1"];
    judged(&matter(&settings, &daily(990, 16), &since(0)), &late);
    judged(
        &matter(&settings, &daily(990, 15), &since(0)),
        &["retention_overdue 0"],
    );
    let weekly = seen(
        (0..3)
            .map(|week| physical(Kind::Full, 990 - week * 168))
            .collect(),
    );
    let settings = declared("files: /b, every: 1d, keep: 7d");
    judged(
        &matter(&settings, &weekly, &since(0)),
        &["retention_overdue 0"],
    );
}

#[test]
fn what_was_promised_to_stay_and_went_is_told_for_a_day() {
    let settings = declared("files: /b, every: 1d, keep: 10d");
    let facts = seen(vec![physical(Kind::Dump, 990)]);
    let gone = |kind, moment: i64, missed: i64| {
        let mut past = since(0);
        let known = Known {
            kind,
            moment: Timestamp(moment * HOUR),
            bytes: 1,
            missed: Some(Timestamp(missed * HOUR)),
        };
        past.backups.insert("a".into(), known);
        past
    };
    let cases = [
        (gone(Kind::Dump, 900, 990), "vanished 1"),
        (gone(Kind::Full, 900, 990), "vanished 1"),
        (gone(Kind::Incremental, 900, 990), "vanished 0"),
        (gone(Kind::Dump, 900, 970), "vanished 0"),
        (gone(Kind::Dump, 780, 990), "vanished 0"),
    ];
    for (past, expected) in cases {
        judged(&matter(&settings, &facts, &past), &[expected]);
    }
}

#[test]
fn room_lasts_as_long_as_it_grows_so() {
    let mut facts = seen(vec![physical(Kind::Dump, 990)]);
    let space = |free| Some(Space { free });
    let mut past = since(0);
    past.days = (30..40).map(|day| (day, day as u64 * 240)).collect();
    let settings = declared("files: /b, every: 1d, keep: 30d");
    let expected = ["growth_bytes_per_second 0.002777777777777778", "no full_in"];
    judged(&matter(&settings, &facts, &past), &expected);
    facts.sighting.as_mut().unwrap().space = space(2400);
    judged(&matter(&settings, &facts, &past), &["full_in_seconds 240"]);
    // In its first month it grows because nothing goes yet: that fits, or it does not.
    past.since = Some(Timestamp(700 * HOUR));
    judged(&matter(&settings, &facts, &past), &["full_in_seconds 240"]);
    facts.sighting.as_mut().unwrap().space = space(24_000);
    judged(&matter(&settings, &facts, &past), &["no full_in"]);
}

#[test]
fn the_rule_about_damage_tells_troubles_from_obstacles() {
    let text = include_str!("../../../alerts/backups.yml");
    let spared: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.split_once("pg_backup_problem{problem!~\"(")?
                .1
                .split_once(")_")
        })
        .flat_map(|(prefixes, _)| prefixes.split('|'))
        .collect();
    let is_spared = |problem: &str| {
        let (prefix, _) = problem.split_once('_').unwrap_or((problem, ""));
        spared.contains(&prefix)
    };
    for problem in Obstacle::PROBLEMS.into_iter().chain(["folder_empty"]) {
        assert!(is_spared(problem), "{problem} would be told as damage");
    }
    for trouble in Trouble::ALL {
        assert!(!is_spared(trouble.label()), "{trouble} would not be told");
    }
}
