//! The older names of postgres_exporter: each says what its present name says, and what 17 took away is still exact.

use std::collections::{BTreeMap, BTreeSet};

use pgvigil::collectors::load;
use pgvigil::sample::Sample;

use super::{collect, value};
use crate::harness::Postgres;

/// What public dashboards and rules ask for beside the names of the inventory: older names, and those that 17 took away.
const ASKED_FOR: [&str; 24] = [
    "pg_database_size",
    "pg_replication_lag",
    "pg_replication_slot_slot_current_wal_lsn",
    "pg_replication_slot_slot_is_active",
    "pg_replication_slot_wal_status",
    "pg_stat_user_tables_size_bytes",
    "pg_statio_user_tables_heap_blks_read",
    "pg_statio_user_tables_heap_blks_hit",
    "pg_stat_bgwriter_buffers_alloc",
    "pg_stat_bgwriter_buffers_backend",
    "pg_stat_bgwriter_buffers_backend_fsync",
    "pg_stat_bgwriter_buffers_checkpoint",
    "pg_stat_bgwriter_buffers_clean",
    "pg_stat_bgwriter_checkpoint_sync_time",
    "pg_stat_bgwriter_checkpoint_write_time",
    "pg_stat_bgwriter_buffers_backend_total",
    "pg_stat_bgwriter_buffers_backend_fsync_total",
    "pg_stat_bgwriter_buffers_checkpoint_total",
    "pg_stat_bgwriter_checkpoint_sync_time_total",
    "pg_stat_bgwriter_checkpoint_write_time_total",
    "pg_stat_bgwriter_checkpoints_timed_total",
    "pg_stat_statements_calls",
    "pg_stat_statements_rows",
    "pg_stat_statements_total_time_seconds",
];

/// Labels and value of each series of a metric.
fn series(samples: &[Sample], metric: &str) -> BTreeSet<String> {
    let of_metric = samples
        .iter()
        .filter(|sample| *sample.family.name == *metric);
    of_metric
        .map(|sample| format!("{:?} {}", sample.labels, sample.value))
        .collect()
}

async fn check(major: u32) {
    let postgres = Postgres::with(major, &["wal_level=logical"]);
    postgres.sql(
        "postgres",
        "CREATE EXTENSION pg_stat_statements;
         SELECT pg_create_logical_replication_slot('slot', 'pgoutput');
         CREATE TABLE filled AS SELECT n, repeat('x', 900) FROM generate_series(1, 24000) AS n;
         CREATE INDEX ON filled (n);
         CHECKPOINT;",
    );
    let catalogue = load(&[]).unwrap();
    let names: Vec<&str> = catalogue.iter().map(|found| &*found.name).collect();
    let before = collect(&postgres, &names, "").await;
    let samples = collect(&postgres, &names, "aliases: true").await;
    let metrics = catalogue.iter().flat_map(|collector| &collector.metrics);
    let older: BTreeMap<&str, &str> = metrics
        .flat_map(|metric| {
            let present = &*metric.family.name;
            let older = metric.aliases.iter();
            older.map(move |family| (&*family.name, present))
        })
        .collect();
    for (older, present) in &older {
        assert!(!older.starts_with("pg_settings_"), "{older}");
        assert_eq!(
            series(&samples, older),
            series(&samples, present),
            "{older}"
        );
        assert!(
            series(&before, older).is_empty(),
            "{older} without the setting"
        );
    }
    for name in ASKED_FOR {
        assert!(!series(&samples, name).is_empty(), "{name} on {major}");
    }
    let total = "SELECT pg_total_relation_size('filled')";
    assert_eq!(
        value(
            &samples,
            "pg_stat_user_tables_size_bytes",
            &[("relname", "filled")]
        ),
        postgres.sql("postgres", total).parse().ok()
    );
    check_bgwriter(&postgres, &samples, major);
}

/// What 17 took away, in the units and with the meaning that it had.
fn check_bgwriter(postgres: &Postgres, samples: &[Sample], major: u32) {
    let of = |name: &str| value(samples, &format!("pg_stat_bgwriter_{name}_total"), &[]);
    let requested = of("checkpoints_req").unwrap();
    assert!((1.0..10.0).contains(&requested), "{requested}");
    let blocks = "SELECT pg_relation_size('filled') / current_setting('block_size')::int";
    let blocks: f64 = postgres.sql("postgres", blocks).parse().unwrap();
    let written = of("buffers_backend").unwrap();
    assert!(
        (blocks..4.0 * blocks).contains(&written),
        "{written} of {blocks}"
    );
    assert!(of("buffers_checkpoint").unwrap() > 0.0);
    assert_eq!(of("buffers_backend_fsync"), Some(0.0));
    if major >= 17 {
        let milliseconds = "SELECT write_time FROM pg_stat_checkpointer";
        assert_eq!(
            of("checkpoint_write_time"),
            postgres.sql("postgres", milliseconds).parse().ok()
        );
    }
}

#[tokio::test]
async fn older_names_say_the_same_on_13() {
    check(13).await;
}

#[tokio::test]
async fn older_names_say_the_same_on_15() {
    check(15).await;
}

#[tokio::test]
async fn older_names_say_the_same_on_17() {
    check(17).await;
}

#[tokio::test]
async fn older_names_say_the_same_on_18() {
    check(18).await;
}
