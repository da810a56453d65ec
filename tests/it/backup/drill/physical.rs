//! Base backups, with WAL to a moment and to its end.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{PATIENCE, Scene, connections, succeed};
use pgvigil::sample::Timestamp;

use crate::harness::{Postgres, eventually};

/// A server that archives into a folder anyone may write to.
pub fn archiving(major: u32, wal: &Path, more: &[&str]) -> Postgres {
    let copy = format!("archive_command=cp %p {}/%f", wal.display());
    fs::create_dir_all(wal).unwrap();
    fs::set_permissions(wal, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    Postgres::with(
        major,
        &[&["archive_mode=on", &copy, "log_connections=on"], more].concat(),
    )
}

pub fn base_backup(postgres: &Postgres, to: &Path, options: &[&str]) {
    let mut command = postgres.command("pg_basebackup");
    command
        .args(["-c", "fast", "--no-sync"])
        .args(options)
        .arg("-D")
        .arg(to);
    succeed(&mut command);
}

/// Has what was written so far archived.
pub fn archive(postgres: &Postgres, wal: &Path) {
    let segment = postgres.sql(
        "postgres",
        "SELECT pg_walfile_name(pg_current_wal_insert_lsn()); SELECT pg_switch_wal();",
    );
    let segment = wal.join(segment.lines().next().unwrap());
    let done = || postgres.sql("postgres", "SELECT last_archived_wal FROM pg_stat_archiver");
    eventually("the segment is archived", PATIENCE, || {
        (segment.exists() && done() >= segment.file_name().unwrap().to_string_lossy().into_owned())
            .then_some(())
    });
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_base_backup_is_recovered_to_a_moment_and_to_the_end_of_wal() {
    let drill = "assert: [\"SELECT string_agg(note, ' ' ORDER BY note) = 'a before' FROM notes\"]";
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", drill);
    let wal = scene.scratch.join("wal");
    let postgres = archiving(17, &wal, &["shared_preload_libraries=pg_stat_statements"]);
    postgres.sql("postgres", "CREATE TABLE notes (note text); INSERT INTO notes VALUES ('a'); SELECT pg_create_physical_replication_slot('kept', true);");
    base_backup(
        &postgres,
        &scene.scratch.join("b/base"),
        &["-Fp", "-X", "none"],
    );
    postgres.sql("postgres", "INSERT INTO notes VALUES ('before');");
    let moment = postgres.sql(
        "postgres",
        "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) / 1000 + 0.5",
    );
    let passed = "SELECT extract(epoch FROM clock_timestamp()) > ";
    eventually("the moment passes", PATIENCE, || {
        (postgres.sql("postgres", &format!("{passed}{moment}")) == "t").then_some(())
    });
    archive(&postgres, &wal);
    postgres.sql("postgres", "INSERT INTO notes VALUES ('later');");
    archive(&postgres, &wal);
    // The script of the archive compresses what is older.
    let first = names(&wal)
        .into_iter()
        .find(|name| name.len() == 24)
        .unwrap();
    succeed(Command::new("gzip").arg(wal.join(&first)));
    // It may put the segments that the backup needs into folders, too.
    let needed = names(&wal)
        .into_iter()
        .find(|name| name.len() == 24)
        .unwrap();
    let folder = wal.join(&needed[..16]);
    fs::create_dir(&folder).unwrap();
    fs::rename(wal.join(&needed), folder.join(&needed)).unwrap();
    let (archived, seen) = (names(&wal), connections(&postgres));

    let seconds: f64 = moment.parse().unwrap();
    let report = scene.restored(&["--backup", "base", "--target", &moment]);
    assert_eq!(report["kind"], "full");
    let asked = Timestamp((seconds * 1000.0).round() as i64);
    assert_eq!(report["target"], asked.rfc3339(), "{report:#}");
    assert!(report["phases_seconds"]["replay"].as_f64().unwrap() > 0.0);
    scene.assert_tidy();
    let (code, why) = scene.why(&["--backup", "base"]);
    assert_eq!(code, 1);
    assert!(
        why.starts_with("assert: SELECT string_agg") && why.ends_with(": false"),
        "{why}"
    );
    let lost = names(&wal)
        .into_iter()
        .rfind(|name| name.len() == 24)
        .unwrap();
    let (code, why) = scene.why(&["--backup", "base", "--target", "2099-01-01T00:00:00Z"]);
    assert!(code == 2 && why.contains("lies ahead"), "{why}");

    assert_eq!(names(&wal), archived, "nothing was pushed into the archive");
    assert_eq!(
        connections(&postgres),
        seen,
        "the live server was not spoken to"
    );
    let gap = names(&wal)
        .into_iter()
        .rfind(|name| name.len() == 24 && *name < lost)
        .unwrap_or(first);
    let gap = if wal.join(&gap).exists() {
        gap
    } else {
        format!("{gap}.gz")
    };
    fs::remove_file(wal.join(&gap)).unwrap();
    let (code, why) = scene.why(&["--backup", "base"]);
    assert!(code == 1 && why.starts_with("replay: "), "{why}");
    assert!(
        why.contains("is missing although later ones are there")
            || why.contains("checkpoint record"),
        "{why}"
    );
    fs::rename(&wal, scene.scratch.join("away")).unwrap();
    let (code, why) = scene.why(&["--backup", "base"]);
    assert!(code == 2 && why.contains("does not exist"), "{why}");
    fs::rename(scene.scratch.join("away"), &wal).unwrap();
    fs::write(scene.scratch.join("b/base/PG_VERSION"), "17 \n").unwrap();
    let (code, why) = scene.why(&["--backup", "base"]);
    assert!(code == 1 && why.contains("PG_VERSION"), "{why}");
    scene.assert_tidy();
}

#[test]
fn tapes_with_tablespaces_and_increments_are_recovered() {
    let scene = Scene::files("assert: ['SELECT count(*) = 2 FROM notes']");
    let (place, wal) = (scene.scratch.join("space"), scene.scratch.join("wal"));
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let postgres = archiving(
        17,
        &wal,
        &["summarize_wal=on", "allow_in_place_tablespaces=on"],
    );
    let owned = place.join("own");
    // The folder of a tablespace must belong to the server.
    let make = format!(
        "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir -m 700 {}'",
        owned.display()
    );
    postgres.sql("postgres", &make);
    postgres.sql(
        "postgres",
        &format!("CREATE TABLESPACE far LOCATION '{}';", owned.display()),
    );
    postgres.sql(
        "postgres",
        "CREATE TABLE notes (note text) TABLESPACE far; INSERT INTO notes VALUES ('a');",
    );
    base_backup(
        &postgres,
        &scene.scratch.join("b/first"),
        &["-Ft", "-X", "stream"],
    );
    postgres.sql("postgres", "INSERT INTO notes VALUES ('b');");
    base_backup(
        &postgres,
        &scene.scratch.join("b/tape"),
        &["-Ft", "-z", "-X", "stream"],
    );
    let before = names(&owned);
    let report = scene.restored(&["--backup", "tape"]);
    assert_eq!(report["major"], 17);
    assert_eq!(names(&owned), before);
    let (code, why) = scene.why(&["--backup", "first"]);
    assert!(code == 1 && why.starts_with("assert: "), "{why}");

    postgres.sql(
        "postgres",
        "ALTER TABLE notes SET TABLESPACE pg_default; DELETE FROM notes; ",
    );
    postgres.sql("postgres", "DROP TABLESPACE far;");
    base_backup(
        &postgres,
        &scene.scratch.join("b/full"),
        &["-Fp", "-X", "stream"],
    );
    postgres.sql("postgres", "INSERT INTO notes VALUES ('c'), ('d');");
    let manifest = scene.scratch.join("b/full/backup_manifest");
    let increment = format!("--incremental={}", manifest.display());
    base_backup(
        &postgres,
        &scene.scratch.join("b/increment"),
        &["-Fp", "-X", "stream", &increment],
    );
    scene.restored(&["--backup", "increment"]);
    // One that is all of the place.
    let alone = format!("files: '{}'", scene.scratch.join("b/full").display());
    let alone = Scene::new(&alone, "assert: ['SELECT count(*) = 0 FROM notes']");
    assert_eq!(alone.restored(&[])["backup"], ".");
    alone.assert_tidy();
    fs::rename(
        scene.scratch.join("b/full"),
        scene.scratch.join("elsewhere"),
    )
    .unwrap();
    let (code, why) = scene.why(&["--backup", "increment"]);
    assert!(
        code == 1 && why.contains("is incremental to a backup from "),
        "{why}"
    );
    scene.assert_tidy();
}
