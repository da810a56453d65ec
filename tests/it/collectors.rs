//! The built-in collectors against real servers: every name, type and label, and the cases in which others go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pgvigil::collectors::{Collector, Origin, Plan, Run, Settings, load, plan, reference, samples};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::{MetricKind, Sample};
use pgvigil::server::{Facts, Table};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::harness::{Postgres, eventually_async};

const PATIENCE: Duration = Duration::from_secs(60);
const NAMES: &str = include_str!("collectors/names.txt");
const ODD_DATABASE: &str = "Odd \"Näme'";
const ODD_SCHEMA: &str = "Odd.Schema";
const ODD_TABLE: &str = "Táble; \"x\"\\";

async fn connect(postgres: &Postgres, user: &str, database: &str) -> Client {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(postgres.port())
        .user(user)
        .dbname(database);
    let (client, connection) = config
        .application_name("test")
        .connect(NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// A session as pgvigil's own: what it may not do, it may not do here.
async fn watcher(postgres: &Postgres, user: &str, database: &str) -> Client {
    let client = connect(postgres, user, database).await;
    let session = "SET application_name = 'pgvigil'; SET default_transaction_read_only = on; SET lock_timeout = '100ms'; SET statement_timeout = '20s'; SET jit = off";
    client.batch_execute(session).await.unwrap();
    client
}

async fn read(client: &Client, sql: &str) -> Result<Table, tokio_postgres::Error> {
    let mut table = Table::default();
    for message in client.simple_query(sql).await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                table.columns = columns.iter().map(|column| column.name().into()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let cells = (0..row.len()).map(|place| row.get(place).map(String::from));
                table.rows.push(cells.collect());
            }
            _ => {}
        }
    }
    Ok(table)
}

fn settings(written: &str) -> Settings {
    let reader = Reader::new(None);
    let settings = reader.read(&parse("test.yml", written).unwrap(), Settings::read);
    assert_eq!(reader.problems(), []);
    settings
}

async fn facts(client: &Client, user: &str) -> Facts {
    let one = async |sql: &str| read(client, sql).await.unwrap().rows;
    let column = |rows: Vec<Vec<Option<String>>>| {
        rows.into_iter()
            .filter_map(|mut row| row.remove(0))
            .collect::<Vec<_>>()
    };
    let version = one("SHOW server_version_num").await[0][0].clone().unwrap();
    Facts {
        version: version.parse().unwrap(),
        standby: one("SELECT pg_is_in_recovery()").await[0][0].as_deref() == Some("t"),
        user: user.into(),
        privileges: column(one("SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'USAGE')").await).into_iter().collect(),
        superuser: user == "postgres",
        database: "postgres".into(),
        databases: column(one("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1").await),
        extensions: column(one("SELECT extname FROM pg_extension").await).into_iter().collect(),
        ..Facts::default()
    }
}

async fn planned(postgres: &Postgres, user: &str, written: &str) -> Plan {
    let client = watcher(postgres, user, "postgres").await;
    plan(
        &load(&[]).unwrap(),
        &facts(&client, user).await,
        &settings(written),
    )
}

/// Everything that one run answers, in each of its databases.
async fn answers(postgres: &Postgres, user: &str, run: &Run) -> Vec<Table> {
    let mut databases = run.databases.clone();
    if databases.is_empty() {
        databases.push("postgres".into());
    }
    let mut tables = Vec::new();
    for database in databases {
        let client = watcher(postgres, user, &database).await;
        let answer = read(&client, &run.sql).await;
        tables.push(
            answer
                .unwrap_or_else(|error| panic!("{} in {database}: {error:?}", run.collector.name)),
        );
    }
    tables
}

fn sampled(collector: &Collector, tables: &[Table]) -> Vec<Sample> {
    let each = tables
        .iter()
        .map(|table| samples(collector, table, usize::MAX));
    each.flat_map(|sampled| {
        assert_eq!(sampled.dropped, 0, "{}", collector.name);
        sampled.samples
    })
    .collect()
}

