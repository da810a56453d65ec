//! The progress views and the work of autovacuum, while everything that they can show runs slowly enough to be seen.

mod scene;

use std::collections::BTreeSet;

use pgvigil::collectors::load;
use pgvigil::sample::{MetricKind, Sample};

use self::scene::{busy, start_everything};
use super::{PATIENCE, collect, page, value};
use crate::harness::{Postgres, eventually_async};

const COLLECTORS: [&str; 8] = [
    "activity_autovacuum",
    "stat_progress_vacuum",
    "progress_vacuum",
    "progress_analyze",
    "progress_create_index",
    "progress_cluster",
    "progress_copy",
    "progress_basebackup",
];

macro_rules! on_each_major {
    ($($test:ident: $major:literal),* $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            check($major).await;
        })*
    };
}

on_each_major! {
    what_runs_is_shown_on_13: 13,
    what_runs_is_shown_on_14: 14,
    what_runs_is_shown_on_15: 15,
    what_runs_is_shown_on_16: 16,
    what_runs_is_shown_on_17: 17,
    what_runs_is_shown_on_18: 18,
}

/// Whether a metric comes out only while something runs that this file makes run.
pub(super) fn is_shown_here(name: &str) -> bool {
    [
        "pg_progress_",
        "pg_stat_progress_",
        "pg_stat_activity_autovacuum_",
    ]
    .iter()
    .any(|beginning| name.starts_with(beginning))
}

fn of_table(samples: &[Sample], metric: &str, table: [&str; 3]) -> Option<f64> {
    let [datname, schemaname, relname] = table;
    let labels = [
        ("datname", datname),
        ("schemaname", schemaname),
        ("relname", relname),
    ];
    value(samples, metric, &labels)
}

async fn check(major: u32) {
    let postgres = busy(major);
    let _backup = start_everything(&postgres).await;
    let declared: Vec<String> = load(&[])
        .unwrap()
        .iter()
        .filter(|collector| COLLECTORS.contains(&&*collector.name))
        .filter(|collector| collector.query(major, None).is_some())
        .flat_map(|collector| collector.metrics.clone())
        .filter(|metric| metric.covers(major))
        .map(|metric| metric.family.name.to_string())
        .collect();
    let samples = eventually_async("everything is shown", PATIENCE, || async {
        let samples = collect(&postgres, &COLLECTORS, "").await;
        let shown: BTreeSet<&str> = samples.iter().map(|sample| &*sample.family.name).collect();
        let vacuums = shown_tables(&samples);
        (declared.iter().all(|name| shown.contains(name.as_str())) && vacuums.len() == 5)
            .then_some(samples)
    })
    .await;
    check_inventory(&samples, major);
    check_vacuums(&postgres, &samples, major);
    check_others(&postgres, &samples, major);
}

/// Types and labels are those of others' inventory.
fn check_inventory(samples: &[Sample], major: u32) {
    let mut expected = page::inventory(major);
    expected.retain(|name, _| is_shown_here(name));
    for (name, facts) in expected {
        let mut of_name = samples
            .iter()
            .filter(|sample| *sample.family.name == *name)
            .peekable();
        let first = of_name.peek().expect(&name);
        assert_eq!(first.family.kind, MetricKind::Gauge, "{name}");
        assert_eq!(facts.kind, "gauge", "{name}");
        let labels = of_name.flat_map(|sample| sample.labels.iter());
        let labels: BTreeSet<String> = labels.map(|(label, _)| label.to_string()).collect();
        assert_eq!(labels, facts.labels, "{name}");
    }
}

/// Database and `relname` of the vacuums under the names of others.
fn shown_tables(samples: &[Sample]) -> BTreeSet<(String, String)> {
    samples
        .iter()
        .filter(|sample| &*sample.family.name == "pg_stat_progress_vacuum_heap_blks")
        .map(|sample| {
            (
                sample.labels.get("datname").to_owned(),
                sample.labels.get("relname").to_owned(),
            )
        })
        .filter(|(_, relname)| !relname.starts_with("pg_"))
        .collect()
}

