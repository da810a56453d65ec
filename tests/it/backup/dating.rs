//! When base backups ended that were copied without the times of their files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use pgvigil::backup::{Backup, Ended, State};
use pgvigil::sample::Timestamp;

use super::base::take;
use super::watched::Watched;
use crate::harness::{Postgres, Scratch, eventually};

const DEADLINE: Duration = Duration::from_secs(60);

/// Gives everything below a folder the time of now.
fn touch(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            touch(&path);
        } else {
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_that_was_copied_without_times_is_of_when_it_ended() {
    let scratch = Scratch::new();
    let [witnessed, alone, archive] = ["witnessed", "alone", "wal"].map(|name| scratch.join(name));
    fs::create_dir(&archive).unwrap();
    fs::set_permissions(&archive, fs::Permissions::from_mode(0o777)).unwrap();
    let command = format!("archive_command=cp %p {}/%f", archive.display());
    // A zone whose name may mean anything.
    let settings = ["archive_mode=on", &command, "log_timezone=Europe/Berlin"];
    let postgres = Postgres::with(17, &settings);
    let began = Timestamp::now();
    take(&postgres, &witnessed.join("base"), &["-Xnone"]);
    take(&postgres, &alone.join("base"), &["-Ft", "-z", "-Xfetch"]);
    let ended = Timestamp::now();
    eventually("the clock goes on", DEADLINE, || {
        (Timestamp::now() > ended + Duration::from_secs(2)).then_some(())
    });
    for folder in [&witnessed, &alone, &archive] {
        touch(folder);
    }

    let source = |name: &str, more: &str| {
        let folder = scratch.join(name);
        format!(
            "{{name: {name}, server: s, files: '{}', every: 1d, look: 300ms, verify_rate: 1GiB{more}}}",
            folder.display()
        )
    };
    let wal = format!(", wal: '{}'", archive.display());
    let text = format!(
        "backups: [{}, {}]",
        source("witnessed", &wal),
        source("alone", "")
    );
    let watched = Watched::over(&text, scratch.path());
    let read = async |name: &str| {
        let read = |record: &pgvigil::backup::Record| {
            let backups = &record.facts.sighting.as_ref()?.backups;
            let of_it = record.settings.name == name;
            let mut done = backups.iter().filter(|backup| backup.state == State::Done);
            done.next().filter(|_| of_it).cloned()
        };
        watched.known("it is read", read).await
    };
    // To the second that PostgreSQL writes down.
    let is_true = |moment: Timestamp| (began.0 - 1000..=ended.0).contains(&moment.0);
    let value = |metric: &str, name: &str| {
        let seconds = watched.value(&format!("{metric}_timestamp_seconds"), name);
        Timestamp((seconds.unwrap() * 1000.0) as i64)
    };

    let backup: Backup = read("witnessed").await;
    let Ended { earliest, latest } = backup.ended.unwrap();
    assert!(
        backup.finished > ended,
        "the scene is not what it should be"
    );
    assert!(earliest == latest && is_true(latest), "{backup:#?}");
    for metric in ["recovery_window_start", "last_success"] {
        let said = value(metric, "witnessed");
        assert!(is_true(said), "{metric}: {said:?} {ended:?}");
    }
    let backup: Backup = read("alone").await;
    let Ended { earliest, latest } = backup.ended.unwrap();
    assert!(
        is_true(earliest) && latest == backup.finished,
        "{backup:#?}"
    );
    for metric in ["recovery_window_start", "recovery_window_end"] {
        let said = value(metric, "alone");
        assert!(is_true(said), "{metric}: {said:?} {ended:?}");
    }
    watched.stop().await;
}
