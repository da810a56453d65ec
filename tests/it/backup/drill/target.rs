//! Moments that cannot be reached: known before anything is restored where the archive shows it, and else after.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Scene;
use super::physical::{archive, archiving, base_backup, names};

/// Gives the files of an archive a time so long ago.
fn date_back(wal: &Path, seconds: u64) {
    for name in names(wal) {
        let file = File::options().append(true).open(wal.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .unwrap();
    }
}

#[test]
fn a_moment_that_cannot_be_reached_is_told_with_the_segment_that_stands_in_the_way() {
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", "assert: []");
    let wal = scene.scratch.join("wal");
    let postgres = archiving(18, &wal, &[]);
    let base = scene.scratch.join("b/base");
    base_backup(&postgres, &base, &["-Fp", "-X", "none"]);
    postgres.sql("postgres", "CREATE TABLE notes (note text)");
    for note in ["a", "b", "c"] {
        postgres.sql("postgres", &format!("INSERT INTO notes VALUES ('{note}')"));
        archive(&postgres, &wal);
    }
    let segments: Vec<String> = names(&wal)
        .into_iter()
        .filter(|name| name.len() == 24)
        .collect();
    let [.., gap, last] = segments.as_slice() else {
        panic!("{segments:?}");
    };
    let next = postgres.sql(
        "postgres",
        "SELECT pg_walfile_name(pg_current_wal_insert_lsn())",
    );
    let now = postgres.sql(
        "postgres",
        "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    );
    let to_now = ["--target", now.as_str()];
    let tried = |arguments: &[&str]| {
        let (code, report) = scene.drill(arguments);
        let why = report["outcome"]["why"].as_str();
        let why = why.unwrap_or_else(|| panic!("{report:#}")).to_owned();
        // Of a cluster that was started, the version is known.
        (code, why, report["major"] == 18)
    };

    // The files are as new as the moment that is asked for: only PostgreSQL knows.
    let (code, why, is_restored) = tried(&to_now);
    assert!(code == 2 && is_restored, "{why}");
    assert!(why.contains("lies beyond the WAL archive"), "{why}");
    assert!(
        why.contains(&format!("segment `{next}` would come next")),
        "{why}"
    );
    let away = scene.scratch.join("away");
    fs::rename(wal.join(gap), &away).unwrap();
    let missing = format!("replay: WAL segment `{gap}` is missing although later ones are there");
    let (code, why, is_restored) = tried(&to_now);
    assert!(
        code == 1 && is_restored && why.starts_with(&missing),
        "{why}"
    );
    assert!(why.contains("cannot be reached"), "{why}");

    date_back(&wal, 600);
    for arguments in [&to_now[..], &[]] {
        let (code, why, is_restored) = tried(arguments);
        assert!(
            code == 1 && !is_restored && why.starts_with(&missing),
            "{why}"
        );
    }
    fs::rename(&away, wal.join(gap)).unwrap();
    date_back(&wal, 600);
    let (code, why, is_restored) = tried(&to_now);
    assert!(code == 2 && !is_restored, "{why}");
    assert!(why.contains("lies beyond the WAL archive"), "{why}");
    assert!(
        why.contains(&format!("segment `{next}` would come next")),
        "{last} {why}"
    );

    let old = ["--target", "2020-01-01T00:00:00Z"];
    let (code, why, _) = tried(&old);
    assert!(
        code == 2 && why.contains("had ended by 2020-01-01T00:00:00Z"),
        "{why}"
    );
    let (code, why, is_restored) = tried(&[&["--backup", "base"], &old[..]].concat());
    assert!(
        code == 2 && !is_restored && why.contains("the backup ended at"),
        "{why}"
    );
    scene.assert_tidy();
}
