//! Dumps that succeed, and each way in which one does not.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use pgvigil::backup::{Proof, survey};
use pgvigil::config::{Flags, load};

use super::job::{Ended, Jobs, judged};
use super::{ROWS, server};
use crate::backup::rows;
use crate::harness::{eventually, pgvigil};

/// Docker Compose as far as the scripts use it: what is to run in a service runs here.
const DOCKER: &str = r#"
[ "$1 $2 $3 $4" = "compose exec -T db" ] || { echo "unknown: $*" >&2; exit 64; }
shift 4
exec "$@"
"#;

#[test]
fn a_dump_is_whole_summed_and_private() {
    for major in [15, 17] {
        let postgres = server(major, &[]);
        for (has_pgvigil, service) in [(false, false), (true, false), (false, true)] {
            let mut jobs = Jobs::of(&postgres);
            if has_pgvigil {
                jobs = jobs.with_pgvigil();
            }
            if service {
                jobs.stub("docker", DOCKER);
                jobs.set("SERVICE", "db");
            }
            let folder = jobs.backups();
            let folder = folder.to_str().unwrap();
            jobs.run("dump.sh", &["rachel", folder]).is_silent();
            jobs.run("globals.sh", &[folder]).is_silent();
            let dump = jobs.dump();
            let verdict = judged(&dump);
            assert!(verdict.proof >= Proof::Whole, "{verdict:?}");
            assert_eq!(rows(&verdict), ROWS);
            let names = jobs.names();
            assert_eq!(names.len(), 4, "{names:?}");
            for name in &names {
                let path = jobs.backups().join(name);
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o77, 0, "{name}");
                if name.ends_with(".sha256") {
                    let sum = Command::new("sha256sum")
                        .args(["--check", "--quiet", name])
                        .current_dir(jobs.backups())
                        .status();
                    assert!(sum.unwrap().success(), "{name}");
                } else {
                    judged(&path);
                    let mut verify = pgvigil();
                    let verify = verify.args(["backup", "verify"]).arg(&path).output();
                    assert!(verify.unwrap().status.success(), "{name}");
                }
            }
            let log = jobs.log();
            assert_eq!(log.matches(" INFO ").count(), 2, "{log}");
            assert!(!log.contains("ERROR"), "{log}");
        }
    }
}

/// What goes wrong with a dump leaves a word and a code, the dumps that were there, and nothing else.
#[test]
fn a_dump_that_fails_leaves_nothing() {
    let postgres = server(15, &[]);
    postgres.sql(
        "rachel",
        "CREATE ROLE blind LOGIN; REVOKE ALL ON users FROM PUBLIC",
    );
    let killed =
        "\"$REAL\" --format=custom --dbname=rachel | head -c 9000 >\"${!#/--file=/}\"; kill -9 $$";
    let lies = "\"$REAL\" --format=custom --dbname=rachel | head -c 9000 >\"${!#/--file=/}\"";
    let empty = ": >\"${!#/--file=/}\"";
    let cases: [(&str, &str, Option<&str>, &str); 6] = [
        (
            "the database is missing",
            "nowhere",
            None,
            "database \"nowhere\" does not exist",
        ),
        (
            "it is killed half way",
            "rachel",
            Some(killed),
            "dumping rachel failed",
        ),
        (
            "it says that all is well",
            "rachel",
            Some(lies),
            "reading the dump of rachel again failed",
        ),
        (
            "it writes nothing",
            "rachel",
            Some(empty),
            "reading the dump of rachel again failed",
        ),
        (
            "it may not read",
            "rachel",
            Some("PGUSER=blind exec \"$REAL\" \"$@\""),
            "permission denied",
        ),
        (
            "a password in the arguments",
            "postgresql://u:secret@h/rachel",
            None,
            "DATABASE is a name",
        ),
    ];
    for (case, database, stub, words) in cases {
        for has_pgvigil in [false, true] {
            let mut jobs = Jobs::of(&postgres);
            if has_pgvigil {
                jobs = jobs.with_pgvigil();
            }
            if let Some(stub) = stub {
                jobs.stub("pg_dump", stub);
            }
            let old = jobs
                .scratch
                .write("backups/rachel_20200101T000000Z.dump", "old");
            let ended = jobs.run("dump.sh", &[database, jobs.backups().to_str().unwrap()]);
            ended.failed(words);
            assert_eq!(jobs.names(), ["rachel_20200101T000000Z.dump"], "{case}");
            assert_eq!(fs::read_to_string(old).unwrap(), "old");
            assert!(!jobs.log().contains("secret"), "{case}");
            eventually("the log has it", Duration::from_secs(10), || {
                jobs.log().contains(" ERROR ").then_some(())
            });
        }
    }
}

#[test]
fn a_disk_that_fills_up_fails_the_job() {
    let postgres = server(15, &[]);
    for script in ["dump.sh rachel", "globals.sh"] {
        let mut jobs = Jobs::of(&postgres);
        // Also what pipes its output through the shell meets the limit.
        if script == "globals.sh" {
            jobs.set("SERVICE", "db");
            jobs.stub("docker", DOCKER);
            jobs.stub("pg_dumpall", "head -c 2000000 /dev/zero");
        }
        let limited = format!(
            "trap '' XFSZ; ulimit -f 8; exec {}/{script} backups",
            super::folder().display()
        );
        jobs.run("bash", &["-c", &limited]).failed("File too large");
        assert_eq!(jobs.names(), [""; 0]);
    }
}

