//! A folder that fills, gets bad files, empties and disappears, as the board shows it.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, SystemTime};

pub(super) use super::watched::Watched;
use crate::harness::{Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(20);
const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

/// A folder that is looked at ten times a second.
fn start(folder: &Path, state_dir: &Path) -> Watched {
    looking("100ms", folder, state_dir)
}

fn looking(every: &str, folder: &Path, state_dir: &Path) -> Watched {
    let text = format!(
        "backups: [{{name: nightly, server: shop, files: '{}', every: 1d, look: {every}}}]",
        folder.join("*.sql").display()
    );
    Watched::over(&text, state_dir)
}

fn put(folder: &Path, name: &str, content: &str, hours_ago: u64) {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours_ago * 3600))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_go_wrong_has_its_own_name() {
    let scratch = Scratch::new();
    let folder = scratch.join("b");
    std::fs::create_dir(&folder).unwrap();
    let watched = start(&folder, scratch.path());
    let empty = [
        ("problem", "folder_empty", 1.0),
        ("count", "done", 0.0),
        ("probe_success", "", 1.0),
    ];
    watched.until("an empty folder is seen", &empty).await;
    assert_eq!(watched.value("age_seconds", ""), None);

    put(&folder, "1.sql", PLAIN, 30);
    let good = [
        ("count", "done", 1.0),
        ("problem", "folder_empty", 0.0),
        ("last_attempt_failed", "damaged", 0.0),
    ];
    watched.until("a good dump is seen", &good).await;
    let judged = || async {
        let at = watched.value("proof_timestamp_seconds", "whole");
        at.filter(|at| *at > 0.0)
    };
    let whole = eventually_async("the dump is judged", DEADLINE, judged).await;
    assert_eq!(
        Some(whole),
        watched.value("last_success_timestamp_seconds", "")
    );
    let age = watched.value("age_seconds", "").unwrap();
    assert!((age - 30.0 * 3600.0).abs() < 60.0, "{age}");

    let half = &PLAIN[..60];
    for (name, content, problem, hours) in [
        ("2.sql", "", "empty", 20),
        ("3.sql", half, "half_written", 10),
        ("4.sql", "mysql", "not_a_dump", 5),
    ] {
        put(&folder, name, content, hours);
        watched
            .until(
                problem,
                &[
                    ("problem", problem, 1.0),
                    ("last_attempt_failed", "damaged", 1.0),
                ],
            )
            .await;
    }
    // A gzip header and no more.
    std::fs::write(
        folder.join("5.sql"),
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1],
    )
    .unwrap();
    watched
        .until(
            "truncated",
            &[
                ("problem", "truncated", 1.0),
                ("problem", "not_a_dump", 0.0),
            ],
        )
        .await;
    watched
        .until(
            "the damaged are counted",
            &[("count", "damaged", 4.0), ("count", "done", 1.0)],
        )
        .await;
    assert_eq!(
        watched.value("last_success_timestamp_seconds", ""),
        Some(whole)
    );

    std::fs::rename(&folder, scratch.join("gone")).unwrap();
    let gone = [
        ("problem", "folder_missing", 1.0),
        ("probe_success", "", 0.0),
        ("count", "done", 1.0),
    ];
    watched
        .until("a folder that is gone is no empty folder", &gone)
        .await;
    let error = watched.board.statuses()[0].error.clone().unwrap();
    assert!(error.contains("does not exist"), "{error}");
    std::fs::write(&folder, "").unwrap();
    watched
        .until(
            "nor one that cannot be read",
            &[("problem", "folder_unreadable", 1.0)],
        )
        .await;
    let (before, age) = (
        watched.value("age_seconds", ""),
        "ages grow although nothing is seen",
    );
    eventually_async(age, DEADLINE, || async {
        (watched.value("age_seconds", "") > before).then_some(())
    })
    .await;

    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(scratch.join("gone"), &folder).unwrap();
    watched
        .until(
            "it comes back",
            &[
                ("probe_success", "", 1.0),
                ("problem", "folder_unreadable", 0.0),
            ],
        )
        .await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_is_not_judged() {
    let scratch = Scratch::new();
    let folder = scratch.join("b");
    std::fs::create_dir(&folder).unwrap();
    put(&folder, "1.sql", PLAIN, 30);
    put(&folder, "2.sql.part", "", 0);
    // Slow enough that a writer on a busy machine never seems to stand still.
    let watched = looking("1s", &folder, scratch.path());
    watched
        .until(
            "one is there, one is under way",
            &[("count", "done", 1.0), ("count", "running", 1.0)],
        )
        .await;
    std::fs::remove_file(folder.join("2.sql.part")).unwrap();
    watched
        .until("the other is gone", &[("count", "running", 0.0)])
        .await;
    assert_eq!(watched.value("running_since_timestamp_seconds", ""), None);

    let growing = folder.join("3.sql");
    let lines = Cell::new(0);
    let grown = || async {
        lines.set(lines.get() + 1);
        let content = PLAIN[..60].to_owned() + &"-- more\n".repeat(lines.get());
        std::fs::write(&growing, content).unwrap();
        let judged = watched.value("count", "damaged");
        assert_eq!(judged, Some(0.0), "a file that grows was judged");
        (lines.get() > 100 && watched.value("count", "running") == Some(1.0)).then_some(())
    };
    eventually_async("it is seen to grow", DEADLINE, grown).await;
    std::fs::write(&growing, PLAIN).unwrap();
    watched
        .until(
            "it is whole once it stands still",
            &[("count", "done", 2.0), ("count", "running", 0.0)],
        )
        .await;
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_nothing_again() {
    let scratch = Scratch::new();
    let folder = scratch.join("b");
    std::fs::create_dir(&folder).unwrap();
    put(&folder, "1.sql", PLAIN, 30);
    put(&folder, "2.sql", "", 3);
    let expected = [
        ("count", "done", 1.0),
        ("count", "damaged", 1.0),
        ("problem", "empty", 1.0),
    ];
    let watched = start(&folder, scratch.path());
    watched.until("both are judged", &expected).await;
    let state = scratch.join("backup-nightly.json");
    eventually_async("it is remembered", DEADLINE, || async {
        state.exists().then_some(())
    })
    .await;
    watched.stop().await;
    // What is remembered counts: a verdict that only the state file can have given.
    let remembered = std::fs::read_to_string(&state)
        .unwrap()
        .replace("\"empty\"", "\"not_a_dump\"");
    std::fs::write(&state, remembered).unwrap();
    let watched = start(&folder, scratch.path());
    watched
        .until(
            "it was not read again",
            &[("count", "done", 1.0), ("problem", "not_a_dump", 1.0)],
        )
        .await;
    watched.stop().await;
}
