//! Backups: real dumps of every form, whole and damaged, and a folder that is watched while it changes.
//!
//! What is promised of them, and the tests that show it:
//!
//! | promise | shown by |
//! | --- | --- |
//! | no damaged backup is called good, none hangs, no good one is called damaged | `claim15` |
//! | 1. a truthful recovery point | `exposure`: both tests; `src/backup/exposure/clock/tests.rs` |
//! | 2. an `archive_command` that lies | `src/backup/exposure/repository.rs`; `WalSwallowed` in `alerts/tests/backups.yml` |
//! | 3. whole without a restore | `every_form_of_dump_is_judged_right`, `fixtures`, `claim15::dumps`, `claim15::base` |
//! | 4. rows without a database | `every_form_of_dump_is_judged_right`, `archive::rows_and_checksums_are_held_against_what_was_promised` |
//! | 5. the three silent failures, and an old dump under a new date | `fixtures::every_bad_one_is_bad_in_its_own_words`, `claim15::places`, `bucket::s3` |
//! | 6. gaps that tools miss | `tools::pgbackrest`, `archive::wal_that_gets_lost_is_told_with_the_backup_that_needs_it`, `claim15::wal`, `src/backup/wal/chain/tests.rs` |
//! | 7. never frozen, never vanished | `tools::stand_in`: `a_tool_on_its_bad_days_hides_nothing`, `a_page_never_waits_for_a_tool_which_knows_nothing_of_ours` |
//! | 8. stuck and orphaned | `tools::pgbackrest`, `tools::stand_in::an_answer_in_a_file_has_an_age`, `BackupStuck` in `alerts/backups.rs` |
//! | 9. the right cluster | `BackupForeign` in `alerts/backups.rs`, `src/backup/judge/tests.rs` |
//! | 10. a drill that cannot hurt | `drill::safety` |
//! | as many series for 1,000 backups as for ten | `claim15::series` |

mod archive;
mod base;
mod beside;
mod bucket;
mod check;
mod claim15;
mod corpus;
mod dating;
mod drill;
mod exposure;
mod fixtures;
mod status;
mod tools;
mod watch;
mod watched;

use pgvigil::backup::{Proof, report, verify};

use super::harness::Scratch;
use corpus::Artefact;
pub use corpus::rows;

/// What every dump of the corpus holds.
const ROWS: &str = "public.Odd Name=3 public.empty=0 public.games=200 public.users=40";

