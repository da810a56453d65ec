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

/// What `pgvigil backup verify` says of what a person names, beneath `scratch`, and whether all is well.
fn verified(scratch: &Scratch, names: &[&str]) -> (bool, String) {
    let mut command = crate::harness::pgvigil();
    command
        .current_dir(scratch.path())
        .args(["backup", "verify"]);
    let output = command.args(names).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

#[test]
fn of_a_folder_each_backup_in_it_is_verified() {
    let scratch = Scratch::new();
    for folder in ["dumps/base", "dumps/notes", "torn", "wal", "empty"] {
        std::fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    let plain =
        "--\n-- PostgreSQL database dump\n--\n\n--\n-- PostgreSQL database dump complete\n--\n\n";
    scratch.write("dumps/a.sql", plain);
    scratch.write("dumps/b.dump", "PGDMP");
    scratch.write("dumps/c.sql.part", "--");
    scratch.write("dumps/base/PG_VERSION", "15\n");
    scratch.write("dumps/notes/readme", "hello");
    scratch.write("torn/3364.dat.gz", "");
    scratch.write("wal/000000010000000000000001", "");
    scratch.write("wal/000000010000000000000002", "");
    let cases = [
        ("dumps", "dumps/a.sql: whole: complete"),
        ("dumps", "dumps/b.dump: bad: "),
        ("dumps/", "dumps/base: listed: is a data directory without"),
        (
            "dumps",
            "dumps/c.sql.part: not verified: its name says that it is still being written",
        ),
        ("dumps/*.du?p", "dumps/b.dump: bad: "),
        (
            "dumps/*.gz",
            "dumps/*.gz: not verified: holds no backup whose name is like `*.gz`",
        ),
        ("torn", "torn: bad: "),
        (
            "wal",
            "wal: not verified: is a WAL archive, with 2 segments, and holds no backup; WAL is judged with the base backups that need it",
        ),
        ("empty", "empty: not verified: holds no backup"),
        ("none", "none: bad: cannot be read: No such file"),
    ];
    for (name, words) in cases {
        let (is_good, said) = verified(&scratch, &[name]);
        let found = said.lines().any(|line| line.starts_with(words));
        assert!(found && !is_good, "{name}: {said}");
        assert!(!said.contains("dumps/notes"), "{said}");
    }
    assert!(verified(&scratch, &["dumps/*.sql"]).0);
    assert!(verified(&scratch, &["dumps/a.sql"]).0);
}
