//! The cases in which other exporters go wrong: locks, fresh databases, long queries, dead receivers, few privileges.

use std::collections::BTreeMap;

use pgvigil::collectors::{Needs, Plan, Run, load};

use super::{PATIENCE, answers, collect, connect, planned, read, sampled, value};
use crate::harness::{Postgres, eventually_async};

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
    let all = load(&[]).unwrap();
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
        // What needs rights on objects says so when it is denied.
        let asks_first = |run: &&Run| {
            let privilege = run.collector.privilege.as_ref();
            !privilege.is_some_and(|privilege| matches!(privilege.needs, Needs::Rights(_)))
        };
        for run in plan.runs.iter().filter(asks_first) {
            let tables = answers(&postgres, user, run).await;
            sampled(run, &tables);
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
    let beyond = reasons(&running[0]);
    assert_eq!(
        beyond.keys().collect::<Vec<_>>(),
        ["file_settings", "hba_rules"]
    );
    assert!(beyond["hba_rules"].ends_with(
        "`GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO mon` in the configured database"
    ));
    postgres.sql(
        "postgres",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO mon;
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO mon",
    );
    let whole = planned(&postgres, "mon", "").await;
    assert_eq!(reasons(&whole), BTreeMap::new());
    for run in &whole.runs {
        if ["file_settings", "hba_rules"].contains(&&*run.collector.name) {
            answers(&postgres, "mon", run).await;
        }
    }
    let missing = reasons(&running[1]);
    assert!(
        missing["activity"].ends_with("`GRANT pg_read_all_stats TO nobody`"),
        "{missing:?}"
    );
    assert!(missing["wal"].ends_with("`GRANT pg_monitor TO nobody`"));
    assert!(!missing.contains_key("replication") && !missing.contains_key("connection_slots"));
}

#[tokio::test]
async fn what_its_own_session_was_told_is_no_setting_of_the_server() {
    let postgres = Postgres::with(15, &["statement_timeout=10min"]);
    let plan = planned(&postgres, "postgres", "").await;
    let run = plan
        .runs
        .iter()
        .find(|run| &*run.collector.name == "settings")
        .unwrap();
    let told = "-c default_transaction_read_only=on -c statement_timeout=5000";
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(postgres.port())
        .user("postgres")
        .options(told);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let begun = sampled(run, &[read(&client, &run.sql).await.unwrap()]);
    assert_eq!(
        value(&begun, "pg_settings_statement_timeout_seconds", &[]),
        None
    );
    assert_eq!(
        value(&begun, "pg_settings_transaction_read_only", &[]),
        Some(0.0)
    );
    let later = sampled(run, &answers(&postgres, "postgres", run).await);
    assert_eq!(
        value(&later, "pg_settings_statement_timeout_seconds", &[]),
        Some(600.0)
    );
}
