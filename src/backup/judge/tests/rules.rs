//! Rules and judge say the same: samples of the judge, put to the rules as they are shipped.

use std::sync::Arc;

use super::*;

use crate::backup::USUAL_OBJECTIVE;
use crate::promql::{Value, instant};
use crate::rules::{self, load};
use crate::sample::{Metric, Source};
use crate::scrape::Board;
use crate::store::{self, Store};

const NOW: Timestamp = Timestamp(1000 * HOUR);

/// Whether the rule fires, whatever it waits for.
fn fires(alert: &str, severity: &str, samples: Vec<Sample>) -> bool {
    let limits = store::Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 1 << 20,
    };
    let store = Arc::new(Store::new(&limits, NOW));
    let (board, source) = (Board::new(store.clone(), false), Source::new("s", "", "x"));
    board.declare(&source, Duration::from_secs(60), 3);
    board.publish(&source, NOW, Duration::ZERO, samples, 0);
    let text = parse("x.yml", "files: ['example:advice']").unwrap();
    let settings = Reader::new(None).read(&text, rules::Settings::read);
    let set = load(&settings).unwrap();
    let mut rules = set.groups.iter().flat_map(|group| &group.rules);
    let rule = rules.find(|rule| *rule.name == *alert && rule.severity() == severity);
    match instant(&rule.unwrap().query, &store, NOW).unwrap() {
        Value::Vector(elements) => !elements.is_empty(),
        other => panic!("{other:?}"),
    }
}

fn sized(kind: Kind, hour: i64, bytes: u64) -> Backup {
    Backup {
        bytes,
        ..physical(kind, hour)
    }
}

fn judge(facts: &Facts) -> Vec<Sample> {
    let (settings, past) = (declared("files: /b"), Past::default());
    samples(&matter(&settings, facts, &past), NOW)
}

#[test]
fn the_rule_and_the_checklist_ask_for_as_much_room() {
    let backups = [
        vec![sized(Kind::Dump, 990, 1000)],
        vec![
            sized(Kind::Incremental, 999, 10),
            sized(Kind::Full, 990, 1000),
        ],
    ];
    for backups in backups {
        let mut facts = seen(backups);
        for free in [0, 1000, 1199, 1200, 1201, 9000] {
            let sighting = facts.sighting.as_mut().unwrap();
            sighting.space = Some(Space { free });
            let is_short = !fits(next_size(sighting), free);
            let fires = fires("BackupSpaceLow", "critical", judge(&facts));
            assert_eq!(fires, is_short, "{free}");
        }
    }
}

#[test]
fn the_rule_and_the_checklist_call_the_same_size_too_small() {
    for bytes in [0, 1, 499, 500, 501, 999, 1000] {
        let before = (1..=3).map(|ago| sized(Kind::Full, 990 - ago, 1000));
        let facts = seen(before.chain([sized(Kind::Full, 990, bytes)]).collect());
        let fires = |severity| fires("BackupShrunk", severity, judge(&facts));
        assert_eq!(fires("warning"), !is_usual(bytes, 1000.0), "{bytes}");
        assert!(!(fires("warning") && fires("info")), "told twice: {bytes}");
    }
}

#[test]
fn what_may_be_lost_where_nothing_was_promised_is_the_same_everywhere() {
    let usual = USUAL_OBJECTIVE.as_secs_f64();
    let gauge = |name, value| Metric::gauge(name, "").sample(&[], value);
    for (more, expected) in [(0.0, false), (1.0, true)] {
        let lost = vec![gauge("pg_wal_archive_exposure_least_seconds", usual + more)];
        assert_eq!(fires("WalArchiveExposed", "critical", lost), expected);
        let settings = vec![
            gauge("pg_settings_archive_timeout_seconds", usual / 2.0 + more),
            gauge("pg_wal_archived_position_bytes", 1.0),
        ];
        assert_eq!(fires("ArchiveTimeoutTooLong", "info", settings), expected);
    }
}
