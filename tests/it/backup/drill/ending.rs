//! Replay that ends before the end of the archive, and the way out that is offered then.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::physical::{archive, archiving, base_backup, names};
use super::{PATIENCE, Scene, succeed};
use crate::harness::{Postgres, eventually, server_user};

/// A base backup, and after it segments each of which holds a note; gives the last five.
fn archived(scene: &Scene) -> (Postgres, PathBuf, Vec<String>) {
    let wal = scene.scratch.join("wal");
    let postgres = archiving(16, &wal, &[]);
    let base = scene.scratch.join("b/base");
    base_backup(&postgres, &base, &["-Fp", "-X", "none"]);
    pass(&postgres);
    postgres.sql("postgres", "CREATE TABLE notes (note text)");
    for note in 1..=6 {
        postgres.sql("postgres", &format!("INSERT INTO notes VALUES ({note})"));
        archive(&postgres, &wal);
    }
    let mut segments = names(&wal);
    segments.retain(|name| name.len() == 24);
    let segments = segments.split_off(segments.len() - 5);
    (postgres, wal, segments)
}

/// What follows is later than what the label of a backup, which knows whole seconds, says of its end.
fn pass(postgres: &Postgres) {
    let now = postgres.sql("postgres", "SELECT clock_timestamp()");
    let passed = format!("SELECT clock_timestamp() > '{now}'::timestamptz + interval '2.1 s'");
    eventually("time passes", PATIENCE, || {
        (postgres.sql("postgres", &passed) == "t").then_some(())
    });
}

fn now(postgres: &Postgres) -> String {
    postgres.sql(
        "postgres",
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    )
}

/// The moment that a message says can be asked for.
fn offered(why: &str) -> &str {
    let (_, rest) = why
        .split_once("`--target=")
        .unwrap_or_else(|| panic!("{why}"));
    rest.split_once('`').unwrap().0
}

/// Makes a file of WAL look as if it had come so long ago.
fn date_back(path: &Path, seconds: u64) {
    let file = File::options().append(true).open(path).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(long_ago).unwrap();
}

#[test]
fn a_damaged_segment_amid_the_archive_fails_a_drill() {
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", "assert: []");
    let (postgres, wal, segments) = archived(&scene);
    let now = now(&postgres);
    scene.restored(&["--backup", "base"]);

    let damaged = &segments[2];
    let mut file = File::options().write(true).open(wal.join(damaged)).unwrap();
    file.rewind().unwrap();
    file.write_all(&vec![0; 1 << 20]).unwrap();
    drop(file);
    let wanted = format!(
        "replay: replay ended in WAL segment `{damaged}`, although later ones are there: it is damaged"
    );
    for arguments in [&["--backup", "base"][..], &["--target", &now]] {
        let (code, why) = scene.why(arguments);
        assert!(code == 1 && why.starts_with(&wanted), "{why}");
        scene.restored(&["--target", offered(&why)]);
    }
    scene.assert_tidy();
}

#[test]
fn a_moment_that_is_offered_can_be_reached() {
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", "assert: []");
    let (postgres, wal, segments) = archived(&scene);
    let now = now(&postgres);
    // Beyond the end of all WAL.
    let (code, why) = scene.why(&["--target", &now]);
    assert!(
        code == 2 && why.contains("lies beyond the WAL archive"),
        "{why}"
    );
    scene.restored(&["--target", offered(&why)]);

    // A gap that is known before: what came after it came long ago.
    fs::remove_file(wal.join(&segments[2])).unwrap();
    segments[3..]
        .iter()
        .for_each(|name| date_back(&wal.join(name), 600));
    let (code, why) = scene.why(&[]);
    let missing = format!("replay: WAL segment `{}` is missing although", segments[2]);
    assert!(code == 1 && why.starts_with(&missing), "{why}");
    scene.restored(&["--target", offered(&why)]);
    // And one that only replay comes upon.
    let (code, why) = scene.why(&["--target", &now]);
    assert!(code == 1 && why.starts_with(&missing), "{why}");
    scene.restored(&["--target", offered(&why)]);

    // One that is cut short lies there.
    fs::write(wal.join(&segments[2]), [0; 5000]).unwrap();
    let (code, why) = scene.why(&[]);
    let short = format!(
        "replay: WAL segment `{}` is short (5000 of 16777216 bytes)",
        segments[2]
    );
    assert!(code == 1 && why.starts_with(&short), "{why}");
    scene.assert_tidy();
}

#[test]
fn a_backup_that_may_have_ended_by_then_is_better_than_none() {
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", "assert: []");
    let (_postgres, wal, segments) = archived(&scene);
    // Nobody knows any more when it ended: somebody has copied all without its times.
    for name in names(&wal).iter().filter(|name| name.ends_with(".backup")) {
        fs::remove_file(wal.join(name)).unwrap();
    }
    let came = fs::metadata(wal.join(&segments[2]))
        .unwrap()
        .modified()
        .unwrap();
    let before = came.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let target = format!("{:.3}", before.as_secs_f64());
    let copied = SystemTime::now();
    let base = scene.scratch.join("b/base");
    for path in names(&wal)
        .iter()
        .map(|name| wal.join(name))
        .chain([base.join("backup_manifest")])
    {
        File::options()
            .append(true)
            .open(path)
            .unwrap()
            .set_modified(copied)
            .unwrap();
    }
    assert_eq!(scene.restored(&["--target", &target])["backup"], "base");
}

#[test]
fn wal_that_may_not_be_read_says_nothing_about_the_backup() {
    let scene = Scene::new("files: '{here}/b/*', wal: '{here}/wal'", "assert: []");
    let (_postgres, wal, segments) = archived(&scene);
    if let Some((user, group)) = server_user() {
        let mut chown = Command::new("chown");
        succeed(
            chown
                .args(["-R", &format!("{user}:{group}")])
                .arg(scene.scratch.path()),
        );
    }
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(wal.join(&segments[2]), closed).unwrap();
    let (code, report) = scene.drill_as(server_user(), &[]);
    let why = report["outcome"]["why"].as_str().unwrap_or_default();
    let wanted = format!(
        "file `{}` of the WAL archive cannot be read: the user `",
        segments[2]
    );
    assert!(code == 2 && why.starts_with(&wanted), "{report:#}");
    assert!(why.contains("let `"), "{why}");
}
