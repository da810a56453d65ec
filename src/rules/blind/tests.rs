use std::time::Duration;

use super::*;
use crate::rules::AlertState;
use crate::rules::file::{Strictness, parse};
use crate::sample::{Labels, Sources};

const RULES: &str = "groups:
- name: g
  rules:
  - {alert: Direct, expr: pg_a > 1}
  - {alert: Through, expr: top > 1}
  - {record: top, expr: max(middle)}
  - {record: middle, expr: pg_a or top}
  - {alert: Filled, expr: pg_settings_work_mem > 1}
  - {alert: Backup, expr: pg_backup_age > 1}
  - {alert: Open, expr: '{__name__=~\"x.*\"} > 1'}
";

fn inputs() -> Inputs {
    let groups = parse("f.yml", RULES, Duration::ZERO, Strictness::default())
        .unwrap()
        .groups;
    let gives = [
        ("pg_a", "a"),
        ("pg_settings_*", "settings"),
        ("pg_backup_age", "backup:*"),
    ];
    Inputs::of(
        &groups,
        &gives.map(|(metric, collector)| (metric.into(), collector.into())),
    )
}

fn blind(missing: &[(&str, &str, i64)], alerts: &[Alert]) -> Vec<(String, i64, String)> {
    let missing = missing.iter();
    let missing: Vec<_> = missing
        .map(|(server, collector, since)| (Source::new(server, "", collector), Timestamp(*since)))
        .collect();
    let inputs = inputs();
    let found = inputs.blind(&missing, alerts);
    let each = found.into_iter();
    each.map(|blind| {
        (
            blind.rule.rule.to_string(),
            blind.since.0,
            blind.source.to_string(),
        )
    })
    .collect()
}

#[test]
fn rules_are_blind_whose_input_is_missing_through_recording_rules_too() {
    assert_eq!(blind(&[], &[]), []);
    assert_eq!(blind(&[("rachel", "other", 5)], &[]), []);
    let expected = ["Direct", "Through"].map(|name| (name.to_owned(), 3, "monica/a".to_owned()));
    assert_eq!(
        blind(&[("rachel", "a", 5), ("monica", "a", 3)], &[]),
        expected
    );
    let expected = [("Filled".to_owned(), 5, "rachel/settings".to_owned())];
    assert_eq!(blind(&[("rachel", "settings", 5)], &[]), expected);
    let expected = [("Backup".to_owned(), 5, "rachel/backup:nightly".to_owned())];
    assert_eq!(blind(&[("rachel", "backup:nightly", 5)], &[]), expected);
}

#[test]
fn a_stale_alert_tells_of_sources_that_no_name_tells_of() {
    let source = Source::new("rachel", "", "own");
    let alert = |stale: Option<i64>| Alert {
        rule: RuleKey {
            file: "f.yml".into(),
            group: "g".into(),
            rule: "Open".into(),
        },
        labels: Labels::new([("alertname", "Open")]),
        annotations: BTreeMap::new(),
        value: 0.0,
        sources: Sources::one(source.clone()),
        state: AlertState::Firing,
        active_at: Timestamp(0),
        fired_at: Some(Timestamp(0)),
        last_seen: Timestamp(0),
        keep_firing_since: None,
        stale_since: stale.map(Timestamp),
        changed_since: None,
        resolved_at: None,
    };
    let missing = [("rachel", "own", 5)];
    assert_eq!(blind(&missing, &[alert(None)]), []);
    let expected = [("Open".to_owned(), 5, "rachel/own".to_owned())];
    assert_eq!(blind(&missing, &[alert(Some(7))]), expected);
    assert_eq!(blind(&[("monica", "own", 5)], &[alert(Some(7))]), []);
}
