//! What a server needs to go on: WAL and its archive, vacuum, settings that are safe, whole pages, and room in sequences.
//! The watch comes as the role of a monitor, which a database can refuse.

use std::process::Command;

use super::watch::Watch;
use super::{Case, PATIENCE, clients, lowered, real};
use crate::harness::{Daemon, Postgres, Scratch, eventually};

pub(super) const CASES: &[Case] = &[
    real("PostgresqlTransactionIdsRunningOut/warning"),
    real("PostgresqlTransactionIdsRunningOut/critical"),
    real("PostgresqlMultixactsRunningOut/warning"),
    real("PostgresqlMultixactsRunningOut/critical"),
    real("PostgresqlFreezeOverdue/warning"),
    real("PostgresqlFreezeOverdue/critical"),
    real("PostgresqlAutovacuumSaturated/warning"),
    real("PostgresqlAutovacuumOff/critical"),
    real("PostgresqlVacuumOverdue/warning"),
    real("PostgresqlVacuumOverdue/critical"),
    real("PostgresqlNotCrashSafe/critical"),
    real("PostgresqlChecksumFailures/critical"),
    real("PostgresqlSequenceRunningOut/warning"),
    real("PostgresqlSequenceRunningOut/critical"),
    real("PostgresqlIndexInvalid/warning"),
    real("PostgresqlWalDirectoryLarge/warning"),
    real("PostgresqlWalDirectoryLarge/critical"),
    real("WalArchiveFailing/warning"),
    real("WalArchiveFailing/critical"),
    real("WalArchiveBacklog/warning"),
    lowered("WalArchiveBacklog/critical", 11.0),
    lowered("WalArchiveStuck/warning", 1.0),
    lowered("WalArchiveStuck/critical", 2.0),
    real("PostgresqlCheckpointsRequested/warning"),
    lowered("PostgresqlCheckpointOverdue/warning", 0.01),
    lowered("PostgresqlCheckpointOverdue/critical", 0.02),
    real("PostgresqlPendingRestart/warning"),
    real("PostgresqlConfigurationFileError/critical"),
    real("PostgresqlHbaFileError/critical"),
    real("PostgresqlSettingsChanged/info"),
    real("PostgresqlCacheHitLow/warning"),
    real("PostgresqlCacheHitLow/critical"),
    real("PostgresqlRollbackRatioHigh/warning"),
    real("PostgresqlRollbackRatioHigh/critical"),
    real("PgvigilCollectorFailing/warning"),
    lowered("PgvigilCollectorFailing/critical", 3.0),
    real("PgvigilCollectorSlow/warning"),
    real("PgvigilSeriesDropped/warning"),
    real("PgvigilDatabaseSkipped/warning"),
];

/// What looks back over minutes.
const LASTING: [&str; 6] = [
    "PostgresqlSettingsChanged/info",
    "PostgresqlCheckpointsRequested/warning",
    "PostgresqlCacheHitLow/warning",
    "PostgresqlCacheHitLow/critical",
    "PostgresqlRollbackRatioHigh/warning",
    "PostgresqlRollbackRatioHigh/critical",
];
const OVERDUE: [&str; 2] = [
    "PostgresqlCheckpointOverdue/warning",
    "PostgresqlCheckpointOverdue/critical",
];
const SKIPPED: [&str; 1] = ["PgvigilDatabaseSkipped/warning"];

/// One worker of autovacuum that hardly moves, whatever the age.
const SETTINGS: [&str; 15] = [
    "autovacuum=off",
    "autovacuum_max_workers=1",
    "autovacuum_vacuum_cost_delay=100ms",
    "autovacuum_vacuum_cost_limit=1",
    "vacuum_failsafe_age=2100000000",
    "vacuum_multixact_failsafe_age=2100000000",
    "archive_mode=on",
    "archive_command=false",
    "max_wal_size=32MB",
    "min_wal_size=32MB",
    "checkpoint_timeout=30s",
    "checkpoint_completion_target=0",
    "max_parallel_workers_per_gather=0",
    "log_checkpoints=off",
    "autovacuum_naptime=1s",
];

