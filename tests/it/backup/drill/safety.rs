//! What a drill must never leave behind, whatever ends it.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::{PATIENCE, Scene, processes};
use crate::harness::{Daemon, eventually, free_port};

const ENDLESS: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n\n\\! setsid sleep 1000 >/dev/null 2>&1 &\nSELECT pg_sleep(1000);\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn endless(drill: &str) -> Scene {
    let scene = Scene::files(drill);
    scene.put("endless.sql", ENDLESS);
    scene
}

fn is_restoring(scene: &Scene) -> Option<()> {
    let processes = processes(&scene.scratch.join("w"));
    processes
        .iter()
        .any(|words| words.contains("sleep 1000"))
        .then_some(())
}

#[test]
fn a_timeout_ends_everything() {
    let scene = endless("timeout: 8s");
    let (code, why) = scene.why(&[]);
    // A machine under load may not have come as far as restoring.
    let words = ": was not finished within `timeout`, 8s, and was ended";
    assert!(code == 1 && why.ends_with(words), "{code} {why}");
    scene.assert_tidy();
}

#[test]
fn only_one_runs_and_a_signal_ends_it() {
    let scene = endless("timeout: 10m");
    let mut first = Daemon::spawn(scene.command(&["backup", "drill"]));
    eventually("the first restores", PATIENCE, || is_restoring(&scene));
    let (code, why) = scene.why(&[]);
    assert_eq!(
        (code, why.as_str()),
        (2, "another drill is running; only one may at a time")
    );
    assert!(
        is_restoring(&scene).is_some(),
        "the second did no harm to the first"
    );
    first.signal("TERM");
    assert_eq!(first.wait(PATIENCE), Some(2), "{}", first.output());
    assert!(
        first
            .output()
            .contains("stopped; nothing of the drill is left"),
        "{}",
        first.output()
    );
    scene.assert_tidy();
}

/// The drill of before ends, and another begins under what is configured now; nothing is told of the one that was ended.
#[test]
fn a_reload_begins_a_drill_again() {
    let scene = endless("every: 1h, timeout: 10m");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut daemon = Daemon::spawn(scene.command(&["--listen", &listen]));
    let folder = || {
        scene
            .left()
            .into_iter()
            .find(|name| name.starts_with("drill-"))
    };
    eventually("it restores", PATIENCE, || is_restoring(&scene));
    let first = folder().unwrap();
    daemon.signal("HUP");
    let second = eventually("another drill begins", PATIENCE, || {
        folder().filter(|name| *name != first)
    });
    eventually("it restores again", PATIENCE, || is_restoring(&scene));
    assert_eq!(scene.left(), [second, "lock".into()]);
    let reports = std::fs::read_dir(scene.scratch.join("state/drills"));
    assert_eq!(reports.map_or(0, Iterator::count), 0, "{}", daemon.output());
    daemon.signal("TERM");
    assert_eq!(daemon.wait(PATIENCE), Some(0), "{}", daemon.output());
    scene.assert_tidy();
}

#[test]
fn a_kill_at_any_moment_leaves_nothing_for_the_next() {
    let seed = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    eprintln!("seed {seed}");
    let scene = endless("timeout: 10m");
    let mut random = seed | 1;
    for round in 0..4 {
        let mut drill = Daemon::spawn(scene.command(&["backup", "drill"]));
        if round == 0 {
            eventually("it restores", PATIENCE, || is_restoring(&scene));
        } else {
            // xorshift: a moment of the first seconds.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            drill.wait(Duration::from_millis(random % 3000));
        }
        drill.signal("KILL");
        drill.wait(PATIENCE);
        // What a dump itself has let loose is for the next start to find.
        let servers = || {
            processes(&scene.scratch.join("w"))
                .into_iter()
                .filter(|words| !words.contains("sleep 1000"))
                .count()
        };
        eventually("its programs end without it", PATIENCE, || {
            (servers() == 0).then_some(())
        });
    }
    std::fs::remove_file(scene.scratch.join("b/endless.sql")).unwrap();
    let (code, why) = scene.why(&[]);
    assert_eq!(
        (code, why.as_str()),
        (2, "`nightly` has no finished backup"),
        "seed {seed}"
    );
    scene.assert_tidy();
}

/// Kept, it is all there, nothing of it runs, and no later drill takes it away.
#[test]
fn what_is_kept_stays() {
    let scene = Scene::files("assert: ['SELECT true']");
    scene.put(
        "1.sql",
        ENDLESS
            .replace("sleep 1000", "sleep 999")
            .replace("pg_sleep(1000)", "1"),
    );
    scene.restored(&["--keep"]);
    scene.restored(&[]);
    let left = scene.left();
    let [kept, lock] = left.as_slice() else {
        panic!("{left:?}")
    };
    assert!(kept.starts_with("kept-") && lock == "lock", "{left:?}");
    let data = scene.scratch.join("w").join(kept).join("base/data");
    assert!(data.join("global/pg_control").is_file());
    assert_eq!(processes(&scene.scratch.join("w")), Vec::<String>::new());
}

#[test]
fn without_room_nothing_is_started() {
    let scene = Scene::files("timeout: 10m");
    scene.put("huge/PG_VERSION", "15\n");
    // Its server was shut down.
    let control = [&[1; 16][..], &[1, 0, 0, 0], &[0; 12]].concat();
    scene.put("huge/global/pg_control", control);
    let huge = scene.put("huge/base/1/1", "");
    File::options()
        .write(true)
        .open(huge)
        .unwrap()
        .set_len(4 << 40)
        .unwrap();
    let (code, why) = scene.why(&["--backup", "huge"]);
    assert!(
        code == 2 && why.starts_with("no room: a drill of this backup may need 8193.0 GiB and `"),
        "{why}"
    );
    assert!(
        why.ends_with("free; set `work_dir` to a larger disk"),
        "{why}"
    );
    // Unasked, no drill takes what may not be whole.
    let (code, why) = scene.why(&[]);
    let words =
        "`huge` is the data directory of a server that was shut down, without `backup_label`";
    assert!(code == 2 && why.contains(words), "{why}");
    scene.assert_tidy();
}

#[test]
fn a_source_that_is_not_there_is_a_mistake() {
    let scene = Scene::new(
        "files: '{here}/b/*'",
        "assert: ['SELECT true']}, {source: weekly",
    );
    let output = scene.command(&["backup", "drill"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("a drill restores `weekly`, which is none of the `backups`"),
        "{said}"
    );
}

#[test]
fn a_work_folder_that_cannot_be_used_says_what_to_do() {
    let scene = Scene::files("assert: []");
    let far = scene.scratch.join("nosuch/x");
    let (code, why) = scene.why(&["--work-dir", &far.display().to_string()]);
    let wanted = format!(
        "there is no folder `{}`; make it",
        scene.scratch.join("nosuch").display()
    );
    assert!(code == 2 && why.contains(&wanted), "{why}");
    assert!(!scene.scratch.join("nosuch").exists(), "it was made");
    // Nobody writes into a file as if it were a folder.
    let file = scene.put("file", "");
    let (code, why) = scene.why(&["--work-dir", &file.display().to_string()]);
    let wanted = format!("cannot write into the work folder `{}`: ", file.display());
    assert!(code == 2 && why.starts_with(&wanted), "{why}");
    assert!(
        why.contains("; let the user `") && why.contains("set `work_dir` to another folder"),
        "{why}"
    );
}
