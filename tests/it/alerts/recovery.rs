//! A server that archives nowhere, and dumps older than what may be lost.

use std::fs;
use std::time::{Duration, SystemTime};

use super::watch::Watch;
use super::{Case, lowered, real};
use crate::harness::{Postgres, Scratch};

pub(super) const CASES: &[Case] = &[
    real("RpoExceeded/critical"),
    lowered("WalArchiveExposed/critical", 1.0),
];

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 18.1\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn more_would_be_lost_than_was_promised() {
    let settings = ["archive_mode=on", "archive_command=false", "autovacuum=off"];
    let postgres = Postgres::with(18, &settings);
    postgres.sql(
        "postgres",
        "CREATE TABLE games (id int); CREATE ROLE mon LOGIN; GRANT pg_monitor TO mon",
    );
    let scratch = Scratch::new();
    let folder = scratch.join("dumps");
    fs::create_dir(&folder).unwrap();
    let config = format!(
        "servers: [{{name: shop, url: '{}'}}]\n\
         backups: [{{name: nightly, server: shop, files: '{}/*.sql', every: 7d, rpo: 1d, look: 1s}}]",
        postgres.url("mon", "postgres"),
        folder.display()
    );
    let watch = Watch::in_folder(scratch, CASES, &config, "", &[]);
    let put = |name: &str, hours: u64| {
        fs::write(folder.join(name), DUMP).unwrap();
        let file = fs::File::options().write(true).open(folder.join(name));
        let then = SystemTime::now() - Duration::from_secs(hours * 3600);
        file.unwrap().set_modified(then).unwrap();
    };
    put("1.sql", 30);
    watch.fires(&["RpoExceeded/critical"]);
    put("2.sql", 2);
    watch.clears(&["RpoExceeded/critical"]);

    // Idle so far: nothing would be lost.
    watch.knows("pg_wal_archive_exposure_bytes > 0 and pg_wal_archive_exposure_least_seconds == 0");
    postgres.sql("postgres", "INSERT INTO games VALUES (1)");
    watch.fires(&["WalArchiveExposed/critical"]);
    postgres.sql(
        "postgres",
        "ALTER SYSTEM SET archive_command = 'true'; SELECT pg_reload_conf(); SELECT pg_switch_wal()",
    );
    watch.clears(&["WalArchiveExposed/critical"]);
    watch.finish();
}
