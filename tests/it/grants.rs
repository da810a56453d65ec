//! The documented role: with what `grants` prints every collector reads, and with less each names the GRANT it wants.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use super::harness::{Daemon, Postgres, Scratch, pgvigil};

const MAJORS: [u32; 3] = [13, 15, 18];
const PATIENCE: Duration = Duration::from_secs(60);

/// Sequences and tables of which pg_monitor alone learns nothing, in two databases.
fn server(major: u32) -> Postgres {
    let postgres = Postgres::start(major);
    postgres.sql("postgres", "CREATE DATABASE other");
    for database in ["postgres", "other"] {
        postgres.sql(
            database,
            "CREATE SCHEMA \"Odd \"\" schema\"; CREATE SEQUENCE \"Odd \"\" schema\".numbers;
             CREATE TABLE filled AS SELECT n FROM generate_series(1, 10000) AS n;
             CREATE INDEX ON filled (n);
             ANALYZE",
        );
    }
    postgres
}

fn psql(postgres: &Postgres, database: &str, script: &str) {
    let folder = Scratch::new();
    let mut psql: Command = postgres.command("psql");
    psql.args(["-X", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"]);
    let applied = psql
        .arg(folder.write("grants.sql", script))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&applied.stderr);
    assert!(applied.status.success(), "{said}");
}

fn run(arguments: &[&str], url: &str) -> (i32, String) {
    let (scratch, mut command) = (Scratch::new(), pgvigil());
    command.args(arguments).current_dir(scratch.path());
    command.env("DATABASE_URL", url);
    command.env("PGVIGIL_STATE_DIR", scratch.path());
    let mut daemon = Daemon::spawn(command);
    let code = daemon.wait(PATIENCE).expect("it ends");
    (code, daemon.output())
}

fn reads_everything(url: &str) {
    let (code, check) = run(&["check"], url);
    assert!(code == 0 && !check.contains("GRANT"), "{check}");
    let (code, explained) = run(&["explain"], url);
    assert!(code == 0 && !explained.contains("GRANT"), "{explained}");
}

#[test]
fn what_is_printed_is_enough() {
    for major in MAJORS {
        let postgres = server(major);
        let (code, script) = run(&["grants", "o'watcher", "--major", &major.to_string()], "");
        assert_eq!(code, 0);
        for database in ["postgres", "other"] {
            psql(&postgres, database, &script);
        }
        reads_everything(&postgres.url("o%27watcher", "postgres"));
    }
}

/// Where nobody may grant rights on pg_catalog.
#[test]
fn the_alternative_is_enough_where_it_exists() {
    let postgres = server(18);
    let role = "CREATE ROLE mon LOGIN; GRANT pg_monitor, pg_read_all_data TO mon";
    postgres.sql("postgres", role);
    let (_, check) = run(&["check"], &postgres.url("mon", "postgres"));
    for collector in ["sequences", "table_bloat", "index_bloat"] {
        assert!(!check.contains(collector), "{check}");
    }
}

#[test]
fn what_is_refused_names_the_grant_that_mends_it() {
    for major in MAJORS {
        let postgres = server(major);
        postgres.sql(
            "postgres",
            "CREATE ROLE mon LOGIN CONNECTION LIMIT 3; GRANT pg_monitor TO mon",
        );
        let url = postgres.url("mon", "postgres");
        let mut granted = BTreeSet::new();
        loop {
            let (code, check) = run(&["check"], &url);
            assert_eq!(code, 0, "{check}");
            let wanted = wanted(&check);
            if wanted.is_empty() {
                break;
            }
            for (database, statement) in wanted {
                postgres.sql(&database, &statement);
                assert!(granted.insert((database, statement)), "in vain:\n{check}");
            }
        }
        let of_other = granted.iter().filter(|(database, _)| database == "other");
        assert!(of_other.count() >= 2, "{granted:?}");
        reads_everything(&url);
    }
}

/// The GRANTs in what `check` says, with the database each is for.
fn wanted(check: &str) -> BTreeSet<(String, String)> {
    let between = |text: &str, before: &str, after: &str| {
        let (_, rest) = text.split_once(before)?;
        Some(rest.split_once(after)?.0.to_owned())
    };
    let lines = check.lines().filter(|line| line.contains("GRANT "));
    lines
        .map(|line| {
            let database = between(line, " in database `", "`: ");
            let (_, rest) = line.split_once("GRANT ").unwrap();
            let ends = ["`", " in the configured database"];
            let end = ends.iter().filter_map(|end| rest.find(end)).min();
            let statement = format!("GRANT {}", &rest[..end.unwrap_or(rest.len())]);
            (database.unwrap_or("postgres".into()), statement)
        })
        .collect()
}