const SCHEMA: &str =
    "CREATE DATABASE app; CREATE ROLE mon LOGIN; GRANT pg_monitor, pg_read_all_data TO mon;
GRANT EXECUTE ON FUNCTION pg_show_all_file_settings(), pg_hba_file_rules() TO mon;
CREATE TABLE fragile (); CREATE TABLE sluggish AS SELECT 0.0 AS nap;
CREATE TABLE twice AS SELECT 'a' AS name, 1 AS value;";

const APP: &str = "CREATE TABLE wide AS SELECT repeat('x', 1900) AS filler FROM generate_series(1, 16000);
CREATE TABLE rotten AS SELECT 1 AS id;
CREATE TABLE worn (id int) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
INSERT INTO worn SELECT generate_series(1, 40); DELETE FROM worn;
CREATE TABLE orders (id serial); SELECT setval('orders_id_seq', 2000000000);
CREATE TABLE same AS SELECT 1 AS id FROM generate_series(1, 2);
CHECKPOINT;";

const COLLECTORS: [(&str, &str); 3] = [
    (
        "fragile.yml",
        "name: fragile\ndoc: A table that may be locked.\nqueries: [{sql: SELECT count(*) AS n FROM fragile}]\n\
         metrics: {fragile_rows: {from: n, help: Rows.}}\n",
    ),
    (
        "sluggish.yml",
        "name: sluggish\ndoc: A statement that takes its time.\nlane: slow\n\
         queries: [{sql: 'SELECT nap FROM sluggish, pg_sleep(nap)'}]\nmetrics: {sluggish_seconds: {from: nap, help: Time.}}\n",
    ),
    (
        "twice.yml",
        "name: twice\ndoc: Rows that may be there twice.\nlabels: [name]\n\
         queries: [{sql: 'SELECT name, value FROM twice'}]\nmetrics: {twice_value: {from: value, help: Value.}}\n",
    ),
];

#[test]
fn what_keeps_a_server_going() {
    let postgres = Postgres::with(18, &SETTINGS);
    postgres.sql("postgres", SCHEMA);
    postgres.sql("app", APP);
    let rotten = postgres.sql("app", "SELECT pg_relation_filepath('rotten')");
    let index = "CREATE UNIQUE INDEX CONCURRENTLY broken ON same (id)";
    let failed = postgres
        .command("psql")
        .args(["-d", "app", "-c", index])
        .output();
    assert!(!failed.unwrap().status.success(), "the index is valid");
    postgres.stop();
    postgres.damage(&rotten);
    postgres.use_up(1_700_000_000, 1_650_000_000);
    postgres.start_again();

    let scratch = Scratch::new();
    for (name, text) in COLLECTORS {
        scratch.write(name, text);
    }
    let config = format!(
        "servers: [{{name: rachel, url: '{}'}}]",
        postgres.url("mon", "postgres")
    );
    let more = format!(
        "  include: ['{0}/fragile.yml', '{0}/sluggish.yml', '{0}/twice.yml']\n",
        scratch.path().display()
    );
    let watch = Watch::in_folder(scratch, CASES, &config, &more, &[]);
    let staged = stage(&postgres, &watch);
    let apart = |rule: &&str| [&OVERDUE[..], &SKIPPED].concat().contains(rule);
    let passing: Vec<&str> = CASES
        .iter()
        .map(|case| case.rule)
        .filter(|rule| !apart(rule))
        .collect();
    watch.fires(&passing);
    hold_up_the_checkpointer(&postgres, &watch);

    drop(staged);
    mend(&postgres);
    let apart = |rule: &&str| [&OVERDUE[..], &SKIPPED, &LASTING].concat().contains(rule);
    let passing: Vec<&str> = CASES
        .iter()
        .map(|case| case.rule)
        .filter(|rule| !apart(rule))
        .collect();
    recycle(&postgres);
    watch.clears(&passing);
    watch.clock("+31m");
    watch.clears(&LASTING);

    postgres.sql("postgres", "REVOKE CONNECT ON DATABASE app FROM PUBLIC");
    watch.fires(&SKIPPED);
    postgres.sql("postgres", "GRANT CONNECT ON DATABASE app TO PUBLIC");
    watch.clears(&SKIPPED);
    watch.finish();
}

