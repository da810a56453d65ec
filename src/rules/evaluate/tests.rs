use std::time::Duration;

use super::*;
use crate::rules::file::Strictness;
use crate::rules::{Change, file};
use crate::sample::is_stale;
use crate::store::Settings;

/// A rule file over a store, evaluated slot by slot, a minute apart.
struct Course {
    group: Group,
    store: Store,
    now: Timestamp,
    alerts: Vec<Alert>,
    series: Vec<Vec<Labels>>,
    retired: bool,
    fresh: bool,
}

impl Course {
    fn of(text: &str) -> Course {
        let read = file::parse(
            "f.yml",
            text,
            Duration::from_secs(60),
            Strictness::default(),
        );
        let mut groups = read.unwrap().groups;
        let settings = Settings {
            retention: Duration::from_secs(86_400),
            max_bytes: 1 << 20,
        };
        let now = Timestamp(1_700_000_000_000);
        let group = groups.remove(0);
        let series = vec![Vec::new(); group.rules.len()];
        Course {
            group,
            store: Store::new(&settings, now),
            now,
            alerts: Vec::new(),
            series,
            retired: false,
            fresh: true,
        }
    }

    /// What a source reads just now: its value, or a staleness marker.
    fn read(&self, server: &str, value: f64) {
        let source = Source::new(server, "", "sessions");
        let labels = Labels::new([("__name__", "m"), ("instance", server)]);
        self.store
            .append(self.now, &Sources::one(source.clone()), [(labels, value)]);
        if !is_stale(value) {
            self.store.succeeded(&source, self.now);
        }
    }

    /// Evaluates every rule, then moves on a minute; gives what happened and what was written.
    fn step(&mut self) -> (Vec<(Change, String)>, Vec<String>) {
        let (mut changes, mut written) = (Vec::new(), Vec::new());
        for (rule, series) in self.group.rules.iter().zip(&mut self.series) {
            let alerts: Vec<&Alert> = self.alerts.iter().collect();
            let before = Before {
                alerts: &alerts,
                series,
            };
            let nothing = Labels::default();
            let (retired, fresh) = (self.retired, self.fresh);
            let context = Context {
                external_labels: &nothing,
                external_url: "",
                retired: &|_| retired,
                fresh: &|_| fresh,
                limits: Limits::default(),
            };
            let Ok(evaluation) =
                evaluate(rule, &self.group, before, &self.store, self.now, &context)
            else {
                written.push("error".into());
                continue;
            };
            if let Some(source) = rule.source() {
                self.store.succeeded(&source, self.now);
            }
            for (labels, value, sources) in &evaluation.samples {
                self.store
                    .append(evaluation.at, sources, [(labels.clone(), *value)]);
                let shown = if is_stale(*value) {
                    "stale".into()
                } else {
                    value.to_string()
                };
                written.push(format!("{labels} {shown}"));
            }
            let each = evaluation.transitions.iter();
            changes
                .extend(each.map(|one| (one.change, one.alert.labels.get("instance").to_owned())));
            *series = evaluation.series;
            self.alerts.retain(|alert| !rule.owns(alert));
            self.alerts.extend(evaluation.alerts);
        }
        self.now = self.now + Duration::from_secs(60);
        (changes, written)
    }

    fn changes(&mut self) -> Vec<(Change, String)> {
        self.step().0
    }
}

const HIGH: &str =
    "groups:\n- name: g\n  rules:\n  - {alert: High, expr: m > 80, labels: {severity: page}}\n";

fn of_a(change: Change) -> Vec<(Change, String)> {
    vec![(change, "a".into())]
}

