//! The built-in collectors against real servers: every name, type and label, and the cases in which others go wrong.

mod aliases;
mod behaviour;
mod bloat;
mod idle;
mod many;
mod names;
mod page;
mod progress;
mod server_scope;
mod statements;
mod texts;

use std::time::Duration;

use pgvigil::collectors::{Plan, Room, Run, Settings, load, plan, reference, samples};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::Sample;
use pgvigil::server::{self, Server, Table};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::harness::Postgres;

const PATIENCE: Duration = Duration::from_secs(60);

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
                table = Table::new(columns.iter().map(|column| column.name()));
            }
            SimpleQueryMessage::Row(row) => {
                let cells: Vec<_> = (0..row.len()).map(|place| row.get(place)).collect();
                table.push(&cells);
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

async fn planned(postgres: &Postgres, user: &str, written: &str) -> Plan {
    let connection = server::Settings::from_url(&postgres.url(user, "postgres")).unwrap();
    let facts = Server::new(connection, PATIENCE).facts().await.unwrap();
    plan(&load(&[]).unwrap(), &facts, &settings(written))
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
        let answer = read(&client, &run.statement(&[])).await;
        tables.push(
            answer
                .unwrap_or_else(|error| panic!("{} in {database}: {error:?}", run.collector.name)),
        );
    }
    tables
}

fn sampled(run: &Run, tables: &[Table]) -> Vec<Sample> {
    let each = tables
        .iter()
        .map(|table| samples(run, table, &Room::default()));
    each.flat_map(|sampled| {
        assert_eq!(sampled.dropped, 0, "{}", run.collector.name);
        sampled.samples
    })
    .collect()
}

/// The samples of the named collectors only.
async fn collect(postgres: &Postgres, names: &[&str], written: &str) -> Vec<Sample> {
    let mut all = Vec::new();
    for run in planned(postgres, "postgres", written).await.runs {
        if names.contains(&&*run.collector.name) {
            all.extend(sampled(&run, &answers(postgres, "postgres", &run).await));
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
