//! The procedures for databases and tables.

use std::time::Duration;

use super::job::Jobs;
use super::server;
use crate::harness::{Postgres, eventually};

const DEADLINE: Duration = Duration::from_secs(60);

/// A server with its dump and its roles written down, and the variables of the procedures set.
fn prepared(major: u32) -> (Postgres, Jobs) {
    let postgres = server(major, &[]);
    postgres.sql(
        "postgres",
        "CREATE ROLE app LOGIN PASSWORD 'x'; ALTER DATABASE rachel SET work_mem = '7MB'; GRANT CONNECT ON DATABASE rachel TO app",
    );
    postgres.sql(
        "rachel",
        "ALTER TABLE games OWNER TO app; GRANT SELECT ON users TO app",
    );
    let mut jobs = Jobs::of(&postgres);
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    jobs.run("globals.sh", &["backups"]).is_silent();
    let globals = jobs.names().into_iter().find(|name| name.ends_with(".sql"));
    jobs.set("GLOBALS", jobs.backups().join(globals.unwrap()).display());
    jobs.set("DUMP", jobs.dump().display());
    jobs.set("DATABASE", "rachel");
    (postgres, jobs)
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM games)";

#[test]
fn a_database_is_restored_beside_looked_at_put_in_place_and_back() {
    for major in [15, 17] {
        let (postgres, jobs) = prepared(major);
        postgres.sql("rachel", "DELETE FROM games");
        jobs.follow("restore-beside").is_good();
        // Nothing has happened to the one in use.
        assert_eq!(postgres.sql("rachel", COUNTS), "500|0");
        assert_eq!(postgres.sql("rachel_new", COUNTS), "500|2000");
        let settings = jobs.follow("database-settings");
        settings.is_good();
        assert!(
            settings.stdout.contains("SET work_mem TO '7MB'"),
            "{settings:?}"
        );
        assert!(
            settings
                .stdout
                .contains("GRANT CONNECT ON DATABASE rachel TO app"),
            "{settings:?}"
        );
        postgres.sql("rachel", "CREATE TABLE since_then ()");
        let look = jobs.follow("look");
        look.is_good();
        assert!(
            look.stdout.contains("missing: public.since_then\n"),
            "{look:?}"
        );
        // Somebody is still connected.
        let mut held = jobs.command("psql");
        let held = held
            .args(["-X", "-d", "rachel", "-c", "SELECT pg_sleep(300)"])
            .spawn()
            .unwrap();
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'rachel' AND query LIKE 'SELECT pg_sleep%'";
        eventually("somebody is connected", DEADLINE, || {
            (postgres.sql("postgres", sessions) == "1").then_some(())
        });
        jobs.follow("swap").is_good();
        let ended = held.wait_with_output().unwrap();
        assert!(!ended.status.success());
        assert_eq!(postgres.sql("rachel", COUNTS), "500|2000");
        jobs.follow("swap-back").is_good();
        assert_eq!(postgres.sql("rachel", COUNTS), "500|0");
        postgres.sql("postgres", "ALTER DATABASE rachel_bad RENAME TO rachel_new");
        jobs.follow("swap").is_good();
        jobs.follow("drop-old").is_good();
        let names = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'rachel%'";
        assert_eq!(postgres.sql("postgres", names), "rachel");
        let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'games'";
        assert_eq!(postgres.sql("rachel", owner), "app");
    }
}

#[test]
fn a_restore_that_fails_leaves_the_database_in_use_alone() {
    let (postgres, mut jobs) = prepared(15);
    let whole = std::fs::read(jobs.dump()).unwrap();
    let cut = jobs.scratch.write("cut.dump", &whole[..whole.len() / 2]);
    let sum = crate::guidance::job::sha256(&cut);
    jobs.scratch
        .write("cut.dump.sha256", format!("{sum}  cut.dump\n"));
    jobs.set("DUMP", cut.display());
    let ended = jobs.follow("restore-beside");
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert_eq!(postgres.sql("rachel", COUNTS), "500|2000");
    // One that is not what was written is not even begun.
    jobs.scratch
        .write("cut.dump.sha256", format!("{}  cut.dump\n", "0".repeat(64)));
    postgres.sql("postgres", "DROP DATABASE rachel_new");
    let ended = jobs.follow("restore-beside");
    assert_ne!(ended.code, Some(0), "{ended:?}");
    let new = "SELECT count(*) FROM pg_database WHERE datname = 'rachel_new'";
    assert_eq!(postgres.sql("postgres", new), "0");
}

#[test]
fn roles_come_before_the_database_on_a_new_server() {
    let (_old, jobs) = prepared(15);
    let fresh = Postgres::start(17);
    let mut there = Jobs::of(&fresh);
    let globals = jobs
        .names()
        .into_iter()
        .find(|name| name.ends_with(".sql"))
        .unwrap();
    there.set("GLOBALS", jobs.backups().join(globals).display());
    there.set("DUMP", jobs.dump().display());
    there.set("DATABASE", "rachel");
    there.follow("roles").is_good();
    there.follow("restore-beside").is_good();
    assert_eq!(fresh.sql("rachel_new", COUNTS), "500|2000");
    assert_eq!(
        fresh.sql(
            "postgres",
            "SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'app'"
        ),
        "t"
    );
}

#[test]
fn rows_of_one_table_come_back_with_their_keys() {
    for major in [15, 17] {
        let (postgres, mut jobs) = prepared(major);
        jobs.set("SCHEMA", "public");
        jobs.set("TABLE", "users");
        postgres.sql(
            "rachel",
            "DELETE FROM games WHERE player < 100; DELETE FROM users WHERE id < 100; UPDATE users SET name = 'kept' WHERE id = 400",
        );
        jobs.follow("one-table").is_good();
        let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'users'";
        assert_eq!(postgres.sql("rescue", indexes), "2");
        assert_eq!(postgres.sql("rescue", COUNTS), "500|0");
        jobs.follow("fetch-rows").is_good();
        jobs.follow("take-over").is_good();
        let after = "SELECT count(*), count(*) FILTER (WHERE name = 'kept'), (SELECT count(*) FROM pg_namespace WHERE nspname = 'rescue') FROM users";
        assert_eq!(postgres.sql("rachel", after), "500|1|0");
        assert_eq!(
            postgres.sql(
                "postgres",
                "SELECT count(*) FROM pg_database WHERE datname = 'rescue'"
            ),
            "0"
        );
    }
}

/// A managed service gives a role that may make databases and is no superuser.
#[test]
fn who_is_no_superuser_restores_too() {
    let (postgres, mut jobs) = prepared(15);
    postgres.sql(
        "postgres",
        "CREATE ROLE tenant LOGIN CREATEDB; GRANT pg_read_all_data TO tenant",
    );
    jobs.set("PGUSER", "tenant");
    jobs.follow("managed").is_good();
    assert_eq!(postgres.sql("rachel_new", COUNTS), "500|2000");
    let mut second = Jobs::of(&postgres);
    second.set("PGUSER", "tenant");
    second.run("dump.sh", &["rachel", "backups"]).is_silent();
    postgres.sql("postgres", "CREATE ROLE poor LOGIN");
    second.set("PGUSER", "poor");
    second
        .run("globals.sh", &["backups"])
        .failed("permission denied");
    second.set("GLOBALS", "--no-role-passwords");
    second.run("globals.sh", &["backups"]).is_silent();
}