#[test]
fn an_alert_and_its_series_come_and_go() {
    let mut course = Course::of(&HIGH.replace("m > 80,", "m > 80, for: 1m,"));
    course.read("a", 90.0);
    let labels = r#"alertname="High", "#;
    let firing = |state: &str| {
        format!(r#"ALERTS{{{labels}alertstate="{state}", instance="a", severity="page"}}"#)
    };
    let since = format!(r#"ALERTS_FOR_STATE{{{labels}instance="a", severity="page"}}"#);
    let (changes, written) = course.step();
    assert_eq!(changes, of_a(Change::Pending));
    assert_eq!(
        written,
        [
            format!("{} 1", firing("pending")),
            format!("{since} 1700000000")
        ]
    );
    course.read("a", 90.0);
    let (changes, written) = course.step();
    assert_eq!(changes, of_a(Change::Opened));
    let expected = [
        format!("{} 1", firing("firing")),
        format!("{since} 1700000000"),
        format!("{} stale", firing("pending")),
    ];
    assert_eq!(written, expected);
    course.read("a", 10.0);
    let (changes, written) = course.step();
    assert_eq!(changes, of_a(Change::Resolved));
    assert_eq!(
        written,
        [
            format!("{} stale", firing("firing")),
            format!("{since} stale")
        ]
    );
}

#[test]
fn an_alert_whose_source_fails_stays_and_another_servers_ends() {
    let mut course = Course::of(HIGH);
    course.read("a", 90.0);
    course.read("b", 90.0);
    assert_eq!(course.changes().len(), 2);
    course.read("a", STALE);
    course.read("b", 10.0);
    assert_eq!(
        course.changes(),
        [(Change::Stale, "a".into()), (Change::Resolved, "b".into())]
    );
    assert_eq!(course.changes(), []);
    course.read("a", 95.0);
    assert_eq!(course.changes(), of_a(Change::Fresh));
    course.read("a", 10.0);
    assert_eq!(course.changes(), of_a(Change::Resolved));
}

#[test]
fn nobody_waits_for_a_source_that_is_gone_for_good() {
    let mut course = Course::of(HIGH);
    course.read("a", 90.0);
    course.step();
    course.read("a", STALE);
    assert_eq!(course.changes(), of_a(Change::Stale));
    course.retired = true;
    assert_eq!(course.changes(), of_a(Change::Resolved));
}

#[test]
fn sources_are_known_through_recorded_series_too() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: top, expr: max(m), labels: {x: y}}\n  - {alert: High, expr: top > 80}\n";
    let mut course = Course::of(text);
    course.read("a", 90.0);
    course.read("b", 10.0);
    assert_eq!(course.changes(), [(Change::Opened, String::new())]);
    course.read("a", STALE);
    course.read("b", 10.0);
    let (changes, written) = course.step();
    assert_eq!(changes, [(Change::Stale, String::new())]);
    assert_eq!(written[0], r#"top{x="y"} 10"#);
}

#[test]
fn a_recording_rule_that_fails_ends_no_alert_over_its_series() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: top, expr: m, labels: {instance: x}}\n  - {alert: High, expr: top > 80}\n";
    let mut course = Course::of(text);
    course.read("a", 90.0);
    assert_eq!(course.changes(), [(Change::Opened, "x".into())]);
    let each = (0..8).flat_map(|_| {
        course.read("a", 90.0);
        // Two results that become one series are an error.
        course.read("b", 10.0);
        course.changes()
    });
    assert_eq!(each.collect::<Vec<_>>(), [(Change::Stale, "x".into())]);
    course.read("b", STALE);
    course.read("a", 10.0);
    assert_eq!(course.changes(), [(Change::Resolved, "x".into())]);
}

#[test]
fn a_source_that_was_read_again_and_then_failed_ends_nothing() {
    let mut course = Course::of(HIGH);
    course.read("a", 90.0);
    course.step();
    course.now = course.now + Duration::from_secs(30);
    course.read("a", 95.0);
    course.now = course.now + Duration::from_secs(30);
    course.read("a", STALE);
    course.fresh = false;
    assert_eq!(course.changes(), of_a(Change::Stale));
    course.fresh = true;
    course.read("a", 10.0);
    assert_eq!(course.changes(), of_a(Change::Resolved));
}

#[test]
fn after_a_start_nothing_ends_before_the_store_covers_the_expression() {
    let mut course = Course::of(&HIGH.replace("m > 80", "'max_over_time(m[3m]) > 80'"));
    course.read("a", 90.0);
    course.step();
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 1 << 20,
    };
    course.store = Store::new(&settings, course.now);
    let each = (0..4).map(|_| {
        course.read("a", 10.0);
        course.changes()
    });
    assert_eq!(
        each.collect::<Vec<_>>(),
        [of_a(Change::Stale), vec![], vec![], of_a(Change::Resolved)]
    );
}

#[test]
fn an_error_or_too_many_results_leave_the_alerts_alone() {
    let mut course = Course::of(&HIGH.replace("  rules", "  limit: 1\n  rules"));
    course.read("a", 90.0);
    assert_eq!(course.changes(), of_a(Change::Opened));
    course.read("a", 90.0);
    course.read("b", 90.0);
    assert_eq!(course.step(), (vec![], vec!["error".into()]));
    assert_eq!(course.alerts.len(), 1);
    course.read("a", 90.0);
    course.read("b", 10.0);
    assert_eq!(course.changes(), []);
    let mut alike = Course::of(&HIGH.replace("severity: page", "instance: x"));
    alike.read("a", 90.0);
    alike.read("b", 90.0);
    assert_eq!(alike.step().1, ["error"]);
}
