//! What is removed, and what is not.

use std::fs;
use std::path::Path;

use super::job::Jobs;
use super::server;
use crate::harness::Postgres;

/// The days of the dumps in a folder, newest first: `+` is good, `-` was cut off.
fn fill(jobs: &Jobs, dump: &Path, days: &[&str]) {
    let whole = fs::read(dump).unwrap();
    for day in days {
        let (state, day) = day.split_at(1);
        let bytes = if state == "+" {
            &whole[..]
        } else {
            &whole[..whole.len() / 2]
        };
        jobs.scratch
            .write(format!("backups/rachel_{day}T020000Z.dump"), bytes);
    }
}

/// A dump to make the others of.
fn original(postgres: &Postgres) -> (Jobs, std::path::PathBuf) {
    let jobs = Jobs::of(postgres);
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let dump = jobs.dump();
    (jobs, dump)
}

#[test]
fn nothing_goes_that_newer_good_ones_do_not_stand_in_for() {
    let postgres = server(15, &[]);
    let (_original, dump) = original(&postgres);
    let cases: [(&[&str], &[&str], bool); 5] = [
        // All good: two are kept.
        (
            &["+20200104", "+20200103", "+20200102", "+20200101"],
            &["20200103", "20200104"],
            true,
        ),
        // The newest are bad: they stay to be looked at, and so do the two good ones behind them.
        (
            &[
                "-20200105",
                "-20200104",
                "+20200103",
                "+20200102",
                "+20200101",
            ],
            &["20200102", "20200103", "20200104", "20200105"],
            false,
        ),
        // Only one is good: nothing goes.
        (
            &["-20200103", "+20200102", "-20200101"],
            &["20200101", "20200102", "20200103"],
            false,
        ),
        (
            &["-20200102", "-20200101"],
            &["20200101", "20200102"],
            false,
        ),
        // Young ones stay, however many there are.
        (
            &["+29990103", "+29990102", "+29990101", "+20200101"],
            &["29990101", "29990102", "29990103"],
            true,
        ),
    ];
    for (days, left, is_good) in cases {
        for has_pgvigil in [false, true] {
            let mut jobs = Jobs::of(&postgres);
            if has_pgvigil {
                jobs = jobs.with_pgvigil();
            }
            fill(&jobs, &dump, days);
            let ended = jobs.run("retain.sh", &["backups", "rachel", "30", "2"]);
            if is_good {
                ended.is_silent();
            } else {
                ended.failed("would not restore");
            }
            let names: Vec<String> = left
                .iter()
                .map(|day| format!("rachel_{day}T020000Z.dump"))
                .collect();
            assert_eq!(jobs.names(), names, "{days:?}: {ended:?}");
        }
    }
}

#[test]
fn only_dumps_of_that_database_go_and_their_checksums_with_them() {
    let postgres = server(15, &[]);
    let (_original, dump) = original(&postgres);
    let jobs = Jobs::of(&postgres);
    fill(&jobs, &dump, &["+20200103", "+20200102", "+20200101"]);
    let others = [
        "globals_20200101T000000Z.sql",
        "rachel_20200101.dump",
        "rachel_prod_20200101T000000Z.dump",
        "rachel_20200101T000000Z.dump.old",
        "xrachel_20200101T000000Z.dump",
        "it's; a $(touch x) name.dump",
    ];
    for name in others {
        jobs.scratch.write(format!("backups/{name}"), "x");
    }
    jobs.scratch
        .write("backups/rachel_20200101T020000Z.dump.sha256", "x");
    jobs.run("retain.sh", &["backups", "rachel", "30", "2"])
        .is_silent();
    let names = jobs.names();
    assert!(
        others
            .iter()
            .all(|other| names.iter().any(|name| name == other)),
        "{names:?}"
    );
    assert_eq!(names.len(), others.len() + 2, "{names:?}");
    for arguments in [
        &["backups", "rachel"][..],
        &["backups", "rachel", "x"],
        &["backups", "rachel", "1", "0"],
    ] {
        assert_eq!(jobs.run("retain.sh", arguments).code, Some(2));
    }
    jobs.run("retain.sh", &["missing", "rachel", "30"])
        .failed("does it exist");
}