fn stage(postgres: &Postgres, watch: &Watch) -> [Daemon; 3] {
    watch.knows("pg_configuration_fingerprint");
    watch.knows("fragile_rows");
    let url = postgres.url("postgres", "app");
    let held = [
        clients(postgres, &url, 2, "SELECT count(*) FROM wide;\n"),
        clients(postgres, &url, 2, "BEGIN;\nSELECT 1;\nROLLBACK;\n"),
        clients(
            postgres,
            &postgres.url("postgres", "postgres"),
            1,
            "BEGIN;\nLOCK TABLE fragile;\n\\sleep 600 s\n",
        ),
    ];
    postgres.sql(
        "app",
        "DO $$ BEGIN PERFORM count(*) FROM rotten; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    );
    postgres.sql(
        "postgres",
        "UPDATE sluggish SET nap = 0.8; INSERT INTO twice SELECT * FROM twice;
         ALTER SYSTEM SET max_connections = 50; ALTER SYSTEM SET work_mem = '5MB'; SELECT pg_reload_conf();",
    );
    // A session takes the settings over at its next statement, and none that are mistaken.
    watch.fires(&[
        "PostgresqlPendingRestart/warning",
        "PostgresqlSettingsChanged/info",
    ]);
    let conf = postgres.read_file("postgresql.conf");
    postgres.write_file("postgresql.conf", conf + "no_such_setting = 1\n");
    let rules = postgres.read_file("pg_hba.conf");
    postgres.write_file("pg_hba.conf", rules + "nonsense\n");
    for number in 0..12 {
        postgres.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
        );
        if number % 3 == 0 {
            postgres.sql("postgres", "CHECKPOINT");
        }
    }
    held
}

/// A checkpointer that stands still while WAL is written.
fn hold_up_the_checkpointer(postgres: &Postgres, watch: &Watch) {
    let pid = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let pid = postgres.sql("postgres", pid);
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    };
    postgres.sql("postgres", "CHECKPOINT");
    signal("-STOP");
    for _ in 0..3 {
        postgres.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
        );
    }
    watch.fires(&OVERDUE);
    signal("-CONT");
    postgres.sql("postgres", "CHECKPOINT");
    watch.clears(&OVERDUE);
}

fn mend(postgres: &Postgres) {
    for (name, wrong) in [
        ("postgresql.conf", "no_such_setting = 1\n"),
        ("pg_hba.conf", "nonsense\n"),
    ] {
        let text = postgres.read_file(name).replace(wrong, "");
        postgres.write_file(name, text);
    }
    postgres.sql(
        "postgres",
        "UPDATE sluggish SET nap = 0; TRUNCATE twice;
         ALTER SYSTEM RESET max_connections; ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET full_page_writes = on;
         ALTER SYSTEM SET archive_command = 'true'; ALTER SYSTEM SET autovacuum_vacuum_cost_delay = 0;
         ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();",
    );
    postgres.sql(
        "app",
        "DROP TABLE rotten; DROP TABLE same; SELECT setval('orders_id_seq', 1); SELECT pg_stat_reset(); VACUUM worn",
    );
    let frozen = postgres
        .command("vacuumdb")
        .args(["--all", "--freeze", "--quiet"])
        .output()
        .unwrap();
    assert!(
        frozen.status.success(),
        "{}",
        String::from_utf8_lossy(&frozen.stderr)
    );
}

/// What is archived is removed by the next checkpoints.
fn recycle(postgres: &Postgres) {
    eventually("the WAL is archived and removed", PATIENCE, || {
        postgres.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal(); CHECKPOINT",
        );
        let size = "SELECT sum(size) < 65 * 1024 * 1024 FROM pg_ls_waldir()";
        (postgres.sql("postgres", size) == "t").then_some(())
    });
}