/// The samples of the named collectors only.
async fn collect(postgres: &Postgres, names: &[&str], written: &str) -> Vec<Sample> {
    let mut all = Vec::new();
    for run in planned(postgres, "postgres", written).await.runs {
        if names.contains(&&*run.collector.name) {
            all.extend(sampled(
                &run.collector,
                &answers(postgres, "postgres", &run).await,
            ));
        }
    }
    all
}

fn value(samples: &[Sample], metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut found = samples.iter().filter(|sample| {
        *sample.family.name == *metric
            && labels
                .iter()
                .all(|(name, value)| sample.labels.get(name) == *value)
    });
    let first = found.next()?;
    assert!(
        found.next().is_none(),
        "{metric}{labels:?} is not one series"
    );
    Some(first.value)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A primary on which everything that a collector can see has happened, and a standby with a slot.
fn busy_pair(major: u32) -> (Postgres, Postgres) {
    let primary = Postgres::with(
        major,
        &[
            "wal_level=logical",
            "archive_mode=on",
            "archive_command=true",
            "max_prepared_transactions=5",
            "max_slot_wal_keep_size=1GB",
            "autovacuum=off",
        ],
    );
    primary.sql(
        "postgres",
        &format!(
            "CREATE EXTENSION pg_buffercache;
             SELECT pg_create_physical_replication_slot('repmgr_slot_7', true);
             SELECT pg_create_logical_replication_slot('odd_slot', 'pgoutput');
             CREATE ROLE {role} LOGIN CONNECTION LIMIT 3;
             CREATE DATABASE {database};
             CREATE TABLE plain (id int PRIMARY KEY, body text);
             INSERT INTO plain SELECT n, repeat(md5(n::text), 200) FROM generate_series(1, 500) AS n;
             CREATE INDEX plain_unused ON plain (left(body, 20));
             VACUUM ANALYZE plain;
             SET enable_seqscan = off;
             SELECT count(*) FROM plain WHERE id < 100;
             SELECT pg_switch_wal();
             CHECKPOINT;
             SELECT pg_stat_reset();
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
        "ALTER SYSTEM SET primary_slot_name = 'repmgr_slot_7'",
    );
    standby.sql("postgres", "SELECT pg_reload_conf()");
    (primary, standby)
}

struct Expected<'a> {
    kind: MetricKind,
    labels: BTreeSet<&'a str>,
}

/// The metrics that others' dashboards expect of a major version.
fn expected_names(major: u32) -> BTreeMap<&'static str, Expected<'static>> {
    let lines = NAMES.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let [name, kind, labels, majors] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let (since, until) = majors.split_once('-').unwrap();
            let covered = (since.parse().unwrap()..=until.parse().unwrap()).contains(&major);
            let kind = match kind {
                "counter" => MetricKind::Counter,
                "gauge" => MetricKind::Gauge,
                _ => MetricKind::Unknown,
            };
            let labels = labels.split(',').filter(|label| *label != "-").collect();
            covered.then_some((name, Expected { kind, labels }))
        })
        .collect()
}

fn column_is_there(table: &Table, name: &str) -> bool {
    table.columns.iter().any(|column| **column == *name)
}

/// What a file declares for this version, and nothing else, is in the answer.
fn check_columns(run: &Run, table: &Table, major: u32) {
    for metric in &run.collector.metrics {
        let name = &metric.family.name;
        for label in &metric.labels {
            assert!(column_is_there(table, label), "{name}: no column `{label}`");
        }
        if let Origin::Column { name: column, .. } = &metric.origin {
            let there = column_is_there(table, column);
            assert_eq!(
                there,
                metric.covers(major),
                "{name}: column `{column}` on {major}"
            );
        }
    }
}