#[test]
fn two_at_once_are_one_that_works_and_one_that_says_so() {
    let postgres = server(15, &[]);
    let mut jobs = Jobs::of(&postgres);
    let door = jobs.scratch.join("door");
    assert!(
        Command::new("mkfifo")
            .arg(&door)
            .status()
            .unwrap()
            .success()
    );
    let held = format!(
        ": >reached; read -r < {}; exec \"$REAL\" \"$@\"",
        door.display()
    );
    jobs.stub("pg_dump", &held);
    let folder = jobs.backups();
    let arguments = ["rachel", folder.to_str().unwrap()];
    let first = jobs.command("dump.sh").args(arguments).spawn().unwrap();
    let reached = jobs.scratch.join("reached");
    eventually("the first dumps", Duration::from_secs(60), || {
        reached.exists().then_some(())
    });
    jobs.run("dump.sh", &arguments)
        .failed("does another job run there?");
    let mut door = fs::OpenOptions::new().write(true).open(door).unwrap();
    door.write_all(b"go\n").unwrap();
    Ended::of(&first.wait_with_output().unwrap()).is_silent();
    judged(&jobs.dump());
}

/// A killed job cannot tidy up; the next one does, and a lock outlives nobody.
#[test]
fn what_a_killed_job_left_is_gone_after_the_next() {
    let postgres = server(15, &[]);
    let jobs = Jobs::of(&postgres);
    jobs.scratch
        .write("backups/.rachel_20200101T000000Z.dump.part", "half");
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let names = jobs.names();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn verification_tells_good_from_bad_with_and_without_pgvigil() {
    let postgres = server(15, &[]);
    let jobs = Jobs::of(&postgres);
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let whole = fs::read(jobs.dump()).unwrap();
    let good = jobs.dump().display().to_string();
    let cut = jobs
        .scratch
        .write("cut.dump", &whole[..whole.len() * 2 / 3]);
    let empty = jobs.scratch.write("empty.dump", "");
    let text = jobs
        .scratch
        .write("half.sql", "--\n-- PostgreSQL database dump\n--\n\nSET x");
    let summed = jobs.scratch.write("summed.dump", &whole);
    jobs.scratch.write("summed.dump.sha256", "0".repeat(64));
    let jobs = [jobs, Jobs::of(&postgres).with_pgvigil()];
    for jobs in &jobs {
        jobs.run("verify.sh", &[&good]).is_silent();
        for (path, words) in [
            (&cut, "would not restore"),
            (&empty, "would not restore"),
            (&text, "would not restore"),
            (&summed, "does not agree with"),
        ] {
            let path = path.to_str().unwrap();
            let ended = jobs.run("verify.sh", &[path, &good]);
            assert_eq!(ended.code, Some(1), "{path}: {ended:?}");
            assert!(ended.stderr.contains(words), "{path}: {ended:?}");
        }
    }
}

#[test]
fn the_weekly_job_vacuums_rebuilds_and_tells_of_invalid_indexes() {
    let postgres = server(15, &[]);
    let jobs = Jobs::of(&postgres);
    let before = postgres.sql("rachel", "SELECT pg_relation_filenode('games_score')");
    jobs.run("weekly.sh", &["rachel", "games_score"])
        .is_silent();
    assert_ne!(
        postgres.sql("rachel", "SELECT pg_relation_filenode('games_score')"),
        before
    );
    let analyzed = "SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL AND last_vacuum IS NOT NULL";
    eventually("statistics arrive", Duration::from_secs(30), || {
        (postgres.sql("rachel", analyzed) == "2").then_some(())
    });
    postgres.sql(
        "rachel",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'games_score'::regclass",
    );
    let ended = jobs.run("weekly.sh", &["rachel"]);
    ended.failed("build again: games_score failed");
    jobs.run("weekly.sh", &["rachel", "no_such_index"])
        .failed("rebuilding no_such_index in rachel failed");
}

/// The log of the jobs is one that pgvigil understands, and a job that went well leaves nothing to tell of.
#[test]
fn errors_of_a_job_are_told_by_pgvigil() {
    let postgres = server(15, &[]);
    let jobs = Jobs::of(&postgres);
    let text = format!(
        "servers: [{{name: r, url: 'postgresql://r@127.0.0.1:1/r'}}]\nbackups: [{{name: nightly, files: {0}/backups, log: {0}/log}}]",
        jobs.scratch.path().display()
    );
    let flags = Flags {
        config: Some(jobs.scratch.write("pgvigil.yml", text)),
        state_dir: Some(jobs.scratch.join("state").display().to_string()),
        ..Flags::default()
    };
    let nightly = load(&flags).unwrap().backups.remove(0);
    let told = || {
        let log = survey(&nightly, &jobs.scratch.join("state"), false)
            .facts
            .log
            .unwrap();
        let texts = log.errors.into_iter().map(|error| error.text);
        texts.collect::<Vec<_>>().join("\n")
    };
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    assert_eq!(told(), "");
    jobs.run("dump.sh", &["nowhere", "backups"])
        .failed("does not exist");
    eventually("the log has it", Duration::from_secs(10), || {
        told()
            .contains("dumping nowhere failed (exit code 1)")
            .then_some(())
    });
}
