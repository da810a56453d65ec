//! A server that archives WAL into a folder, and an `archive_command` that does it, swallows it and does it again. The
//! server's own account is perfect all the time; only what the folder holds tells.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::watch::Watch;
use super::{Case, PATIENCE, real};
use crate::harness::{Postgres, Scratch, eventually};

pub(super) const CASES: &[Case] = &[
    real("WalSwallowed/critical"),
    real("WalWithoutBackup/critical"),
    real("WalGap/critical"),
];

/// The clocks are the same; the machine may be so busy that the server is read so much too late.
const SLACK: f64 = 20.0;

/// By what the server says, nothing failed and nothing is at risk.
const PERFECT: &str =
    "pg_wal_archive_exposure_seconds == 0 and on (server) pg_wal_archive_failing == 0";
const AGE: &str = "pg_backup_recovery_point_age_seconds{source='repo'}";

#[test]
fn an_archive_command_that_swallows() {
    let scratch = Scratch::new();
    let [base, wal] = ["base", "wal"].map(|name| scratch.join(name));
    for folder in [&base, &wal] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let settings = [
        "archive_mode=on",
        "archive_command=/bin/true",
        "autovacuum=off",
        "checkpoint_timeout=1h",
    ];
    let postgres = Postgres::with(18, &settings);
    postgres.sql(
        "postgres",
        "CREATE TABLE games (id int); CREATE ROLE mon LOGIN; GRANT pg_monitor TO mon",
    );
    let config = format!(
        "servers: [{{name: shop, url: '{}'}}]\n\
         backups: [{{name: repo, server: shop, files: '{}', wal: '{}', every: 7d, rpo: 2s, look: 1s}}]",
        postgres.url("mon", "postgres"),
        base.display(),
        wal.display(),
    );
    let watch = Watch::in_folder(scratch, CASES, &config, "", &[]);
    let copy = format!("test ! -f {0}/%f && cp %p {0}/%f", wal.display());

    // It has never archived anything, and the folder is as empty as it was.
    watch.knows("pg_wal_archived_position_bytes");
    switch(&postgres, 2);
    watch.fires(&["WalSwallowed/critical"]);
    archiving(&postgres, &copy);
    switch(&postgres, 1);
    watch.fires(&["WalWithoutBackup/critical"]);
    watch.clears(&["WalSwallowed/critical"]);
    back_up(&postgres, &base.join("1"));
    watch.clears(&["WalWithoutBackup/critical"]);
    settle(&watch, &postgres);

    archiving(&postgres, "/bin/true");
    let before = now();
    postgres.sql("postgres", "INSERT INTO games VALUES (1)");
    let after = now();
    watch.knows("pg_wal_archive_exposure_least_seconds > 0");
    switch(&postgres, 2);
    watch.fires(&["WalSwallowed/critical"]);
    watch.knows(PERFECT);
    watch.knows("ALERTS{alertname='RpoExceeded', source='repo', alertstate='firing'}");
    // What ended last before that is what can be restored, and the age of it grows for as long as that is so.
    let safe = [0.0, 3.0].map(|older| {
        watch.knows(&format!("{AGE} > {older} + {}", now() - after));
        watch.value(&format!("timestamp({AGE}) - {AGE}")).unwrap()
    });
    for safe in safe {
        assert!(
            safe <= after,
            "too little is said to be lost: {safe}, it ended by {after}"
        );
        assert!(
            safe >= before - SLACK,
            "too much is said to be lost: {safe}, it ended after {before}"
        );
    }

    // Once the command is mended, all that tells is the hole.
    archiving(&postgres, &copy);
    switch(&postgres, 1);
    watch.fires(&["WalGap/critical"]);
    watch.clears(&["WalSwallowed/critical"]);
    watch.knows(PERFECT);
    watch.knows("ALERTS{alertname='RpoExceeded', source='repo', alertstate='firing'}");
    back_up(&postgres, &base.join("2"));
    fs::remove_dir_all(base.join("1")).unwrap();
    watch.clears(&["WalGap/critical", "WalWithoutBackup/critical"]);
    settle(&watch, &postgres);
    watch.knows("absent(ALERTS{alertname='RpoExceeded', source='repo'})");
    watch.finish();
}

