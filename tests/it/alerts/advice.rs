//! What is no emergency: the examples that advise, and a lock table that fills.

use super::watch::Watch;
use super::{Case, clients, real};
use crate::harness::Postgres;

pub(super) const CASES: &[Case] = &[
    real("PostgresqlIndexDuplicate/info"),
    real("PostgresqlForeignKeyUnindexed/info"),
    real("PostgresqlPrimaryKeyMissing/info"),
    real("PostgresqlExtensionOutdated/info"),
    real("ArchiveTimeoutTooLong/info"),
    real("PostgresqlConnectionsUnencrypted/warning"),
    real("PostgresqlLockTableFull/warning"),
    real("PostgresqlLockTableFull/critical"),
];

const SCHEMA: &str = "CREATE EXTENSION pg_stat_statements VERSION '1.9';
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent int REFERENCES parent, id int);
CREATE INDEX one ON child (id); CREATE INDEX two ON child (id);
DO $$ BEGIN FOR i IN 1..115 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', i); COMMIT; END LOOP; END $$;";

const MENDED: &str = "ALTER EXTENSION pg_stat_statements UPDATE; DROP INDEX one; DROP INDEX two;
CREATE INDEX ON child (parent); ALTER TABLE child ADD PRIMARY KEY (id);
ALTER SYSTEM SET archive_timeout = 60; SELECT pg_reload_conf();";

#[test]
fn what_is_no_emergency() {
    let settings = [
        "max_connections=12",
        "max_locks_per_transaction=10",
        "archive_mode=on",
        "archive_command=true",
    ];
    let postgres = Postgres::with(18, &settings);
    postgres.sql("postgres", SCHEMA);
    // Over the socket, so that the watch itself counts as no connection over the network.
    let config = format!(
        "servers: [{{name: rachel, url: 'host={} port={} user=postgres dbname=postgres'}}]",
        postgres.dir().display(),
        postgres.port()
    );
    let watch = Watch::over(CASES, &config, "", &[]);
    let locks = "BEGIN;\nDO $$ BEGIN FOR i IN 1..115 LOOP EXECUTE format('LOCK TABLE t%s', i); END LOOP; END $$;\n\\sleep 600 s\n";
    let held = clients(&postgres, &postgres.url("postgres", "postgres"), 1, locks);
    let all: Vec<&str> = CASES.iter().map(|case| case.rule).collect();
    watch.fires(&all);
    drop(held);
    postgres.sql("postgres", MENDED);
    watch.clears(&all);
    watch.finish();
}