#[test]
fn every_form_of_dump_is_judged_right() {
    let scratch = Scratch::new();
    for Artefact { name, path, proof } in corpus::dumps(&scratch) {
        let verdict = verify(&path);
        assert!(verdict.is_good(), "{name}: {}", report(&verdict));
        assert_eq!(verdict.proof, proof, "{name}: {}", report(&verdict));
        assert_eq!(rows(&verdict), ROWS, "{name}");
        assert!(verdict.uncompressed_bytes > 5000, "{name}");
        let is_named = verdict.made.is_some();
        assert_eq!(
            verdict.database.as_deref(),
            is_named.then_some("tiny"),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_dump_is_told_apart() {
    let scratch = Scratch::new();
    let empty_tar = vec![0; 1024];
    let cases: [(&str, &[u8], Proof, &str); 9] = [
        ("empty", b"", Proof::Listed, "bad: is empty: 0 bytes"),
        (
            "words",
            b"hello\n",
            Proof::Listed,
            "bad: does not begin like any dump of pg_dump",
        ),
        (
            "zeros",
            &empty_tar,
            Proof::Listed,
            "bad: does not begin like any dump of pg_dump",
        ),
        (
            "start",
            b"--\n-- Postgre",
            Proof::Listed,
            "bad: stops in its first lines",
        ),
        ("magic", b"PGDMP", Proof::Listed, "bad: stops in the header"),
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0",
            Proof::Listed,
            "bad: is cut short: its gzip stream stops",
        ),
        (
            "future",
            b"PGDMP\x01\x63\x00\x04\x08\x01",
            Proof::Listed,
            "listed: is of archive version 1.99",
        ),
        (
            "age",
            b"age-encryption.org/v1\n-> X25519 abc",
            Proof::Listed,
            "listed: is encrypted (age)",
        ),
        (
            "gpg",
            b"\x85\x01\x0c\x03abcdefgh",
            Proof::Listed,
            "listed: is encrypted (PGP)",
        ),
    ];
    for (name, content, proof, words) in cases {
        let verdict = verify(&scratch.write(name, content));
        assert_eq!(verdict.proof, proof, "{name}");
        assert!(
            report(&verdict).starts_with(words),
            "{name}: {}",
            report(&verdict)
        );
    }
    let missing = verify(&scratch.join("none"));
    assert!(
        report(&missing).starts_with("bad: cannot be read: "),
        "{}",
        report(&missing)
    );
}

#[test]
fn a_folder_of_dumps_is_no_torn_dump() {
    let scratch = Scratch::new();
    let folder = scratch.join("dumps");
    std::fs::create_dir(&folder).unwrap();
    for name in ["monday.dump", "tuesday.sql.gz"] {
        std::fs::write(folder.join(name), "PGDMP").unwrap();
    }
    let said = report(&verify(&folder));
    let words = "bad: is a folder with 2 files, none of them part of a directory dump; name the files, or `";
    assert!(
        said.starts_with(words) && said.contains("/dumps/*`"),
        "{said}"
    );
    std::fs::write(folder.join("3364.dat.gz"), "").unwrap();
    let torn = report(&verify(&folder));
    assert!(!torn.contains("is a folder"), "{torn}");
}

/// What `pgvigil backup verify` says of what a person names, beneath `scratch`, and its exit code.
fn verified(scratch: &Scratch, names: &[&str]) -> (i32, String) {
    let mut command = crate::harness::pgvigil();
    command
        .current_dir(scratch.path())
        .args(["backup", "verify"]);
    let output = command.args(names).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}

#[test]
fn of_a_folder_each_backup_in_it_is_verified() {
    let scratch = Scratch::new();
    for folder in [
        "dumps/cold/global",
        "dumps/notes",
        "torn",
        "wal",
        "empty",
        "mixed",
        "tapes",
        "data/1",
    ] {
        std::fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    let plain =
        "--\n-- PostgreSQL database dump\n--\n\n--\n-- PostgreSQL database dump complete\n--\n\n";
    scratch.write("dumps/a.sql", plain);
    scratch.write("dumps/b.dump", "PGDMP");
    scratch.write("dumps/c.sql.part", "--");
    scratch.write("dumps/cold/PG_VERSION", "15\n");
    // The server was shut down in the first second of all.
    let control = [&[1; 16][..], &[1, 0, 0, 0, 0, 0, 0, 0], &[0; 8]].concat();
    scratch.write("dumps/cold/global/pg_control", control);
    // A folder of a database is no data directory.
    scratch.write("data/1/PG_VERSION", "15\n");
    scratch.write("mixed/base.tar", "");
    scratch.write("mixed/a.sql", plain);
    scratch.write("tapes/base.tar.gz", "");
    scratch.write("tapes/16400.tar.gz", "");
    scratch.write("dumps/notes/readme", "hello");
    scratch.write("torn/3364.dat.gz", "");
    scratch.write("wal/000000010000000000000001", "");
    scratch.write("wal/000000010000000000000002", "");
    let cases = [
        (1, "dumps", "dumps/a.sql: whole: complete"),
        (1, "dumps", "dumps/b.dump: bad: "),
        (
            1,
            "dumps/",
            "dumps/cold: listed: is a data directory of a server that was shut down, without",
        ),
        (2, "dumps/cold", "dumps/cold: listed: is a data directory"),
        (
            2,
            "dumps/cold",
            "  ended     1970-01-01T00:00:00 UTC, by its `pg_control`",
        ),
        (
            1,
            "dumps",
            "dumps/c.sql.part: not verified: its name says that it is still being written",
        ),
        (
            2,
            "dumps/*.sql.part",
            "dumps/c.sql.part: not verified: its name says that it is still being written",
        ),
        (1, "dumps/*.du?p", "dumps/b.dump: bad: "),
        (
            2,
            "dumps/*.gz",
            "dumps/*.gz: not verified: holds no backup whose name is like `*.gz`",
        ),
        (1, "torn", "torn: bad: "),
        (
            2,
            "wal",
            "wal: not verified: is a WAL archive, with 2 segments, and holds no backup; WAL is judged with the base backups that need it",
        ),
        (2, "empty", "empty: not verified: holds no backup"),
        (2, "none", "none: not verified: does not exist"),
        (2, "data", "data: not verified: holds no backup"),
        (1, "mixed", "mixed/a.sql: whole: complete"),
        (1, "mixed", "mixed/base.tar: bad: is empty"),
        (1, "tapes", "tapes: bad: has no `backup_manifest`"),
        (0, "dumps/*.sql", "dumps/a.sql: whole: complete"),
        (0, "dumps/a.sql", "dumps/a.sql: whole: complete"),
    ];
    for (expected, name, words) in cases {
        let (code, said) = verified(&scratch, &[name]);
        let found = said.lines().any(|line| line.starts_with(words));
        assert!(found && code == expected, "{name}: {code} {said}");
        assert!(!said.contains("dumps/notes"), "{said}");
    }
}