async fn check_names(major: u32) {
    let (primary, standby) = busy_pair(major);
    let lingering = connect(&primary, "postgres", "postgres").await;
    lingering
        .batch_execute("BEGIN; SELECT txid_current()")
        .await
        .unwrap();
    let held = connect(&standby, "postgres", "postgres").await;
    held.batch_execute("BEGIN; SELECT 1").await.unwrap();
    eventually_async("the standby uses its slot, and a segment is archived", PATIENCE, || async {
        let slot = "SELECT count(*) FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE state = 'streaming'";
        let archived = "SELECT archived_count > 0 FROM pg_stat_archiver";
        (primary.sql("postgres", slot) == "1" && primary.sql("postgres", archived) == "t").then_some(())
    })
    .await;

    let mut all = Vec::new();
    for server in [&primary, &standby] {
        let plan = planned(server, "postgres", "enable: [buffercache_summary]").await;
        for run in &plan.runs {
            let tables = answers(server, "postgres", run).await;
            check_columns(run, &tables[0], major);
            all.extend(sampled(&run.collector, &tables));
        }
    }
    let expected = expected_names(major);
    for (name, expected) in &expected {
        let of_name: Vec<&Sample> = all
            .iter()
            .filter(|sample| *sample.family.name == **name)
            .collect();
        assert!(!of_name.is_empty(), "{name} is missing on {major}");
        assert_eq!(of_name[0].family.kind, expected.kind, "{name}");
        let labels: BTreeSet<&str> = of_name
            .iter()
            .flat_map(|sample| sample.labels.iter().map(|(label, _)| label))
            .collect();
        assert_eq!(labels, expected.labels, "{name}");
    }
    let seen: BTreeSet<&str> = all.iter().map(|sample| &*sample.family.name).collect();
    for collector in load(&[]).unwrap() {
        for metric in collector
            .metrics
            .iter()
            .filter(|metric| metric.covers(major) && collector.query(major).is_some())
        {
            let name = &*metric.family.name;
            let never_here = [
                "pg_stat_database_checksum_last_failure_timestamp_seconds",
                "pg_stat_archiver_last_failed_timestamp_seconds",
            ];
            let without_checksums =
                major < 18 && name == "pg_stat_database_checksum_failures_total";
            if !metric.is_per_row() && !never_here.contains(&name) && !without_checksums {
                assert!(seen.contains(name), "{name} never comes out on {major}");
            }
        }
    }
    check_settings(&all, major);
    check_odd_names(&all);
}

