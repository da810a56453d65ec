//! Every metric that is declared comes out of a real server, primary or standby, of each major version.

use std::collections::BTreeSet;

use pgvigil::collectors::{Metric, Origin, Run, load};
use pgvigil::sample::Sample;
use pgvigil::server::Table;

use super::{PATIENCE, answers, connect, page, planned, progress, sampled};
use crate::harness::{Postgres, eventually_async};

const ODD_DATABASE: &str = "Odd \"Näme'";
const ODD_SCHEMA: &str = "Odd.Schema";
const ODD_TABLE: &str = "Táble; \"x\"\\";

macro_rules! on_each_major {
    ($($test:ident: $major:literal),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            check_names($major).await;
        })*
    };
}

on_each_major! {
    every_name_comes_out_on_13: 13,
    every_name_comes_out_on_14: 14,
    every_name_comes_out_on_15: 15,
    every_name_comes_out_on_16: 16,
    every_name_comes_out_on_17: 17,
    every_name_comes_out_on_18: 18,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A primary on which everything that a collector can see has happened, and a standby with a slot.
fn busy_pair(major: u32) -> (Postgres, Postgres) {
    let mut settings = vec![
        "wal_level=logical",
        "archive_mode=on",
        "archive_command=true",
        "max_prepared_transactions=5",
        "max_slot_wal_keep_size=1GB",
        "autovacuum=off",
        "pg_stat_statements.track_planning=on",
    ];
    if major >= 14 {
        settings.push("track_wal_io_timing=on");
    }
    let primary = Postgres::with(major, &settings);
    primary.sql(
        "postgres",
        &format!(
            "CREATE EXTENSION pg_buffercache;
             CREATE EXTENSION pg_stat_statements;
             SELECT pg_create_physical_replication_slot('repmgr_slot_7', true);
             CREATE TABLE published (id int PRIMARY KEY);
             CREATE PUBLICATION news FOR TABLE published;
             SELECT pg_create_logical_replication_slot('odd_slot', 'pgoutput');
             SELECT pg_create_logical_replication_slot('idle_slot', 'pgoutput');
             CREATE ROLE {role} LOGIN CONNECTION LIMIT 3;
             CREATE DATABASE {database};
             CREATE TABLE plain (id int PRIMARY KEY, body text);
             INSERT INTO plain SELECT n, repeat(md5(n::text), 200) FROM generate_series(1, 500) AS n;
             CREATE INDEX plain_unused ON plain (left(body, 20));
             VACUUM ANALYZE plain;
             SET enable_seqscan = off;
             SELECT count(*) FROM plain WHERE id < 100;
             CREATE TABLE counted (id smallserial PRIMARY KEY);
             CREATE TABLE keyless (id smallint REFERENCES counted, body text) WITH (autovacuum_vacuum_threshold = 0);
             CREATE INDEX keyless_body ON keyless (body);
             CREATE INDEX keyless_again ON keyless (body);
             CREATE INDEX keyless_longer ON keyless (body, id);
             CREATE INDEX keyless_invalid ON keyless (id);
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'keyless_invalid'::regclass;
             CREATE TABLE awaited ();
             CREATE TABLE bloated AS SELECT n, md5(n::text) AS body FROM generate_series(1, 10000) AS n;
             CREATE INDEX bloated_n ON bloated (n);
             ANALYZE bloated;
             CREATE FUNCTION seen() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
             SET track_functions = 'all';
             SELECT pg_switch_wal();
             CHECKPOINT;
             SELECT pg_stat_reset();
             SELECT seen();
             INSERT INTO keyless SELECT NULL, n FROM generate_series(1, 100) AS n;
             SELECT count(*) FROM awaited;
             BEGIN; INSERT INTO plain VALUES (0); PREPARE TRANSACTION 'one';",
            role = quoted("Róle \"1\""),
            database = quoted(ODD_DATABASE),
        ),
    );
    primary.sql(
        ODD_DATABASE,
        &format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {schema}.{table} (id int PRIMARY KEY, body text);
             CREATE INDEX {index} ON {schema}.{table} (body);",
            schema = quoted(ODD_SCHEMA),
            table = quoted(ODD_TABLE),
            index = quoted("ïndex \"1\""),
        ),
    );
    let standby = primary.standby();
    standby.sql(
        "postgres",
        "ALTER SYSTEM SET primary_slot_name = 'repmgr_slot_7';
         ALTER SYSTEM SET hot_standby_feedback = on;
         SELECT pg_reload_conf()",
    );
    primary.sql(
        ODD_DATABASE,
        &format!(
            "CREATE SUBSCRIPTION readers CONNECTION 'host=127.0.0.1 port={} user=postgres dbname=postgres'
               PUBLICATION news WITH (connect = false, slot_name = odd_slot);
             ALTER SUBSCRIPTION readers ENABLE;
             ALTER SYSTEM SET max_wal_senders = 12;
             SELECT pg_reload_conf()",
            primary.port()
        ),
    );
    let reset = [
        (14, "SELECT pg_stat_reset_replication_slot('odd_slot')"),
        (
            15,
            "SELECT pg_stat_reset_subscription_stats(oid) FROM pg_subscription",
        ),
    ];
    for (_, statement) in reset.iter().filter(|(since, _)| major >= *since) {
        primary.sql(ODD_DATABASE, statement);
    }
    (primary, standby)
}

