//! pg_stat_statements: which statements are shown and that nothing is lost, whatever the version of the extension and
//! wherever it is, and what is said where it cannot be read.

use std::collections::BTreeMap;

use pgvigil::collectors::{Room, Run, Sampled, load, samples};
use pgvigil::sample::Sample;
use pgvigil::scrape::once;
use pgvigil::server::{self, Server};

use super::{PATIENCE, answers, collect, planned, settings, value};
use crate::harness::Postgres;

const TABLES: usize = 300;
const SHOWN: usize = 100;

/// What is asked most in each way.
const MOST_CALLED: &str = "SELECT count(*) FROM t7";
const MOST_ROWS: &str = "SELECT n FROM t8";
const MOST_TEMP: &str = "SELECT n FROM t9 ORDER BY n LIMIT $1";
const MOST_WAL: &str = "INSERT INTO t10 SELECT generate_series($1, $2)";

/// A server on which a few hundred different statements ran, with the extension in a schema of an odd name.
fn busy(major: u32, version: Option<&str>) -> Postgres {
    let postgres = Postgres::with(major, &["pg_stat_statements.track=all", "work_mem=64kB"]);
    let version = version.map_or(String::new(), |version| format!("VERSION '{version}'"));
    postgres.sql(
        "postgres",
        &format!(
            r#"CREATE SCHEMA "Odd ""x";
               CREATE EXTENSION pg_stat_statements SCHEMA "Odd ""x" {version};
               CREATE ROLE "Róle" LOGIN;
               DO $$ BEGIN
                 FOR i IN 1..{TABLES} LOOP
                   EXECUTE format('CREATE TABLE t%s WITH (autovacuum_enabled = off) AS SELECT %s AS n', i, i);
                   EXECUTE format('GRANT SELECT ON t%s TO "Róle"', i);
                 END LOOP;
               END $$;
               CREATE FUNCTION nested() RETURNS bigint LANGUAGE plpgsql AS
                 'DECLARE found bigint; BEGIN SELECT count(*) INTO found FROM t1; RETURN found; END';
               INSERT INTO t8 SELECT generate_series(1, 2000);
               INSERT INTO t9 SELECT generate_series(1, 200000);"#
        ),
    );
    postgres.sql("postgres", r#"SELECT "Odd ""x".pg_stat_statements_reset()"#);
    let mut asked: String = (1..=TABLES)
        .map(|table| format!("SELECT count(*) FROM t{table};\n"))
        .collect();
    asked += &format!("{MOST_CALLED};\n").repeat(50);
    asked += &format!("{MOST_ROWS};\n").repeat(3);
    asked += "SELECT n FROM t9 ORDER BY n LIMIT 5;\n";
    asked += "INSERT INTO t10 SELECT generate_series(1, 20000);\n";
    asked +=
        "SELECT count(*) FROM t1; SELECT nested(); SET ROLE \"Róle\"; SELECT count(*) FROM t1;\n";
    postgres.sql("postgres", &asked);
    postgres
}

/// The identifier of a statement, as its text stands in the statistics.
fn identifier(postgres: &Postgres, text: &str) -> String {
    let sql = format!(
        r#"SELECT DISTINCT queryid FROM "Odd ""x".pg_stat_statements WHERE query = '{text}'"#
    );
    let found = postgres.sql("postgres", &sql);
    assert!(found.parse::<i64>().is_ok(), "{text}: {found}");
    found
}

async fn run_of(postgres: &Postgres, collector: &str, written: &str) -> Run {
    let mut runs = planned(postgres, "postgres", written)
        .await
        .runs
        .into_iter();
    runs.find(|run| &*run.collector.name == collector).unwrap()
}

/// The sum of each metric over all series.
fn sums(samples: &[Sample]) -> BTreeMap<&str, f64> {
    let mut sums = BTreeMap::new();
    for sample in samples {
        *sums.entry(&*sample.family.name).or_default() += sample.value;
    }
    sums
}

fn shown(sampled: &Sampled) -> usize {
    let calls = sampled.samples.iter();
    calls
        .filter(|sample| &*sample.family.name == "pg_stat_statements_calls_total")
        .count()
}

/// The statements that take most are shown, the rest is exactly what is missing, and the choice stays.
async fn check(major: u32, version: Option<&str>) {
    let postgres = busy(major, version);
    let run = run_of(&postgres, "statements", "").await;
    assert!(
        !run.sql.contains("query,") && run.sql.contains(r#""Odd ""x".pg_stat_statements(false)"#)
    );
    let table = answers(&postgres, "postgres", &run).await.remove(0);
    let whole = samples(&run, &table, &Room::default());
    assert!(shown(&whole) > TABLES, "{}", shown(&whole));
    let room = Room {
        series: Some(30_000),
        ..Room::default()
    };
    let most = samples(&run, &table, &room);
    assert_eq!(shown(&most), SHOWN);
    for text in [MOST_CALLED, MOST_ROWS, MOST_TEMP, MOST_WAL] {
        let identifier = identifier(&postgres, text);
        let labels = [
            ("user", "postgres"),
            ("datname", "postgres"),
            ("queryid", identifier.as_str()),
        ];
        let calls = value(&most.samples, "pg_stat_statements_calls_total", &labels);
        assert!(calls.is_some(), "{text}");
    }
    let rest = most.rest.as_ref().unwrap();
    assert_eq!(rest.rows as usize, shown(&whole) - SHOWN);
    let (all, kept) = (sums(&whole.samples), sums(&most.samples));
    assert_eq!(rest.values.len(), all.len());
    for (metric, value) in &rest.values {
        let (sum, all) = (kept[&**metric] + value, all[&**metric]);
        assert!(
            (sum - all).abs() <= 1e-9 * all.abs(),
            "{metric}: {sum} of {all}"
        );
    }
    let again = Room {
        shown: most.shown.clone(),
        ..room
    };
    assert_eq!(samples(&run, &table, &again).samples, most.samples);
    check_values(&postgres, &whole.samples);
}

/// The values are PostgreSQL's: both entries of a statement that a function runs as well, each role's by itself.
fn check_values(postgres: &Postgres, all: &[Sample]) {
    let identifier = identifier(postgres, "SELECT count(*) FROM t1");
    let of = |metric: &str, user: &str| {
        let labels = [("user", user), ("queryid", identifier.as_str())];
        value(all, metric, &labels)
    };
    let calls = "pg_stat_statements_calls_total";
    assert_eq!(of(calls, "postgres"), Some(3.0));
    assert_eq!(of(calls, "Róle"), Some(1.0));
    let seconds = postgres.sql(
        "postgres",
        &format!(
            r#"SELECT sum(total_exec_time) / 1000 FROM "Odd ""x".pg_stat_statements
               WHERE queryid = {identifier} AND userid = 'postgres'::regrole"#
        ),
    );
    let (told, seconds) = (
        of("pg_stat_statements_seconds_total", "postgres").unwrap(),
        seconds.parse::<f64>().unwrap(),
    );
    assert!((told - seconds).abs() < 1e-9, "{told} {seconds}");
}

#[tokio::test]
async fn the_statements_that_take_most_are_shown_on_13() {
    check(13, None).await;
}

#[tokio::test]
async fn the_statements_that_take_most_are_shown_on_15() {
    check(15, None).await;
}

#[tokio::test]
async fn the_statements_that_take_most_are_shown_on_18() {
    check(18, None).await;
}

#[tokio::test]
async fn an_extension_left_behind_by_an_upgrade_is_read_as_it_is() {
    check(18, Some("1.8")).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_the_way_out() {
    let postgres = Postgres::with(15, &["shared_preload_libraries="]);
    let reason = async |user: &str, collector: &str| {
        let plan = planned(&postgres, user, "").await;
        let omitted = plan.omitted.into_iter();
        let reason = omitted.filter(|omission| &*omission.collector.name == collector);
        reason.map(|omission| omission.reason.to_string()).next()
    };
    assert_eq!(
        reason("postgres", "statements").await.as_deref(),
        Some("extension `pg_stat_statements` is not installed in database `postgres`")
    );
    postgres.sql(
        "postgres",
        "CREATE ROLE nobody LOGIN; CREATE EXTENSION pg_stat_statements VERSION '1.7'",
    );
    assert_eq!(
        reason("postgres", "statements").await.as_deref(),
        Some(
            "extension `pg_stat_statements` is too old at version 1.7; mend with `ALTER EXTENSION pg_stat_statements UPDATE`"
        )
    );
    postgres.sql("postgres", "ALTER EXTENSION pg_stat_statements UPDATE");
    let denied = reason("nobody", "statements").await.unwrap();
    assert!(
        denied.ends_with("mend with `GRANT pg_read_all_stats TO nobody`"),
        "{denied}"
    );
    let connection = server::Settings::from_url(&postgres.url("postgres", "postgres"));
    let server = Server::new(connection.unwrap(), PATIENCE);
    let readings = once(&server, &load(&[]).unwrap(), &settings(""))
        .await
        .unwrap();
    let failed = readings
        .iter()
        .find(|reading| &*reading.source.collector == "statements");
    let said = &failed.unwrap().outcome.as_ref().unwrap_err().words;
    assert!(
        said.starts_with("pg_stat_statements must be loaded via shared_preload_libraries"),
        "{said}"
    );
}

#[tokio::test]
async fn what_was_forgotten_is_counted() {
    let postgres = Postgres::with(15, &["pg_stat_statements.max=100"]);
    postgres.sql("postgres", "CREATE EXTENSION pg_stat_statements");
    let mut asked = String::new();
    for table in 0..200 {
        asked += &format!("CREATE TABLE t{table} (); SELECT FROM t{table};\n");
    }
    postgres.sql("postgres", &asked);
    let samples = collect(&postgres, &["statements_info"], "").await;
    let forgotten = value(&samples, "pg_stat_statements_deallocations_total", &[]);
    assert!(forgotten > Some(0.0), "{forgotten:?}");
    let reset = "pg_stat_statements_stats_reset_timestamp_seconds";
    assert!(value(&samples, reset, &[]).is_some());
}
