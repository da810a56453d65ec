use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;
use crate::sample::{Labels, NAME, Source, Sources};
use crate::store::Settings;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn store() -> Arc<Store> {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 1 << 20,
    };
    Arc::new(Store::new(&settings, NOW))
}

/// A store of one series with so many samples.
fn filled(samples: i64) -> Arc<Store> {
    let store = store();
    let sources = Sources::one(Source::new("rachel", "", "x"));
    for step in 0..samples {
        let at = NOW.before(Duration::from_secs((samples - step) as u64));
        store.append(at, &sources, [(Labels::new([(NAME, "up")]), 1.0)]);
    }
    store
}

/// What is logged meanwhile, a line each.
fn said(act: impl FnOnce()) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let logging = tracing_subscriber::fmt()
        .with_writer(file.reopen().unwrap())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(logging, act);
    let text = fs::read_to_string(file.path()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The samples that a start from the directory finds.
fn found(dir: &Path) -> usize {
    let store = store();
    Keeper::new(dir, store.clone()).restore(NOW);
    store.size().samples
}

#[test]
fn the_history_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        said(|| assert_eq!(found(dir.path()), 0)),
        [""; 0],
        "none is no trouble"
    );
    let keeper = Keeper::new(&dir.path().join("new"), filled(300));
    keeper.save(NOW);
    let kept = keeper.kept();
    assert_eq!((kept.taken, kept.failures), (Some(NOW), 0));
    assert_eq!(found(&dir.path().join("new")), 300);
    let (opened, taken) = Store::open_snapshot(&dir.path().join("new/snapshot")).unwrap();
    assert_eq!(
        (opened.size().samples, opened.covers_since(), taken),
        (300, NOW, NOW)
    );
    // A store that holds something has more than its snapshot does.
    let after_reload = filled(301);
    let keeper = Keeper::new(&dir.path().join("new"), after_reload.clone());
    keeper.restore(NOW);
    assert_eq!(after_reload.size().samples, 301);
    assert_eq!(
        (keeper.kept().taken, keeper.kept().bytes),
        (kept.taken, kept.bytes)
    );
}

#[test]
fn a_disk_that_takes_nothing_is_said_once_and_leaves_the_old_one_whole() {
    let dir = tempfile::tempdir().unwrap();
    let keeper = Keeper::new(dir.path(), filled(300));
    keeper.save(NOW);
    let aside = dir.path().join("snapshot.new");
    let lines = said(|| {
        for _ in 0..3 {
            symlink("/dev/full", &aside).unwrap();
            keeper.save(NOW + Duration::from_secs(60));
            assert!(!aside.exists(), "what could not be written takes no room");
        }
        assert_eq!(
            (keeper.kept().failures, keeper.kept().taken),
            (3, Some(NOW))
        );
        assert_eq!(found(dir.path()), 300);
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    for part in [
        "ERROR",
        "No space left",
        "free space",
        "loses the history after 2023-11-14T22:13:20.000Z",
    ] {
        assert!(lines[0].contains(part), "{}", lines[0]);
    }
    assert!(lines[1].contains("taken over"), "{}", lines[1]);
    let lines = said(|| keeper.save(NOW));
    assert!(
        lines.len() == 1 && lines[0].contains("is written again"),
        "{lines:?}"
    );
    // As when the directory is read-only.
    fs::create_dir(&aside).unwrap();
    let lines = said(|| keeper.save(NOW));
    assert!(
        lines.len() == 1 && lines[0].contains("Is a directory"),
        "{lines:?}"
    );
    assert_eq!(keeper.kept().failures, 4);
}

#[test]
fn a_damaged_one_is_set_aside_and_few_of_them_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot");
    for day in 0..5 {
        let store = store();
        let keeper = Keeper::new(dir.path(), store.clone());
        fs::write(&path, format!("PGVSNAP\n{day}")).unwrap();
        let now = NOW + Duration::from_secs(day * 86_400);
        let lines = said(|| keeper.restore(now));
        assert_eq!(lines.len(), 1, "{lines:?}");
        for part in [
            "WARN",
            "is damaged: it ends too early",
            "moved to",
            "begins anew",
        ] {
            assert!(lines[0].contains(part), "{}", lines[0]);
        }
        assert!(!path.exists());
        assert_eq!((store.size().series, keeper.kept().taken), (0, None));
    }
    let names = fs::read_dir(dir.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let expected = [16, 17, 18].map(|day| format!("snapshot.damaged-2023-11-{day}T22:13:20.000Z"));
    assert_eq!(names, expected);
    // What cannot be read at all is no better.
    fs::create_dir(&path).unwrap();
    let lines = said(|| assert_eq!(found(dir.path()), 0));
    assert!(
        lines.len() == 1 && lines[0].contains("cannot be read"),
        "{lines:?}"
    );
}
