use std::time::Duration;

use super::*;
use crate::rules::file::{Strictness, parse};
use crate::sample::MetricKind::{Counter, Gauge};

/// A few metrics as a collector and postgres_exporter give them.
fn schema() -> Schema {
    let mut schema = Schema::new(false);
    let database = [("datname", true)];
    schema.add(
        "pg_connections",
        Gauge,
        Some(&[("datname", true), ("state", false)]),
    );
    schema.add("pg_limit", Gauge, Some(&[]));
    schema.add("pg_deadlocks", Counter, Some(&database));
    schema.add("pg_size_bytes", Gauge, Some(&database));
    schema.add("pg_slots_active", Gauge, Some(&[("slot_name", true)]));
    schema.add("pg_is_replica", Gauge, Some(&[]));
    schema.add("pg_wal_lsn_bytes", Gauge, Some(&[]));
    schema.add("pg_settings_{name}", Gauge, Some(&[]));
    schema.add("pgvigil_own", Gauge, None);
    schema
}

/// What is found in the rules of a group, without names, places and ways out.
fn found_in(rules: &str) -> Vec<String> {
    let text = format!("groups:\n- name: g\n  rules:\n{rules}");
    let read = parse("f.yml", &text, Duration::ZERO, Strictness::default());
    let groups = read
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
        .groups;
    let found = lint(&groups, &schema());
    let messages = found.into_iter().map(|problem| problem.message);
    messages
        .map(|message| message.split_once("`: ").unwrap().1.to_owned())
        .collect()
}

fn found(expr: &str) -> String {
    let quoted = serde_json::to_string(expr).unwrap();
    found_in(&format!("  - {{alert: A, expr: {quoted}}}\n")).join("; ")
}

#[test]
fn what_can_work_is_left_alone() {
    let good = [
        "pg_connections > 5",
        "unheard_of{any=\"label\"} / ignoring (any) pg_limit > unheard_of2",
        "sum by (job, instance, server, datname) (pg_connections) / on (job, instance) group_left () pg_limit > 0.8",
        "sum by (instance) (pg_connections) / on (instance) pg_limit > 0.8",
        "sum without (datname, state) (pg_connections) / pg_limit > 0.8",
        "sum by (cluster) (pg_connections) > 5",
        "pg_slots_active == 0 and on (job, instance) pg_is_replica == 0",
        "pg_connections{nosuch=\"\"} > 5",
        "pg_connections{nosuch!=\"x\", other!~\"a.*\"} > 5",
        "increase(pg_deadlocks[5m]) > 5",
        "pg_deadlocks > 0",
        "pg_deadlocks >= 1",
        "pg_deadlocks - pg_deadlocks offset 5m > 5",
        "rate(pg_wal_lsn_bytes[5m]) > 1e6",
        "rate(unheard_of[5m]) > 1",
        "deriv(pg_size_bytes[1h]) > 5",
        "absent(pg_limit{instance=\"a\"}) == 1",
        "absent(pg_limit{instance=\"a\", job=\"b\"}) and on (instance) pg_connections",
        "pg_limit or vector(0)",
        "vector(1)",
        "time() - timestamp(pg_limit) > 60",
        "pg_connections and ignoring (datname, state) pg_limit",
        "sum by (job, instance, x) (label_replace(pg_connections, \"x\", \"$1\", \"datname\", \"(.*)\")) > on (job, instance, x) unheard_of",
        "pg_settings_work_mem == pg_settings_other",
        "pgvigil_own{anything=\"x\"} == 0",
        "count_values(\"v\", pg_limit) and on (v) count_values(\"v\", pg_size_bytes)",
        "ALERTS{alertstate=\"firing\", severity=\"x\"} == 1",
        "topk(3, pg_connections) > 2 and on (datname) pg_size_bytes > 5",
        "pg_connections{datname=\"a\"} - ignoring (datname) pg_connections{datname=\"b\"} > 5",
        "histogram_quantile(0.9, sum by (le, job) (rate(unheard_of_bucket[5m]))) > 1",
        "max_over_time(rate(pg_deadlocks[5m])[1h:]) > 5",
        "pg_deadlocks{datname=\"x\"} * 0 + 5 > bool 3",
    ];
    for expr in good {
        assert_eq!(found(expr), "", "{expr}");
    }
}

