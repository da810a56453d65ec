//! Who is connected, what they wait for, and what they leave open.

use std::process::Command;

use super::watch::Watch;
use super::{Case, PATIENCE, clients, lowered, real};
use crate::harness::{Postgres, eventually};

pub(super) const CASES: &[Case] = &[
    real("PostgresqlRestarted/info"),
    real("PostgresqlCrashed/warning"),
    real("PostgresqlConnectionsHigh/warning"),
    real("PostgresqlConnectionsHigh/critical"),
    lowered("GuideConnectionsHigh/warning", 30.0),
    real("PostgresqlDatabaseConnectionsHigh/warning"),
    real("PostgresqlDatabaseConnectionsHigh/critical"),
    real("PostgresqlRoleConnectionsHigh/warning"),
    real("PostgresqlRoleConnectionsHigh/critical"),
    lowered("PostgresqlIdleInTransaction/warning", 1.0),
    lowered("PostgresqlIdleInTransaction/critical", 2.0),
    lowered("PostgresqlLongTransaction/warning", 1.0),
    lowered("PostgresqlLongTransaction/critical", 2.0),
    lowered("PostgresqlLongQuery/warning", 1.0),
    lowered("PostgresqlLongQuery/critical", 2.0),
    lowered("PostgresqlLockWait/warning", 1.0),
    lowered("PostgresqlLockWait/critical", 2.0),
    real("PostgresqlSessionsBlocked/warning"),
    real("PostgresqlSessionsBlocked/critical"),
    real("PostgresqlDeadlocks/warning"),
    real("PostgresqlDeadlocks/critical"),
    lowered("PostgresqlPreparedTransactionOld/warning", 1.0),
    lowered("PostgresqlPreparedTransactionOld/critical", 2.0),
    lowered("PostgresqlXminHorizonOld/warning", 10.0),
    lowered("PostgresqlXminHorizonOld/critical", 20.0),
    lowered("PostgresqlTemporaryFilesLarge/warning", 1e6),
    lowered("PostgresqlTemporaryFilesLarge/critical", 2e6),
];

/// What stays until the clock is put forward.
const LASTING: [&str; 4] = [
    "PostgresqlRestarted/info",
    "PostgresqlDeadlocks/warning",
    "PostgresqlDeadlocks/critical",
    "PostgresqlCrashed/warning",
];

#[test]
fn sessions_in_each_others_way() {
    let postgres = Postgres::with(
        18,
        &[
            "max_prepared_transactions=5",
            "deadlock_timeout=10ms",
            "client_connection_check_interval=200ms",
        ],
    );
    postgres.sql(
        "postgres",
        "CREATE DATABASE app CONNECTION LIMIT 4; CREATE ROLE clerk LOGIN CONNECTION LIMIT 3;\
         CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE d AS SELECT id, 0 AS v FROM generate_series(1, 4) AS id;",
    );
    let url = |user: &str, database: &str| postgres.url(user, database);
    let config = format!(
        "servers: [{{name: rachel, url: '{}'}}]",
        url("postgres", "postgres")
    );
    let watch = Watch::over(CASES, &config, "", &[]);
    watch.fires(&["PostgresqlRestarted/info"]);

    let quarrel = "\\set a random(1, 4)\n\\set b random(1, 4)\nBEGIN;\nUPDATE d SET v = v + 1 WHERE id = :a;\n\
                   UPDATE d SET v = v + 1 WHERE id = :b;\nCOMMIT;\n";
    let quarrel = clients(&postgres, &url("postgres", "postgres"), 8, quarrel);
    watch.fires(&LASTING[1..3]);
    drop(quarrel);

    let crowd = [
        (3, url("clerk", "postgres"), "SELECT 1;\n\\sleep 600 s\n"),
        (4, url("postgres", "app"), "SELECT pg_sleep(600);\n"),
        (
            1,
            url("postgres", "postgres"),
            "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM d;\nLOCK TABLE t;\n\\sleep 600 s\n",
        ),
        (
            1,
            url("postgres", "postgres"),
            "SET work_mem = '64kB';\nBEGIN;\nDECLARE c CURSOR FOR SELECT g FROM generate_series(1, 300000) AS g ORDER BY g DESC;\n\
             FETCH 1 FROM c;\n\\sleep 600 s\n",
        ),
        (25, url("postgres", "postgres"), "SELECT * FROM t;\n"),
    ];
    let mut held = Vec::new();
    for (count, url, script) in &crowd {
        held.push(clients(&postgres, url, *count, script));
        if *count == 1 {
            eventually("it idles in its transaction", PATIENCE, || {
                let idle =
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
                let expected = held.len() - 2;
                (postgres.sql("postgres", idle) == expected.to_string()).then_some(())
            });
        }
    }
    postgres.sql(
        "app",
        "DO $$ BEGIN FOR i IN 1..40 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$",
    );
    postgres.sql(
        "postgres",
        "BEGIN; CREATE TABLE p (); PREPARE TRANSACTION 'x';",
    );
    let passing: Vec<&str> = CASES
        .iter()
        .map(|case| case.rule)
        .filter(|rule| !LASTING.contains(rule))
        .collect();
    watch.fires(&passing);
    drop(held);
    postgres.sql("postgres", "ROLLBACK PREPARED 'x'");
    watch.clears(&passing);

    // A process that is killed takes all sessions with it; that is told from a start by ten seconds.
    eventually("ten seconds since the start", PATIENCE, || {
        let age = "SELECT now() - pg_postmaster_start_time() > '11 s'";
        (postgres.sql("postgres", age) == "t").then_some(())
    });
    let victim = postgres.sql(
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
    );
    let killed = Command::new("kill").args(["-9", &victim]).status().unwrap();
    assert!(killed.success());
    watch.fires(&LASTING[3..]);
    watch.clock("+31m");
    watch.clears(&LASTING);
    watch.finish();
}