/// What a file declares for this version, and nothing else, is in the answer.
fn check_columns(run: &Run, table: &Table, major: u32) {
    for column in run.collector.top.iter().flat_map(|top| &top.by) {
        assert!(
            table.place(column).is_some(),
            "{}: `{column}`",
            run.collector.name
        );
    }
    for metric in &run.collector.metrics {
        let name = &metric.family.name;
        for label in metric.labels.iter().filter(|_| metric.covers(major)) {
            assert!(table.place(label).is_some(), "{name}: no column `{label}`");
        }
        if let Origin::Column { name: column, .. } = &metric.origin {
            let there = table.place(column).is_some();
            assert_eq!(
                there,
                metric.covers(major),
                "{name}: column `{column}` on {major}"
            );
        }
    }
}

/// The lag in time is known for a few seconds after the standby has replayed something; what else takes its time is
/// waited for as well.
async fn replay_something(primary: &Postgres) {
    let known = "SELECT archived_count > 0 AND EXISTS (
                   SELECT FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid
                   WHERE state = 'streaming' AND write_lag IS NOT NULL AND flush_lag IS NOT NULL AND replay_lag IS NOT NULL
                     AND xmin IS NOT NULL)
                   AND EXISTS (SELECT FROM pg_stat_subscription WHERE received_lsn IS NOT NULL AND latest_end_lsn IS NOT NULL)
                   AND EXISTS (SELECT FROM pg_settings WHERE pending_restart)
                 FROM pg_stat_archiver";
    eventually_async("the standby replays through its slot", PATIENCE, || async {
        primary.sql("postgres", "UPDATE plain SET id = id WHERE id = 1");
        (primary.sql("postgres", known) == "t").then_some(())
    })
    .await;
}

async fn check_names(major: u32) {
    let (primary, standby) = busy_pair(major);
    let lingering = connect(&primary, "postgres", "postgres").await;
    lingering
        .batch_execute("BEGIN; SELECT txid_current(); LOCK TABLE awaited IN EXCLUSIVE MODE")
        .await
        .unwrap();
    let waiting = connect(&primary, "postgres", "postgres").await;
    let waits = "BEGIN; LOCK TABLE awaited IN ROW EXCLUSIVE MODE";
    tokio::spawn(async move { waiting.batch_execute(waits).await });
    eventually_async("a session waits for another", PATIENCE, || async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        (primary.sql("postgres", waiting) == "1").then_some(())
    })
    .await;
    let held = connect(&standby, "postgres", "postgres").await;
    held.batch_execute("BEGIN; SELECT 1").await.unwrap();
    replay_something(&primary).await;
    // Last of all, for with these nothing is reloaded any more.
    primary.sql(
        "postgres",
        "COPY (SELECT 'nonsense = 1') TO PROGRAM 'cat >> postgresql.conf';
         COPY (SELECT 'nonsense') TO PROGRAM 'cat >> pg_hba.conf'",
    );

    let mut all = Vec::new();
    for server in [&primary, &standby] {
        let plan = planned(
            server,
            "postgres",
            "{aliases: true, enable: [buffercache_summary]}",
        )
        .await;
        for run in &plan.runs {
            if &*run.collector.name == "standbys" {
                replay_something(&primary).await;
            }
            let tables = answers(server, "postgres", run).await;
            check_columns(run, &tables[0], major);
            all.extend(sampled(run, &tables));
        }
    }
    let seen: BTreeSet<&str> = all.iter().map(|sample| &*sample.family.name).collect();
    for collector in load(&[]).unwrap() {
        let here = |metric: &&Metric| {
            let (since, until) = collector.majors(metric);
            (since..=until).contains(&major)
        };
        for metric in collector.metrics.iter().filter(here) {
            let name = &*metric.family.name;
            let never_here = [
                "pg_stat_database_checksum_last_failure_timestamp_seconds",
                "pg_stat_archiver_last_failed_timestamp_seconds",
                // It asks for what another collector showed: `page` waits for it.
                "pg_stat_statements_query_id",
                // These have a scene of their own.
                "pg_connections_tls_by_cipher",
                "pg_replication_slots_invalidation_reason",
            ];
            let without_checksums =
                major < 18 && name == "pg_stat_database_checksum_failures_total";
            // 15 keeps no statistics of a subscription that never failed.
            let never_failed =
                major == 15 && name == "pg_stat_subscription_stats_stats_reset_timestamp_seconds";
            if !metric.is_per_row()
                && !never_failed
                && !never_here.contains(&name)
                && !without_checksums
                && !progress::is_shown_here(name)
            {
                assert!(seen.contains(name), "{name} never comes out on {major}");
            }
        }
    }
    check_settings(&all, major);
    check_odd_names(&all);
    page::check(&primary, &standby, major).await;
}