#[test]
fn what_cannot_work_is_found() {
    let bad = [
        (
            "sum by (instance) (pg_connections) / pg_limit > 0.2",
            "`/` never has a result: the right side has the label `job`, the left side never",
        ),
        (
            "(pg_slots_active == 0) and (pg_is_replica == 0)",
            "`and` never has a result: the left side has the label `slot_name`, the right side never",
        ),
        (
            "pg_size_bytes > pg_limit",
            "`>` never has a result: the left side has the label `datname`, the right side never",
        ),
        (
            "pg_size_bytes{datname=\"a\"} > pg_size_bytes{datname=\"b\"}",
            "`>` never has a result: `datname` is `a` on the left side and `b` on the right",
        ),
        (
            "pg_size_bytes unless pg_limit",
            "`unless` never leaves anything out: the left side has the label `datname`, the right side never",
        ),
        (
            "pg_limit > 1 and absent(pg_connections)",
            "`and` never has a result: the left side has the label `instance`, the right side never",
        ),
        (
            "avg by (datname) (rate(pg_connections[2m])) > 120",
            "`rate` of `pg_connections`, which is a gauge: whenever it falls, that is taken for a reset of a counter",
        ),
        (
            "deriv(pg_deadlocks[5m]) > 0.1",
            "`deriv` of `pg_deadlocks`, which is a counter: a reset is taken for a fall",
        ),
        (
            "sum by (datname) (pg_deadlocks * 2) > 10",
            "`pg_deadlocks` is a counter, and it is compared with 10: once past it, it stays there until it is reset",
        ),
        (
            "10 < pg_deadlocks",
            "`pg_deadlocks` is a counter, and it is compared with 10: once past it, it stays there until it is reset",
        ),
        (
            "pg_connections{dbname=\"x\"} > 5",
            "no series of `pg_connections` has the label `dbname`, so it selects nothing",
        ),
        (
            "pg_connections{dbname=~\"x|y\"} > 5",
            "no series of `pg_connections` has the label `dbname`, so it selects nothing",
        ),
        (
            "sum by (dbname) (pg_connections) > 5",
            "`by (dbname)`: no element has the label `dbname`",
        ),
        (
            "pg_connections > on (relname) pg_size_bytes",
            "`on (relname)`: neither side has the label `relname`",
        ),
        (
            "timestamp(pg_connections > 5) < time() - 36000",
            "`timestamp` of an expression is always the moment of evaluation; only of a plain selector it is the time of the sample",
        ),
        (
            "pg_limit > 5 and on (datname) pg_connections{datname=\"x\"}",
            "`and` never has a result: the right side has the label `datname`, the left side never",
        ),
    ];
    for (expr, expected) in bad {
        assert_eq!(found(expr), expected, "{expr}");
    }
}

#[test]
fn labels_that_are_gone_are_missed_in_templates() {
    let rule = |expr: &str, text: &str| {
        let text = serde_json::to_string(text).unwrap();
        let rule = format!(
            "  - {{alert: A, expr: '{expr}', labels: {{severity: page}}, annotations: {{s: {text}}}}}\n"
        );
        found_in(&rule).join("; ")
    };
    let sum = "sum by (datname) (pg_connections) > 5";
    let gone = |label: &str| {
        format!("annotation `s` prints `$labels.{label}`, which no element of the result has")
    };
    for (text, label) in [
        ("{{ $labels.instance }}", "instance"),
        ("{{ .Labels.job }} of {{ $labels.datname }}", "job"),
        ("{{ index $labels \"job\" }}", "job"),
        ("{{ $labels.severity }}", "severity"),
        (
            "{{ range query \"x\" }}{{ .Labels.y }}{{ $labels.z }}{{ end }}",
            "z",
        ),
        ("{{ if gt $value 5.0 }}{{ $labels.x }}{{ end }}", "x"),
        ("{{ printf \"%s\" $labels.x }}", "x"),
        ("{{ $labels.x | title }}", "x"),
    ] {
        assert_eq!(rule(sum, text), gone(label), "{text}");
    }
    for text in [
        "{{ $labels.datname }} {{ $labels }} {{ $value }}",
        "{{ or $labels.server $labels.datname }}",
        "{{ if $labels.x }}{{ $labels.x }}{{ end }}",
        "{{ with $labels.x }}{{ . }}{{ end }}",
        "{{ range query \"x\" }}{{ .Labels.y }}{{ end }}",
        "{{ define \"t\" }}{{ .Labels.y }}{{ end }}",
    ] {
        assert_eq!(rule(sum, text), "", "{text}");
    }
    assert_eq!(rule("unheard_of", "{{ $labels.x }}"), "");
}

#[test]
fn recorded_series_are_known_by_what_records_them() {
    let rules = "  - {alert: A, expr: 'top > 3', annotations: {s: '{{ $labels.datname }} {{ $labels.kind }}'}}\n  \
                 - {record: top, expr: 'max by (job) (middle)', labels: {kind: x}}\n  \
                 - {record: middle, expr: 'pg_deadlocks * 1'}\n";
    let expected = [
        "`top` is a counter, and it is compared with 3: once past it, it stays there until it is reset",
        "annotation `s` prints `$labels.datname`, which no element of the result has",
    ];
    assert_eq!(found_in(rules), expected);
    // Two that rest on each other are never known, and nothing is said of them.
    let rules = "  - {record: a, expr: 'b'}\n  - {record: b, expr: 'a'}\n  - {alert: A, expr: 'a > on (x) pg_limit{x=\"y\"}'}\n";
    assert_eq!(
        found_in(rules),
        ["no series of `pg_limit` has the label `x`, so it selects nothing"]
    );
}

#[test]
fn each_finding_has_a_place_and_a_way_out() {
    let text = "groups:\n- name: g\n  rules:\n  - alert: Locks\n    expr: sum by (instance) (pg_connections) / pg_limit > 0.2\n    \
                annotations: {s: '{{ $labels.job }}'}\n";
    let groups = parse("f.yml", text, Duration::ZERO, Strictness::default())
        .unwrap()
        .groups;
    let found: Vec<String> = lint(&groups, &schema())
        .iter()
        .map(Problem::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "f.yml:4:5: `Locks`: `/` never has a result: the right side has the label `job`, the left side never\n  \
             hint: match by what both sides have: `/ on (instance)`",
        ]
    );
}