fn check_settings(all: &[Sample], major: u32) {
    let names: BTreeSet<&str> = all
        .iter()
        .map(|sample| &*sample.family.name)
        .filter(|name| name.starts_with("pg_settings_"))
        .collect();
    let usual = if major == 15 { 252 } else { 288 };
    assert_eq!(names.len(), usual, "{names:?}");
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

#[tokio::test]
async fn every_name_comes_out_as_declared_on_15() {
    check_names(15).await;
}

#[tokio::test]
async fn every_name_comes_out_as_declared_on_18() {
    check_names(18).await;
}

#[tokio::test]
async fn a_locked_table_costs_only_its_own_sizes() {
    let postgres = Postgres::start(15);
    postgres.sql(
        "postgres",
        "CREATE TABLE free (id int PRIMARY KEY, body text); CREATE INDEX free_body ON free (body);
         CREATE TABLE held (id int, body text); CREATE INDEX held_body ON held (body);
         CREATE TABLE awaited (id int, body text); CREATE INDEX awaited_body ON awaited (body);
         CREATE TABLE indexed (id int, body text); CREATE INDEX indexed_body ON indexed (body);
         CREATE TABLE toasted (id int, body text);",
    );
    let toast = postgres.sql(
        "postgres",
        "SELECT reltoastrelid::regclass FROM pg_class WHERE relname = 'toasted'",
    );
    let mut sessions = Vec::new();
    for statement in [
        "LOCK TABLE held IN ACCESS EXCLUSIVE MODE".to_owned(),
        "SELECT * FROM awaited".to_owned(),
        "REINDEX INDEX indexed_body".to_owned(),
        format!("REINDEX TABLE {toast}"),
    ] {
        let session = connect(&postgres, "postgres", "postgres").await;
        session
            .batch_execute(&format!("BEGIN; {statement}"))
            .await
            .unwrap();
        sessions.push(session);
    }
    let waiting = connect(&postgres, "postgres", "postgres").await;
    tokio::spawn(async move {
        waiting
            .batch_execute("BEGIN; LOCK TABLE awaited IN ACCESS EXCLUSIVE MODE")
            .await
    });
    eventually_async("the lock is awaited", PATIENCE, || async {
        (postgres.sql(
            "postgres",
            "SELECT count(*) FROM pg_locks WHERE NOT granted",
        ) == "1")
            .then_some(())
    })
    .await;

    let samples = collect(
        &postgres,
        &["tables", "table_sizes", "unused_indexes", "lock_waits"],
        "",
    )
    .await;
    for (table, readable) in [
        ("free", true),
        ("held", false),
        ("awaited", false),
        ("indexed", false),
        ("toasted", false),
    ] {
        let of = |metric: &str| value(&samples, metric, &[("relname", table)]).is_some();
        assert!(of("pg_stat_user_tables_n_live_tup"), "{table}");
        assert_eq!(
            of("pg_stat_user_tables_table_size_bytes"),
            readable,
            "{table}"
        );
        assert_eq!(
            of("pg_stat_user_tables_index_size_bytes"),
            readable,
            "{table}"
        );
        assert_eq!(of("pg_unused_index_size_bytes"), readable, "{table}");
    }
    assert_eq!(value(&samples, "pg_table_sizes_left_out", &[]), Some(4.0));
    assert_eq!(
        value(&samples, "pg_unused_indexes_left_out", &[]),
        Some(3.0)
    );
    assert_eq!(value(&samples, "pg_locks_waiting_sessions", &[]), Some(1.0));
    assert!(value(&samples, "pg_locks_longest_wait_seconds", &[]).unwrap() > 0.0);
}

#[tokio::test]
async fn a_fresh_database_has_no_ratio_and_divides_by_nothing() {
    let postgres = Postgres::start(18);
    postgres.sql("postgres", "CREATE DATABASE fresh; SELECT pg_stat_reset()");
    let all: Vec<Arc<Collector>> = load(&[]).unwrap();
    let names: Vec<&str> = all.iter().map(|collector| &*collector.name).collect();
    let samples = collect(&postgres, &names, "").await;
    let fresh = [("datname", "fresh")];
    for ratio in ["pg_table_cache_hit_ratio", "pg_index_cache_hit_ratio"] {
        assert_eq!(value(&samples, ratio, &fresh), None, "{ratio}");
    }
    assert_eq!(
        value(&samples, "pg_table_sizes_left_out", &fresh),
        Some(0.0)
    );
    assert_eq!(
        value(&samples, "pg_stat_archiver_last_archive_age", &[]),
        None
    );
    assert_eq!(
        value(
            &samples,
            "pg_locks_count",
            &[("datname", "fresh"), ("mode", "exclusivelock")]
        ),
        Some(0.0)
    );
    assert_eq!(
        value(
            &samples,
            "pg_stat_activity_count",
            &[("datname", "fresh"), ("state", "active")]
        ),
        Some(0.0)
    );
    assert_eq!(
        value(&samples, "pg_stat_activity_max_tx_duration", &fresh),
        None
    );
    assert!(
        !samples
            .iter()
            .any(|sample| sample.family.name.starts_with("pg_stat_activity")
                && sample.labels.get("datname").starts_with("template"))
    );
}

#[tokio::test]
async fn what_runs_long_is_counted_without_the_watcher_and_maintenance() {
    let postgres = Postgres::start(15);
    let standby = postgres.standby();
    for (application, statement) in [
        ("app", "SELECT pg_sleep(600)"),
        ("pg_dump", "SELECT pg_sleep(600)"),
        ("lingering", "BEGIN; SELECT 1"),
    ] {
        let client = connect(&postgres, "postgres", "postgres").await;
        client
            .batch_execute(&format!("SET application_name = '{application}'"))
            .await
            .unwrap();
        tokio::spawn(async move {
            let _ = client.batch_execute(statement).await;
            std::future::pending::<()>().await;
        });
    }
    let settled = "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name IN ('app', 'lingering') AND state IN ('active', 'idle in transaction') AND clock_timestamp() - state_change > '200 ms'";
    eventually_async("both have run for a while", PATIENCE, || async {
        (postgres.sql("postgres", settled) == "t").then_some(())
    })
    .await;
    let written = "long_query: 200ms";
    let samples = collect(
        &postgres,
        &["sessions", "connections", "connection_slots", "standbys"],
        written,
    )
    .await;
    for (metric, expected) in [
        ("pg_long_queries", 1.0),
        ("pg_long_transactions", 2.0),
        ("pg_idle_in_transaction", 1.0),
        ("pg_connections_active", 2.0),
        ("pg_connections_max", 40.0),
        ("pg_connections_limit", 37.0),
        ("pg_connections_used", 4.0),
        ("pg_replication_standbys", 1.0),
        ("pg_long_queries_threshold_seconds", 0.2),
    ] {
        assert_eq!(value(&samples, metric, &[]), Some(expected), "{metric}");
    }
    assert_eq!(
        value(
            &samples,
            "pg_connections",
            &[("state", "idle in transaction")]
        ),
        Some(1.0)
    );
    let calm = collect(&postgres, &["sessions"], "").await;
    assert_eq!(value(&calm, "pg_long_queries", &[]), Some(0.0));
    assert!(value(&calm, "pg_long_queries_oldest_seconds", &[]).unwrap() > 0.2);
    drop(standby);
}

#[tokio::test]
async fn the_lag_of_a_standby_cut_off_keeps_rising() {
    let primary = Postgres::start(18);
    let standby = primary.standby();
    primary.sql("postgres", "CREATE TABLE t (n int)");
    eventually_async("the standby has replayed all", PATIENCE, || async {
        let samples = collect(&standby, &["replication"], "").await;
        (value(&samples, "pg_replication_lag_seconds", &[]) == Some(0.0)
            && value(&samples, "pg_wal_receiver_up", &[]) == Some(1.0))
        .then_some(())
    })
    .await;
    primary.stop();
    let mut lag = 0.0;
    for _ in 0..3 {
        lag = eventually_async("the lag rises", PATIENCE, || async {
            let samples = collect(&standby, &["replication"], "").await;
            let down = value(&samples, "pg_wal_receiver_up", &[]) == Some(0.0);
            value(&samples, "pg_replication_lag_seconds", &[]).filter(|now| down && *now > lag)
        })
        .await;
    }
    let samples = collect(&standby, &["replication"], "").await;
    assert_eq!(value(&samples, "pg_replication_is_replica", &[]), Some(1.0));
    assert_eq!(
        value(&samples, "pg_replication_replay_paused", &[]),
        Some(0.0)
    );
}

#[tokio::test]
async fn least_privilege_is_enough_and_less_is_said() {
    let postgres = Postgres::start(18);
    postgres.sql(
        "postgres",
        "CREATE ROLE mon LOGIN; GRANT pg_monitor TO mon; CREATE ROLE nobody LOGIN",
    );
    postgres.sql("postgres", "CREATE TABLE secret (id int PRIMARY KEY)");
    let mut running = Vec::new();
    for user in ["mon", "nobody"] {
        let plan = planned(&postgres, user, "").await;
        for run in &plan.runs {
            let tables = answers(&postgres, user, run).await;
            sampled(&run.collector, &tables);
        }
        running.push(plan);
    }
    let reasons = |plan: &Plan| -> BTreeMap<String, String> {
        let omitted = plan.omitted.iter();
        omitted
            .map(|omission| {
                (
                    omission.collector.name.to_string(),
                    omission.reason.to_string(),
                )
            })
            .filter(|(_, reason)| reason.contains("GRANT"))
            .collect()
    };
    assert!(
        reasons(&running[0]).is_empty(),
        "{:?}",
        reasons(&running[0])
    );
    let missing = reasons(&running[1]);
    assert!(
        missing["activity"].ends_with("`GRANT pg_read_all_stats TO nobody`"),
        "{missing:?}"
    );
    assert!(missing["wal"].ends_with("`GRANT pg_monitor TO nobody`"));
    assert!(!missing.contains_key("replication") && !missing.contains_key("connection_slots"));
}

#[test]
fn the_metric_reference_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let fresh = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        std::fs::write(path, &fresh).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == fresh,
        "docs/metrics.md is stale: run `UPDATE_DOCS=1 cargo test --test it collectors`"
    );
}