/// How many settings have a name of their own, with pg_stat_statements loaded.
pub(super) fn usual_settings(major: u32) -> usize {
    [237, 248, 252, 259, 274, 288][major as usize - 13]
}

fn check_settings(all: &[Sample], major: u32) {
    let names: BTreeSet<&str> = all
        .iter()
        .map(|sample| &*sample.family.name)
        .filter(|name| name.starts_with("pg_settings_"))
        .collect();
    assert_eq!(names.len(), usual_settings(major), "{names:?}");
    let of = |name: &str| {
        all.iter()
            .find(|sample| *sample.family.name == *name)
            .unwrap()
    };
    assert_eq!(
        of("pg_settings_shared_buffers_bytes").value,
        16.0 * 1024.0 * 1024.0
    );
    assert_eq!(of("pg_settings_deadlock_timeout_seconds").value, 1.0);
    assert_eq!(of("pg_settings_bgwriter_delay_seconds").value, 0.2);
    assert_eq!(of("pg_settings_temp_file_limit_bytes").value, -1.0);
    assert_eq!(
        &*of("pg_settings_work_mem_bytes").family.help,
        "Server Parameter: work_mem [Units converted to bytes.]"
    );
    assert_eq!(
        &*of("pg_settings_fsync").family.help,
        "Server Parameter: fsync"
    );
    // What pgvigil told its own session is not the server's setting.
    assert_eq!(of("pg_settings_statement_timeout_seconds").value, 0.0);
    assert_eq!(of("pg_settings_lock_timeout_seconds").value, 0.0);
    assert_eq!(of("pg_settings_default_transaction_read_only").value, 0.0);
    assert_eq!(
        of("pg_settings_transaction_read_only").value,
        0.0,
        "the primary's comes first"
    );
}

fn check_odd_names(all: &[Sample]) {
    let table = [
        ("datname", ODD_DATABASE),
        ("schemaname", ODD_SCHEMA),
        ("relname", ODD_TABLE),
    ];
    for metric in [
        "pg_stat_user_tables_seq_scan",
        "pg_stat_user_tables_table_size_bytes",
        "pg_statio_user_tables_heap_blocks_read",
    ] {
        let series = all.iter().filter(|sample| *sample.family.name == *metric);
        let odd = series.filter(|sample| {
            table
                .iter()
                .all(|(name, value)| sample.labels.get(name) == *value)
        });
        assert_eq!(odd.count(), 2, "{metric} on primary and standby");
    }
    let any = |metric: &str, label: &str, text: &str| {
        all.iter()
            .any(|sample| *sample.family.name == *metric && sample.labels.get(label) == text)
    };
    assert!(any(
        "pg_unused_index_size_bytes",
        "indexrelname",
        "ïndex \"1\""
    ));
    assert!(any(
        "pg_unused_index_size_bytes",
        "indexrelname",
        "plain_unused"
    ));
    assert!(!any(
        "pg_unused_index_size_bytes",
        "indexrelname",
        "plain_pkey"
    ));
    assert!(any("pg_database_size_bytes", "datname", ODD_DATABASE));
    assert!(any("pg_roles_connection_limit", "rolname", "Róle \"1\""));
}