/// A tool's answer that is some minutes old says nothing of what was archived since; one that was written after that does.
#[test]
fn an_answer_that_is_written_now_and_then() {
    let scratch = Scratch::new();
    let wal = scratch.join("wal");
    fs::create_dir(&wal).unwrap();
    fs::set_permissions(&wal, fs::Permissions::from_mode(0o777)).unwrap();
    let command = format!(
        "archive_command=test ! -f {0}/%f && cp %p {0}/%f",
        wal.display()
    );
    let settings = [
        "archive_mode=on",
        &*command,
        "autovacuum=off",
        "checkpoint_timeout=1h",
    ];
    let postgres = Postgres::with(18, &settings);
    postgres.sql("postgres", "CREATE TABLE games (id int)");
    let config = format!(
        "servers: [{{name: shop, url: '{}'}}]\n\
         backups: [{{name: repo, server: shop, every: 7d, rpo: 2s, look: 1s, pgbackrest: {{stanza: main, timeout: 1s, file: '{}', archive_file: '{}'}}}}]",
        postgres.url("postgres", "postgres"),
        scratch.join("info.json").display(),
        scratch.join("archive.json").display(),
    );
    let watch = Watch::in_folder(scratch, CASES, &config, "", &[]);
    switch(&postgres, 1);
    // What was archived before the server was read, nobody knows.
    let archived = "pg_wal_archived_position_bytes";
    read_again(&watch, archived, 3.0);
    answer(&watch, &wal);
    watch.knows("pg_backup_wal_behind_segments == 0");

    // It all came, and nobody has written so yet.
    postgres.sql("postgres", "INSERT INTO games VALUES (1)");
    read_again(&watch, "pg_wal_position_bytes", 0.0);
    switch(&postgres, 3);
    read_again(&watch, archived, 3.0);
    watch.knows(PERFECT);
    read_again(&watch, AGE, 0.0);
    let said = "pg_backup_wal_behind_segments == 0 and on () pg_backup_recovery_point_least_age_seconds == 0";
    assert!(watch.value(said).is_some(), "nothing is known to be lost");
    // It may be, for all that the answer says.
    watch.knows(&format!("{AGE} > 2"));
    watch.knows("absent(ALERTS{alertname=~'WalSwallowed|RpoExceeded|WalGap'})");
    answer(&watch, &wal);
    watch.knows(&format!("{AGE} == 0"));

    archiving(&postgres, "/bin/true");
    postgres.sql("postgres", "INSERT INTO games VALUES (1)");
    read_again(&watch, "pg_wal_position_bytes", 0.0);
    switch(&postgres, 3);
    read_again(&watch, archived, 3.0);
    watch.knows(PERFECT);
    read_again(&watch, AGE, 0.0);
    assert!(watch.value(said).is_some(), "nobody has told so yet");
    answer(&watch, &wal);
    watch.fires(&["WalSwallowed/critical"]);
    watch.knows("ALERTS{alertname='RpoExceeded', source='repo', alertstate='firing'}");
}

/// Waits until a series has been given so many seconds after now, or later.
fn read_again(watch: &Watch, series: &str, seconds: f64) {
    watch.knows(&format!("timestamp({series}) > {} + {seconds}", now()));
}

/// Writes what pgBackRest would tell of a backup before all WAL, and of the archive as it is.
fn answer(watch: &Watch, wal: &Path) {
    let modified = |entry: &fs::DirEntry| {
        let modified = entry.metadata().unwrap().modified().unwrap();
        modified.duration_since(UNIX_EPOCH).unwrap().as_secs()
    };
    let entries: Vec<fs::DirEntry> = fs::read_dir(wal).unwrap().flatten().collect();
    let names = entries.iter().map(|entry| entry.file_name());
    let first = names.map(|name| name.into_string().unwrap()).min().unwrap();
    let files = entries.iter().map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        let file = serde_json::json!({"type": "file", "size": 16 << 20, "time": modified(entry)});
        (
            format!("18-1/{}/{name}-{}", &name[..16], "a".repeat(40)),
            file,
        )
    });
    let archive: serde_json::Map<String, serde_json::Value> = files.collect();
    let stop = entries.iter().map(modified).min().unwrap();
    let database = serde_json::json!({"id": 1, "repo-key": 1});
    let info = serde_json::json!([{
        "name": "main",
        "repo": [{"key": 1, "status": {"code": 0, "message": "ok"}}],
        "archive": [{"database": database, "id": "18-1"}],
        "backup": [{
            "archive": {"start": first, "stop": first},
            "database": database,
            "label": "20261123-072947F",
            "timestamp": {"start": stop - 1, "stop": stop},
            "type": "full",
        }],
    }]);
    // The listing first: a look between the two takes both to be as old as it.
    for (name, text) in [
        ("archive.json", serde_json::Value::from(archive).to_string()),
        ("info.json", info.to_string()),
    ] {
        let aside = watch.scratch.write("aside", text);
        fs::rename(aside, watch.folder().join(name)).unwrap();
    }
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

fn archiving(postgres: &Postgres, command: &str) {
    let change = format!("ALTER SYSTEM SET archive_command = '{command}'; SELECT pg_reload_conf()");
    postgres.sql("postgres", &change);
    let taken = "SELECT current_setting('archive_command')";
    eventually("the command is taken", PATIENCE, || {
        (postgres.sql("postgres", taken) == command).then_some(())
    });
}

/// Ends so many segments, with WAL in them that no transaction needs, and waits until the server has archived them.
fn switch(postgres: &Postgres, times: usize) {
    let archived = "SELECT coalesce(last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1), false) FROM pg_stat_archiver";
    for _ in 0..times {
        postgres.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
        );
        eventually("the segment is archived", PATIENCE, || {
            (postgres.sql("postgres", archived) == "t").then_some(())
        });
    }
}

fn back_up(postgres: &Postgres, to: &Path) {
    let mut command = postgres.command("pg_basebackup");
    command.args(["-c", "fast", "--no-sync", "-D"]).arg(to);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Waits until all that was written can be restored, and that is certain. What ended shortly before its segment did may
/// have ended after it, until the next is archived.
fn settle(watch: &Watch, postgres: &Postgres) {
    eventually("all can be restored", PATIENCE, || {
        switch(postgres, 1);
        let archived = now();
        for read in ["pg_wal_position_bytes", "pg_wal_archived_position_bytes"] {
            watch.knows(&format!("timestamp({read}) > {archived}"));
        }
        watch.knows(&format!("timestamp({AGE}) > {}", now()));
        watch.value(&format!(
            "{AGE} == 0 and on (server) pg_wal_archive_exposure_exact == 1"
        ))
    });
}
