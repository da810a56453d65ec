//! A PostgreSQL with many tables or databases, and the little that happens on it.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::it::harness::Postgres;
use crate::process;

pub const MAJOR: u32 = 18;

/// How many tables change in a second.
const BUSY: u32 = 100;

pub struct Scene {
    pub postgres: Postgres,
    client: Client,
    session: u32,
    workload: (u32, JoinHandle<()>),
}

/// What the server has done for one role so far.
pub struct Work {
    pub statements: f64,
    pub executing: f64,
    pub cpu: f64,
}

impl Scene {
    /// So many tables, each with three indexes and ten rows, in each of so many databases.
    pub async fn build(tables: u32, databases: u32) -> Scene {
        let postgres = Postgres::with(
            MAJOR,
            // Autovacuum would analyze the new tables at some time of its own.
            &[
                "max_locks_per_transaction=4096",
                "autovacuum=off",
                "shared_buffers=128MB",
            ],
        );
        postgres.sql(
            "postgres",
            "CREATE ROLE pgvigil LOGIN IN ROLE pg_monitor; CREATE DATABASE app",
        );
        postgres.sql(
            "app",
            &format!(
                "CREATE EXTENSION pg_stat_statements;
                 DO $$ BEGIN FOR n IN 1..{tables} LOOP
                   EXECUTE format('CREATE TABLE table_%s (id int PRIMARY KEY, name text, at int)', n);
                   EXECUTE format('INSERT INTO table_%s SELECT g, g, g FROM generate_series(1, 10) g', n);
                   EXECUTE format('CREATE INDEX table_%s_name ON table_%s (name)', n, n);
                   EXECUTE format('CREATE INDEX table_%s_at ON table_%s (at)', n, n);
                 END LOOP; END $$; ANALYZE;"
            ),
        );
        for number in 1..databases {
            postgres.sql(
                "postgres",
                &format!("CREATE DATABASE app_{number} TEMPLATE app"),
            );
        }
        postgres.sql("postgres", "CHECKPOINT");
        let (client, session) = connect(&postgres).await;
        client
            .execute("SELECT pg_stat_statements_reset()", &[])
            .await
            .unwrap();
        let workload = work(&postgres, tables).await;
        Scene {
            postgres,
            client,
            session,
            workload,
        }
    }

    /// What the monitor's role has had done so far.
    pub async fn work(&self) -> Work {
        let row = self
            .client
            .query_one(
                "SELECT coalesce(sum(calls), 0)::float8, coalesce(sum(total_exec_time), 0)::float8
                 FROM pg_stat_statements JOIN pg_roles r ON r.oid = userid WHERE rolname = 'pgvigil'",
                &[],
            )
            .await
            .unwrap();
        Work {
            statements: row.get(0),
            executing: row.get(1),
            cpu: self.cpu(),
        }
    }

    /// Seconds that the server has used, without the benchmark's own session and the workload.
    fn cpu(&self) -> f64 {
        let postmaster = self.postgres.dir().join("data/postmaster.pid");
        let postmaster = std::fs::read_to_string(postmaster).unwrap();
        let postmaster = postmaster.lines().next().unwrap().parse().unwrap();
        let all = process::cpu_of_all(postmaster, self.session);
        all - process::cpu(self.workload.0)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.workload.1.abort();
    }
}

async fn connect(postgres: &Postgres) -> (Client, u32) {
    let url = postgres.url("postgres", "app");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap();
    (client, row.get::<_, i32>(0) as u32)
}

/// Changes some tables each second, so that their statistics move.
async fn work(postgres: &Postgres, tables: u32) -> (u32, JoinHandle<()>) {
    let (client, session) = connect(postgres).await;
    let step = (tables / BUSY).max(1);
    let change = format!(
        "DO $$ DECLARE n int; BEGIN FOR n IN SELECT generate_series(1, {tables}, {step}) LOOP
           EXECUTE format('UPDATE table_%s SET at = at + 1 WHERE id = 1', n);
         END LOOP; END $$"
    );
    let task = tokio::spawn(async move {
        while client.batch_execute(&change).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    (session, task)
}
