use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::rules::{AlertState, Change, Override, RuleKey};
use crate::sample::{Labels, Sources, Timestamp};

fn settings(disable: &[&str], overrides: &[(&str, Override)]) -> Settings {
    Settings {
        interval: Duration::from_secs(15),
        files: vec!["example:guide".into()],
        disable: disable.iter().map(|name| (*name).to_owned()).collect(),
        overrides: overrides
            .iter()
            .map(|(name, change)| ((*name).to_owned(), change.clone()))
            .collect(),
    }
}

fn threshold(threshold: f64) -> Override {
    Override {
        threshold: Some(threshold),
        ..Override::default()
    }
}

fn complaints(settings: &Settings) -> Vec<String> {
    let problems = load(settings).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn the_default_set_and_the_examples_load_without_a_warning() {
    let mut all = settings(&[], &[]);
    all.files = EXAMPLES.map(|(name, _)| name.to_owned()).into();
    let set = load(&all).unwrap();
    assert_eq!(set.warnings, []);
    assert!(set.alerting().count() >= 40, "{}", set.alerting().count());
}

#[test]
fn rules_are_disabled_and_changed_by_name() {
    let change = Override {
        hold: Some(Duration::from_secs(300)),
        labels: vec![("team".into(), "db".into())],
        threshold: Some(0.7),
    };
    let changes = [("PostgresqlConnectionsHigh/warning", change)];
    let set = load(&settings(
        &["PostgresqlRestarted", "PostgresqlConnectionsHigh/critical"],
        &changes,
    ))
    .unwrap();
    let of = |name: &str| {
        set.alerting()
            .filter(|rule| *rule.name == *name)
            .collect::<Vec<_>>()
    };
    assert!(of("PostgresqlRestarted").is_empty());
    let [rule] = of("PostgresqlConnectionsHigh")[..] else {
        panic!("not one rule")
    };
    assert_eq!(rule.alerting().unwrap().hold, Duration::from_secs(300));
    assert_eq!(rule.labels["team"].source(), "db");
    assert!(
        rule.query.text().ends_with("> 0.7"),
        "{}",
        rule.query.text()
    );
}

#[test]
fn what_names_no_rule_or_several_is_a_mistake() {
    let wrong = settings(
        &["PostgresqlRestartd"],
        &[
            ("PostgresqlConnectionsHigh", threshold(0.5)),
            ("PostgresqlDown", threshold(1.0)),
            ("PostgresqlDown/critical", threshold(1.0)),
            ("BackupTooOld/warning", threshold(1.0)),
            ("Nonsense", Override::default()),
        ],
    );
    assert_eq!(
        complaints(&wrong),
        [
            "configuration: rules.override: `PostgresqlConnectionsHigh` means 2 rules\n  hint: write `PostgresqlConnectionsHigh/warning` or `PostgresqlConnectionsHigh/critical`",
            "configuration: rules.override: `PostgresqlDown` and `PostgresqlDown/critical` mean the same rule",
            "configuration: rules.override: `BackupTooOld/warning` compares with no single number\n  hint: disable it, and write the rule you want into a file of `rules.files`",
            "configuration: rules.override: no rule is called `Nonsense`",
            "configuration: rules.disable: no rule is called `PostgresqlRestartd`\n  hint: did you mean `PostgresqlRestarted`?",
        ]
    );
}

#[test]
fn metrics_that_nobody_gives_are_named() {
    let set = load(&settings(&[], &[])).unwrap();
    let mut known: BTreeSet<String> = set
        .alerting()
        .flat_map(|rule| rule.query.metrics())
        .collect();
    assert_eq!(set.unknown_metrics(&known), []);
    known.remove("pg_backup_foreign");
    known.insert("pg_{what}_for{rest}".into());
    assert_eq!(set.unknown_metrics(&known), []);
    known.remove("pg_{what}_for{rest}");
    known.insert("pg_backup_foreing".into());
    let [problem] = &set.unknown_metrics(&known)[..] else {
        panic!("not one problem")
    };
    let expected = "`BackupForeign` selects `pg_backup_foreign`, which nothing here gives";
    assert_eq!(problem.message, expected);
    let hint = "did you mean `pg_backup_foreing`?";
    assert_eq!(problem.hint.as_deref(), Some(hint));
}

#[test]
fn what_reads_further_back_than_the_store_keeps_is_named() {
    let set = load(&settings(&[], &[])).unwrap();
    assert_eq!(set.beyond(Duration::from_secs(86_400)), []);
    let text = "groups:\n- name: g\n  query_offset: 1h\n  rules:\n  - {alert: Far, expr: 'm > m offset 1d'}\n  \
                - {alert: Near, expr: 'm > m offset 23h'}\n  - {record: far, expr: 'm offset 1d'}\n";
    let read = file::parse(
        "f.yml",
        text,
        Duration::from_secs(15),
        Strictness::default(),
    );
    let groups = read.unwrap().groups;
    let set = RuleSet {
        groups,
        ..RuleSet::default()
    };
    let found = set.beyond(Duration::from_secs(86_400));
    let found: Vec<String> = found.iter().map(Problem::to_string).collect();
    assert_eq!(
        found,
        [
            "f.yml:5:5: `Far` reads 1d1h back, and the store keeps 1d: its alerts could not be told to have ended\n  \
             hint: raise `store.retention`, and `store.max_bytes` with it"
        ]
    );
}

/// An alert that fires: PostgresqlDown of this severity.
fn firing(severity: &str) -> Alert {
    Alert {
        rule: RuleKey {
            file: "default/postgresql.yml".into(),
            group: "availability".into(),
            rule: "PostgresqlDown".into(),
        },
        labels: Labels::new([("alertname", "PostgresqlDown"), ("severity", severity)]),
        annotations: BTreeMap::from([("summary".into(), "down".into())]),
        value: 0.0,
        sources: Sources::default(),
        state: AlertState::Firing,
        active_at: Timestamp(0),
        fired_at: Some(Timestamp(0)),
        last_seen: Timestamp(0),
        keep_firing_since: None,
        stale_since: None,
        changed_since: None,
        resolved_at: None,
    }
}

/// S10, but for the word that Prometheus leaves out: whoever was told of an alert is told why it ended.
#[test]
fn what_was_firing_when_its_rule_was_removed_ends_with_the_reason() {
    let rule = load(&settings(&[], &[])).unwrap();
    let down = rule
        .alerting()
        .find(|rule| *rule.name == *"PostgresqlDown")
        .unwrap();
    let alert = Alert {
        rule: down.key.clone(),
        ..firing(down.severity())
    };
    assert_eq!(rule.orphans([&alert]), Vec::<&Alert>::new());
    let without = load(&settings(&["PostgresqlDown"], &[])).unwrap();
    let [orphan] = without.orphans([&alert])[..] else {
        panic!("the alert is not taken for one without a rule")
    };
    let ended = orphan.ended(Timestamp(5));
    assert_eq!(
        (ended.change, ended.alert.resolved_at),
        (Change::Resolved, Some(Timestamp(5)))
    );
    assert_eq!(ended.alert.annotations["ended_because"], "rule removed");
    assert_eq!(ended.alert.annotations["summary"], "down");
}

#[test]
fn of_two_rules_with_one_name_an_alert_is_of_that_which_sets_its_labels() {
    let set = load(&settings(&[], &[])).unwrap();
    let named = |rule: &&Rule| &*rule.name == "PostgresqlConnectionsHigh";
    let rules: Vec<&Rule> = set.alerting().filter(named).collect();
    assert_eq!(rules.len(), 2);
    for rule in rules {
        let labels = [("alertname", &*rule.name), ("severity", rule.severity())];
        let alert = Alert {
            rule: rule.key.clone(),
            labels: Labels::new(labels),
            ..firing(rule.severity())
        };
        assert_eq!(set.of(&alert).unwrap().query.text(), rule.query.text());
    }
}
