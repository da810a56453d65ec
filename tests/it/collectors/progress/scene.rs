//! A server on which everything that has a progress view runs, slowly enough to be seen.

use std::process::{Child, Stdio};

use crate::collectors::connect;
use crate::harness::Postgres;

/// Autovacuum at work in three tables, two of which have the same name and one of which is in another database.
pub(super) fn busy(major: u32) -> Postgres {
    let mut settings = vec![
        "autovacuum_naptime=1s",
        "autovacuum_max_workers=5",
        "max_prepared_transactions=1",
    ];
    if major >= 18 {
        settings.push("track_cost_delay_timing=on");
    }
    let postgres = Postgres::with(major, &settings);
    postgres.sql(
        "postgres",
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE DATABASE other;
         CREATE FUNCTION itself(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
           AS 'BEGIN PERFORM pg_sleep(600) WHERE current_setting(''test.slow'', true) = ''on''; RETURN $1; END';
         CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql
           AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END';",
    );
    let filled = |table: &str| {
        format!(
            "CREATE TABLE {table} WITH (autovacuum_enabled = off) AS
               SELECT n AS id, repeat('x', 500) AS body FROM generate_series(1, 20000) AS n;"
        )
    };
    let due = |table: &str| {
        filled(table)
            + &format!(
                "DELETE FROM {table} WHERE id % 2 = 0;
                 ALTER TABLE {table} SET (autovacuum_enabled = on, autovacuum_vacuum_threshold = 0,
                   autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100,
                   autovacuum_vacuum_cost_limit = 1);"
            )
    };
    for table in ["vacuumed", "analyzed", "indexed", "copied", "rewritten"] {
        postgres.sql("postgres", &filled(table));
    }
    postgres.sql("other", &filled("vacuumed"));
    for (database, table) in [
        ("postgres", "a.orders"),
        ("postgres", "b.orders"),
        ("other", "orders"),
    ] {
        postgres.sql(database, &due(table));
    }
    postgres
}

/// Runs a statement that does not end before the server does.
async fn run(postgres: &Postgres, database: &str, statement: &str) {
    let client = connect(postgres, "postgres", database).await;
    let slow = "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1; SET test.slow = on";
    client.batch_execute(slow).await.unwrap();
    let statement = statement.to_owned();
    tokio::spawn(async move { client.batch_execute(&statement).await });
}

/// A base backup that takes its time; ended on drop.
pub(super) struct Backup(Child);

impl Backup {
    fn of(postgres: &Postgres) -> Backup {
        let mut command = postgres.command("pg_basebackup");
        command.args(["-X", "none", "-c", "fast", "-r", "32k", "-P", "-D"]);
        command.arg(postgres.dir().join("copy"));
        Backup(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Begins everything else that has a progress view.
pub(super) async fn start_everything(postgres: &Postgres) -> Backup {
    let rows = postgres.dir().join("data/rows");
    let copy = format!("COPY copied FROM '{}'", rows.display());
    postgres.sql(
        "postgres",
        &format!(
            "COPY copied TO '{}';
             CREATE TRIGGER slow BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION slowly();
             CREATE INDEX rewritten_id ON rewritten (itself(id));
             BEGIN; INSERT INTO indexed VALUES (0, ''); PREPARE TRANSACTION 'one';",
            rows.display()
        ),
    );
    for (database, statement) in [
        ("postgres", "VACUUM vacuumed"),
        ("other", "VACUUM vacuumed"),
        ("postgres", "ANALYZE analyzed"),
        (
            "postgres",
            "CREATE INDEX CONCURRENTLY waiting ON indexed (id)",
        ),
        ("postgres", "CLUSTER rewritten USING rewritten_id"),
        ("postgres", &copy),
    ] {
        run(postgres, database, statement).await;
    }
    Backup::of(postgres)
}