/// Tables of the same name are told apart, those of another database named where autovacuum names them.
fn check_vacuums(postgres: &Postgres, samples: &[Sample], major: u32) {
    let unnamed = postgres.sql("other", "SELECT 'vacuumed'::regclass::oid");
    let expected = [
        ("other", unnamed.as_str()),
        ("other", "orders"),
        ("postgres", "a.orders"),
        ("postgres", "b.orders"),
        ("postgres", "vacuumed"),
    ];
    let expected = expected.map(|(datname, relname)| (datname.to_owned(), relname.to_owned()));
    assert_eq!(shown_tables(samples), BTreeSet::from(expected));
    let blocks = postgres.sql("postgres", "SELECT pg_relation_size('a.orders') / 8192");
    for table in [
        ["postgres", "a", "orders"],
        ["postgres", "b", "orders"],
        ["postgres", "public", "vacuumed"],
        ["other", "public", "orders"],
        ["other", "", &unnamed],
    ] {
        let of = |metric: &str| of_table(samples, metric, table);
        assert_eq!(
            of("pg_progress_vacuum_heap_blocks"),
            blocks.parse().ok(),
            "{table:?}"
        );
        assert_eq!(
            of_table(samples, "pg_progress_vacuum_phase", table),
            Some(1.0),
            "{table:?}"
        );
    }
    for phase in [
        "initializing",
        "scanning heap",
        "vacuuming indexes",
        "vacuuming heap",
        "cleaning up indexes",
        "truncating heap",
        "performing final cleanup",
    ] {
        let labels = [("relname", "vacuumed"), ("phase", phase)];
        let expected = f64::from(phase == "scanning heap");
        let found = value(samples, "pg_stat_progress_vacuum_phase", &labels);
        assert_eq!(found, Some(expected), "{phase}");
    }
    let max_dead = value(
        samples,
        "pg_stat_progress_vacuum_max_dead_tuples",
        &[("relname", "vacuumed")],
    );
    let true_name = if major < 17 {
        "pg_progress_vacuum_max_dead_tuples"
    } else {
        "pg_progress_vacuum_max_dead_tuple_bytes"
    };
    assert_eq!(
        max_dead,
        of_table(samples, true_name, ["postgres", "public", "vacuumed"])
    );
    // maintenance_work_mem, which autovacuum_work_mem follows.
    assert!(major < 17 || max_dead >= Some(64.0 * 1024.0 * 1024.0));
    let oldest = postgres.sql(
        "postgres",
        "SELECT extract(epoch FROM min(xact_start)) FROM pg_stat_activity WHERE query ~ '^autovacuum: .*orders'",
    );
    let name = "pg_stat_activity_autovacuum_timestamp_seconds";
    assert_eq!(
        value(samples, name, &[("relname", "orders")]),
        oldest.parse().ok()
    );
}

fn check_others(postgres: &Postgres, samples: &[Sample], major: u32) {
    let blocks = postgres.sql("postgres", "SELECT pg_relation_size('analyzed') / 8192");
    let analyzed = ["postgres", "public", "analyzed"];
    assert_eq!(
        of_table(samples, "pg_progress_analyze_sample_blocks", analyzed),
        blocks.parse().ok()
    );
    let indexed = ["postgres", "public", "indexed"];
    for (metric, expected) in [
        ("pg_progress_create_index_lockers", 1.0),
        ("pg_progress_create_index_lockers_done", 0.0),
    ] {
        assert_eq!(
            of_table(samples, metric, indexed),
            Some(expected),
            "{metric}"
        );
    }
    let phase = [
        ("command", "CREATE INDEX CONCURRENTLY"),
        ("phase", "waiting for writers before build"),
    ];
    assert_eq!(
        value(samples, "pg_progress_create_index_phase", &phase),
        Some(1.0)
    );
    let rewritten = ["postgres", "public", "rewritten"];
    let tuples = of_table(
        samples,
        "pg_progress_cluster_heap_tuples_written",
        rewritten,
    );
    assert_eq!(tuples, Some(20_000.0));
    let phase = [("command", "CLUSTER"), ("phase", "rebuilding index")];
    assert_eq!(
        value(samples, "pg_progress_cluster_phase", &phase),
        Some(1.0)
    );
    if major >= 14 {
        let size = postgres.sql("postgres", "SELECT size FROM pg_stat_file('rows')");
        let copied = ["postgres", "public", "copied"];
        assert_eq!(
            of_table(samples, "pg_progress_copy_bytes", copied),
            size.parse().ok()
        );
    }
    let backup = [("application_name", "pg_basebackup")];
    let of = |metric: &str| value(samples, metric, &backup);
    assert_eq!(of("pg_progress_basebackup_tablespaces"), Some(1.0));
    assert!(of("pg_progress_basebackup_bytes") > Some(10_000_000.0));
}
