//! Archiving, base backups and going back to a moment.

use std::fs;
use std::time::Duration;

use super::job::Jobs;
use super::{blocks, server};
use crate::harness::{eventually, free_port, give_to_server};

/// `name=value` of each line of the settings that the page shows, for this folder and script.
fn archiving(archive: &str) -> Vec<String> {
    let script = super::folder().join("archive-wal.sh");
    blocks::text("archiving")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(" = ").unwrap();
            let value = value.trim_matches('\'');
            let value = value
                .replace(
                    "/usr/local/lib/pg-backup/archive-wal.sh",
                    script.to_str().unwrap(),
                )
                .replace("/mnt/wal_archive", archive);
            format!("{name}={value}")
        })
        .collect()
}

#[test]
fn a_cluster_goes_back_to_a_moment() {
    for major in [15, 17] {
        let mut jobs = Jobs::without_server();
        give_to_server(jobs.scratch.path());
        let archive = jobs.scratch.join("wal_archive");
        fs::create_dir(&archive).unwrap();
        give_to_server(&archive);
        let settings = archiving(archive.to_str().unwrap());
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let postgres = server(major, &settings);
        jobs.reach(&postgres);
        give_to_server(&jobs.backups());

        jobs.run_as_server("base-backup.sh", &["backups"])
            .is_silent();
        let names = jobs.names();
        assert_eq!(names.len(), 1, "{names:?}");
        let base = jobs.backups().join(&names[0]);
        assert!(base.join("backup_manifest").exists());

        postgres.sql("rachel", "INSERT INTO users (name) VALUES ('before')");
        let target = postgres.sql("rachel", "SELECT clock_timestamp()");
        postgres.sql("rachel", "SELECT pg_sleep(0.1); DELETE FROM games");
        let last = postgres.sql(
            "postgres",
            "SELECT pg_walfile_name(pg_current_wal_insert_lsn())",
        );
        jobs.follow("archiving-works").is_good();
        eventually("the WAL is archived", Duration::from_secs(60), || {
            archive.join(&last).exists().then_some(())
        });

        let data = jobs.scratch.join("restored");
        let port = free_port().to_string();
        for (name, value) in [
            ("BASE", base.to_str().unwrap()),
            ("ARCHIVE", archive.to_str().unwrap()),
            ("DATA", data.to_str().unwrap()),
            ("TARGET", &target),
            ("PORT", &port),
            ("PGPORT", &port),
            ("PGHOST", "127.0.0.1"),
        ] {
            jobs.set(name, value);
        }
        let restored = Restored(&jobs);
        jobs.follow_as_server("point-in-time").is_good();
        jobs.follow_as_server("wait-for-target").is_good();
        let asked = jobs.run("psql", &["-XAtq", "-d", "rachel", "-c", "SELECT (SELECT count(*) FROM games), (SELECT count(*) FROM users WHERE name = 'before'), pg_is_in_recovery()"]);
        assert_eq!(asked.stdout, "2000|1|t\n", "{asked:?}");
        let promoted = jobs.follow_as_server("promote");
        promoted.is_good();
        let written = jobs.run("psql", &["-XAtq", "-d", "rachel", "-c", "INSERT INTO users (name) VALUES ('after') RETURNING name; SELECT pg_walfile_name(pg_current_wal_lsn()) LIKE '00000002%'"]);
        assert_eq!(written.stdout, "after\nt\n", "{written:?}");
        drop(restored);
        // The old cluster was not touched, and nothing of the new one went into the archive.
        assert_eq!(postgres.sql("rachel", "SELECT count(*) FROM games"), "0");
        let strays = fs::read_dir(&archive).unwrap().flatten();
        let strays =
            strays.filter(|entry| entry.file_name().to_string_lossy().starts_with("00000002"));
        assert_eq!(strays.count(), 0);

        // The archive is cleaned up to what the base backup needs.
        let label = fs::read_to_string(base.join("backup_label")).unwrap();
        let first = label.split("(file ").nth(1).unwrap()[..24].to_owned();
        jobs.follow_as_server("clean-archive").is_good();
        let mut left: Vec<String> = fs::read_dir(&archive)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name.len() == 24)
            .collect();
        left.sort();
        assert_eq!(left.first(), Some(&first), "{left:?}");
        assert!(left.contains(&last), "{left:?}");
    }
}

/// The restored cluster, which ends with the test.
struct Restored<'a>(&'a Jobs);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let data = self.0.scratch.join("restored");
        let data = data.to_str().unwrap();
        self.0.run_as_server(
            "pg_ctl",
            &["--pgdata", data, "--mode=immediate", "--wait", "stop"],
        );
    }
}

#[test]
fn a_base_backup_that_dies_leaves_nothing() {
    let postgres = server(15, &[]);
    let mut jobs = Jobs::of(&postgres);
    // What a killed one leaves: files, a label, and no manifest.
    let killed = "\"$REAL\" \"$@\" && rm \"${1#--pgdata=}/backup_manifest\"; kill -9 $$";
    jobs.stub("pg_basebackup", killed);
    jobs.run("base-backup.sh", &["backups"])
        .failed("copying the cluster failed");
    assert_eq!(jobs.names(), [""; 0]);
    // One that ends well and is not whole is found by its manifest.
    let cut = "\"$REAL\" \"$@\" && truncate -s 8192 \"${1#--pgdata=}/global/pg_control\"; : >\"${1#--pgdata=}/PG_VERSION\"";
    jobs.stub("pg_basebackup", cut);
    jobs.run("base-backup.sh", &["backups"])
        .failed("comparing the copy with its manifest failed");
    assert_eq!(jobs.names(), [""; 0]);
}
